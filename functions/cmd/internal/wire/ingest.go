// Package wire is the only place where configuration chooses a driver and functions meet their contracts.
package wire

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Readers are the ingest functions as replay needs them: they normalize and publish nothing. provider names one of
// generic, aws, azure, gcp; "" is all, for records to be recognized by their shape.
func Readers(provider string) ([]*ingest.Function, error) {
	all := map[string]*ingest.Function{
		"generic": {Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}},
	}
	var out []*ingest.Function
	for _, name := range []string{"generic", "aws", "azure", "gcp"} {
		if fn := all[name]; fn != nil && (provider == "" || provider == name) {
			fn.Tenants = claimed{}
			out = append(out, fn)
		}
	}
	if out == nil {
		return nil, fault.Errorf(fault.Invalid, "--provider: %q is none of generic, aws, azure, gcp", provider)
	}
	return out, nil
}

// claimed takes the tenant that an alert claims, and the default tenant for those that claim none.
type claimed struct{}

func (claimed) Tenant(_ alert.Account, claim string) (string, error) {
	if claim == "" {
		return "default", nil
	}
	return claim, nil
}
