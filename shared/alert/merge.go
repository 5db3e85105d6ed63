package alert

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/onepane/onepane/shared/attack"
)

// Merge adds another report of the same alert to a, and says whether anything changed. Reports may come in any
// order: by the provider's own update time the newest decides text, severity and status, an older one adds only what
// was missing. Evidence, tactics, counts and the activity span only grow. Of two products' reports the
// richer leads whichever is newer, the one from the product that detected it in doubt.
func Merge(a, b Alert) (Alert, bool) {
	m, other := a, b
	if takesPrecedence(b, a) && !a.hasMerged(b) {
		m, other = b, a
	}
	if m.Class == EvidenceOnly {
		m.Class = other.Class
	}
	m.ID, m.Tenant, m.Origin = a.ID, a.Tenant, a.Origin
	m.Delivered = a.Delivered
	fillEmpty(&m, other)
	if other.First.Before(m.First) && !other.First.IsZero() || m.First.IsZero() {
		m.First = other.First
	}
	if other.Last.After(m.Last) {
		m.Last = other.Last
	}
	if a.Reporter != b.Reporter && other.Updated.After(m.Updated) && other.Class != EvidenceOnly {
		m.Status, m.NativeStatus = other.Status, other.NativeStatus // work on it shows in whichever product it was done
	}
	if other.Updated.After(m.Updated) {
		m.Updated = other.Updated
	}
	m.Sightings = mergeSightings(a, b)
	m.Count = max(m.Count, other.Count)
	m.Tactics = attack.SortTactics(append(slices.Clone(m.Tactics), other.Tactics...))
	m.Techniques = unionOf(m.Techniques, other.Techniques)
	m.CarriedIDs = unionOf(m.CarriedIDs, other.CarriedIDs)
	m.Members = unionOf(m.Members, other.Members)
	m.Evidence = MergeEvidence(m.Evidence, other.Evidence)
	for k, v := range other.Extra {
		if _, has := m.Extra[k]; !has {
			m.Extra = withFact(m.Extra, k, v)
		}
	}
	return m, isChanged(a, m)
}

// isChanged reports whether two states of an alert encode differently. Fields that mostly differ are compared
// first, since encoding is slow.
func isChanged(a, b Alert) bool {
	if len(a.Sightings) != len(b.Sightings) || len(a.Evidence) != len(b.Evidence) || a.Status != b.Status || a.Severity != b.Severity ||
		a.Count != b.Count || !a.Updated.Equal(b.Updated) || !a.Last.Equal(b.Last) {
		return true
	}
	return !reflect.DeepEqual(a, b) && a.Revision() != b.Revision()
}

// mergeSightings lists the reports of a and b, the newest of each product and id; nil when there is only one.
func mergeSightings(a, b Alert) []Sighting {
	var out []Sighting
	for _, s := range slices.Concat(a.allSightings(), b.allSightings()) {
		i := slices.IndexFunc(out, func(o Sighting) bool { return o.Reporter == s.Reporter && o.ReportID == s.ReportID })
		switch {
		case i < 0:
			out = append(out, s)
		case s.Updated.After(out[i].Updated):
			s.Rule = cmp.Or(out[i].Rule, s.Rule)
			out[i] = s
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// hasMerged reports whether b was merged into a before: a report that comes again changes nothing.
func (a Alert) hasMerged(b Alert) bool {
	return slices.ContainsFunc(a.Sightings, func(s Sighting) bool {
		return s.Reporter == b.Reporter && s.ReportID == b.ReportID && !b.Updated.After(s.Updated)
	})
}

func (a Alert) allSightings() []Sighting {
	if len(a.Sightings) > 0 {
		return a.Sightings
	}
	return []Sighting{{AlertID: a.ID, Reporter: a.Reporter, ReportID: a.ReportID, Title: a.Title, Type: a.Type, Updated: a.Updated}}
}

// takesPrecedence reports whether b's text, severity and status replace a's.
func takesPrecedence(b, a Alert) bool {
	if a.Class == EvidenceOnly || b.Class == EvidenceOnly {
		return a.Class == EvidenceOnly && b.Class != EvidenceOnly
	}
	if a.Reporter != b.Reporter {
		if direct := b.Reporter == b.Origin.Provider; direct != (a.Reporter == a.Origin.Provider) {
			return direct
		}
		return len(b.Evidence) > len(a.Evidence)
	}
	return b.Updated.After(a.Updated)
}

// fillEmpty sets the empty fields of m from other.
func fillEmpty(m *Alert, other Alert) {
	for _, f := range []struct{ to, from *string }{
		{&m.Type, &other.Type}, {&m.Title, &other.Title}, {&m.Description, &other.Description},
		{&m.Recommendation, &other.Recommendation}, {&m.URL, &other.URL}, {&m.Product, &other.Product},
		{&m.NativeSeverity, &other.NativeSeverity}, {&m.NativeStatus, &other.NativeStatus},
		{&m.CorrelationKey, &other.CorrelationKey}, {&m.ReportID, &other.ReportID},
		{&m.Account.ID, &other.Account.ID}, {&m.Account.Name, &other.Account.Name},
		{&m.Account.Organization, &other.Account.Organization}, {&m.Account.Region, &other.Account.Region},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	if m.Account.Cloud == "" {
		m.Account.Cloud = other.Account.Cloud
	}
	if m.Severity.Rank() == 0 && other.Severity.Rank() > 0 {
		m.Severity = other.Severity
	}
	if m.Raw == nil {
		m.Raw = other.Raw
	}
}

// MergeEvidence is the union of two evidence lists: one entry per kind and value, with the aliases and attributes of
// both; what the first list states wins.
func MergeEvidence(a, b []Evidence) []Evidence {
	type name struct{ kind, value string }
	at := make(map[name]int, len(a)+len(b))
	out := make([]Evidence, 0, len(a)+len(b))
	for _, e := range slices.Concat(a, b) {
		n := name{string(e.Kind), e.Value}
		i, has := at[n]
		if !has {
			at[n] = len(out)
			out = append(out, e)
			continue
		}
		have := &out[i]
		for _, alias := range e.Aliases {
			have.Entity = have.WithAlias(alias.Kind, alias.Value)
		}
		for k, v := range e.Attributes {
			if have.Attr(k) == "" {
				have.Entity = have.WithAttr(k, v)
			}
		}
		have.Name = cmp.Or(have.Name, e.Name)
		have.Role = cmp.Or(have.Role, e.Role)
		have.Verdict = cmp.Or(have.Verdict, e.Verdict)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func unionOf(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func withFact(m map[string]string, k, v string) map[string]string {
	out := make(map[string]string, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	out[k] = v
	return out
}
