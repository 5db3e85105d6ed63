package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// duplicate finds the alert that a is another product's copy of, and the rule that says so. Precision comes first:
// a fold hides an alert.
func (s *State) duplicate(a alert.Alert) (*Member, string) {
	for _, id := range carried(a) {
		if m := s.named(id); m != nil && m.Alert.ID != a.ID && s.sameID(a, m.Alert, id) {
			return m, "carried id"
		}
	}
	for _, f := range fingerprints(a) {
		m := s.named(f)
		if m != nil && m.Alert.Reporter != a.Reporter && m.Alert.Class == a.Class && apart(a, m.Alert) <= s.tune.FoldWithin/10 {
			return m, "same thing, kind and moment"
		}
	}
	return nil, ""
}

// named is the alert that an id or fingerprint leads to, folds followed.
func (s *State) named(name string) *Member {
	n := s.nodes[name]
	if n == nil || n.Alert == "" {
		return nil
	}
	m := s.members[n.Alert]
	if m != nil && m.FoldedInto != "" {
		m = s.members[m.FoldedInto]
	}
	return m
}

// sameID reports whether an id that two alerts carry means one alert. A long id does so by itself, unless one
// product used it for two alerts of its own; a short one (a counter) needs the same title or a shared thing besides.
func (s *State) sameID(a, b alert.Alert, id string) bool {
	if a.Class != b.Class && a.Class != alert.EvidenceOnly && b.Class != alert.EvidenceOnly || apart(a, b) > s.tune.CarriedWithin {
		return false
	}
	if len(id) >= len("id:")+12 {
		return true
	}
	if strings.EqualFold(a.Title, b.Title) {
		return true
	}
	mine := strongNames(a)
	return slices.ContainsFunc(strongNames(b), func(k string) bool { return slices.Contains(mine, k) })
}

func apart(a, b alert.Alert) time.Duration { return a.First.Sub(b.First).Abs() }

// fold makes a another sighting of original.
func (s *State) fold(original *Member, a alert.Alert, rule string, now time.Time) Outcome {
	if len(a.Sightings) == 0 {
		a.Sightings = []alert.Sighting{{AlertID: a.ID, Reporter: a.Reporter, ReportID: a.ReportID, Title: a.Title, Type: a.Type, Updated: a.Updated, Rule: rule}}
	}
	s.members[a.ID] = &Member{
		Alert: a, FoldedInto: original.Alert.ID, Incident: original.Incident, Status: a.Status, Created: now, Updated: now,
		Reasons: []Reason{{Rule: rule, Alert: original.Alert.ID, Weight: 1, Gap: apart(a, original.Alert)}},
	}
	s.changedMembers.add(a.ID)
	out := s.again(original, a, now)
	out.Folded, out.New = true, true
	return out
}

// carried are the node keys of the ids by which other products may know a.
func carried(a alert.Alert) []string {
	const shortest = 6 // below that, ids are counters that everyone has
	var out []string
	for _, id := range append([]string{a.Origin.ID, a.ReportID}, a.CarriedIDs...) {
		if len(id) < shortest {
			continue
		}
		if k := "id:" + strings.ToLower(id); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// strongNames are the strong keys of a's evidence, addresses apart.
func strongNames(a alert.Alert) []string {
	var out []string
	for i, e := range a.Evidence {
		if i == maxTies {
			break
		}
		for _, k := range e.Keys() {
			if k.Strong && k.Class() != "ip" {
				out = append(out, k.Text)
			}
		}
	}
	return out
}

// fingerprints name what a is about in a way another product's copy would share: the thing, and the words for it.
func fingerprints(a alert.Alert) []string {
	const few = 3
	var out []string
	for i, k := range strongNames(a) {
		if i == few {
			break
		}
		for _, words := range []string{a.Title, a.Type} {
			if w := letters(words); w != "" {
				out = append(out, "dup:"+k+"/"+w)
			}
		}
	}
	return out
}

// letters keeps what two products' spellings of one title have in common.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 0x7f:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// statements are the node keys under which the provider may have said that a belongs with others.
func statements(a alert.Alert) []string {
	return append(claims(a), "member:"+a.Origin.Provider+"/"+strings.ToLower(a.Origin.ID))
}

// claims are the node keys of what a itself says belongs together: its provider's correlation key, and its members.
func claims(a alert.Alert) []string {
	var out []string
	if a.CorrelationKey != "" {
		out = append(out, "key:"+a.Origin.Provider+"/"+a.CorrelationKey)
	}
	for _, m := range a.Members {
		out = append(out, "member:"+a.Origin.Provider+"/"+strings.ToLower(m))
	}
	return out
}
