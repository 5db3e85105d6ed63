package incident

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
)

// How a rule's description says whether its alerts are correlated (unified-api reference, 5.1): at the start, in any case.
const (
	dontCorrelate = "#dont_corr#"
	doCorrelate   = "#inc_corr#"
)

// alone reports whether an alert is to have an incident of its own that nothing joins: its rule says so, or the tenant
// correlates alerts of analytics rules only when they say so. It is asked once, when the alert is new: what the
// description becomes later changes nothing.
func (s *State) alone(a *alert.Alert) bool {
	switch {
	case begins(a.Description, dontCorrelate):
		return true
	case begins(a.Description, doCorrelate):
		return false
	}
	return s.tune.RulesOptIn > 0 && a.Origin.Provider == "sentinel"
}

func begins(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}
