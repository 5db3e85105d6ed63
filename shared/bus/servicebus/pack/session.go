package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

const (
	// maxID is the longest session or message id of Service Bus, in characters.
	maxID = 128
	// maxTenant is the longest tenant the bus takes, in bytes: the same on every driver.
	maxTenant = 200
)

// checkEvents returns fault.Invalid for the first event that the bus does not take.
func checkEvents(evs []cloudevent.Event) error {
	for i, e := range evs {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		if len(e.Tenant) > maxTenant {
			return fault.Errorf(fault.Invalid, "event %d: tenant is longer than %d bytes", i, maxTenant)
		}
		if !utf8.ValidString(e.Tenant) {
			return fault.Errorf(fault.Invalid, "event %d: tenant is not UTF-8", i)
		}
	}
	return nil
}

// bySession groups events by tenant, each tenant's in order and each id once.
func bySession(evs []cloudevent.Event) [][]cloudevent.Event {
	var out [][]cloudevent.Event
	at := map[string]int{}
	type key struct{ tenant, id string }
	seen := map[key]bool{}
	for _, e := range evs {
		if k := (key{e.Tenant, e.ID}); seen[k] {
			continue
		} else {
			seen[k] = true
		}
		i, ok := at[e.Tenant]
		if !ok {
			i = len(out)
			at[e.Tenant] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// SessionID returns the id of a tenant's session: its name, or a hash of a name that Service Bus does not take.
func SessionID(tenant string) string {
	if tenant != "" && len(tenant) <= maxID && !strings.HasPrefix(tenant, "~") {
		return tenant
	}
	h := sha256.Sum256([]byte(tenant))
	return "~" + hex.EncodeToString(h[:])
}
