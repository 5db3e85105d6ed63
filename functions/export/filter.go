package export

import (
	"slices"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/store"
)

const exposure = alert.Exposure

// Filter says which things an export sends. Empty lists let everything through.
type Filter struct {
	Kinds    []store.ChangeKind // default alerts and incidents
	Severity alert.Severity     // this or graver
	Statuses []string           // in the Graph's words
	Clouds   []entity.Cloud     // an incident passes when one of its clouds does
	// Accounts and Providers narrow alerts and exposures; incidents have several, and pass.
	Accounts  []string
	Providers []string
}

func (f Filter) wantsKind(k store.ChangeKind) bool {
	if len(f.Kinds) == 0 {
		return k != store.ExposureChanged
	}
	return slices.Contains(f.Kinds, k)
}

// Pass reports whether r's kind, severity, status, cloud, account and provider are among those that the filter lets
// through.
func (f Filter) Pass(r Row) bool {
	if !f.wantsKind(r.Kind) {
		return false
	}
	if i := r.Incident; i != nil {
		return i.Severity.Rank() >= f.Severity.Rank() && isListed(f.Statuses, string(i.Status)) &&
			(len(f.Clouds) == 0 || slices.ContainsFunc(i.Clouds, func(c entity.Cloud) bool { return isListed(f.Clouds, c) }))
	}
	a := r.Alert.Alert
	return a.Severity.Rank() >= f.Severity.Rank() && isListed(f.Statuses, string(r.Alert.Status)) && isListed(f.Clouds, a.Account.Cloud) &&
		isListed(f.Accounts, a.Account.ID) && isListed(f.Providers, a.Origin.Provider)
}

func isListed[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
