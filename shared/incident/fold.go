package incident

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/onepane/onepane/shared/alert"
)

// duplicate finds the alert that a is another product's copy of, and the rule that says so. Precision comes first:
// a fold hides an alert.
func (s *State) duplicate(v *arrival) (*AlertRecord, string) {
	a := &v.Alert
	for _, id := range v.ids {
		if m := s.named(id); m != nil && m.Alert.ID != a.ID && s.sameID(v.Report, &m.Alert, id) {
			return m, "carried id"
		}
	}
	for _, t := range foremost(v.ties) {
		n := s.nodes[t.key]
		if n == nil {
			continue
		}
		for i := range n.Fingerprints {
			b := &n.Fingerprints[i]
			if b.copies(a, s.tune) {
				if m := s.member(b.Alert); m != nil && m.Alert.ID != a.ID && m.Alert.Class == a.Class {
					return m, "same thing, kind and moment"
				}
			}
		}
	}
	return nil, ""
}

// copies reports whether the alert in brief is likely the same as a: told by another product, in the same words, of
// the same moment.
func (b *Fingerprint) copies(a *alert.Alert, tune *Tuning) bool {
	return b.Reporter != a.Reporter && a.First.Sub(b.First).Abs() <= tune.FoldWithin && sameWords(b.Words, words(a.Title))
}

// sameWords compares titles as far as products change them when they forward one: a prefix of their own, a few
// words around it.
func sameWords(a, b string) bool {
	const telling = 12
	if len(a) > len(b) {
		a, b = b, a
	}
	return a != "" && (a == b || len(a) >= telling && strings.Contains(b, a))
}

// words are a title in letters and digits.
func words(title string) string {
	const most = 120
	w := letters(title)
	return w[:min(len(w), most)]
}

// foremost are the ties by which copies are looked for: the weightiest few.
func foremost(ties []tie) []tie {
	const few = 3
	out := slices.DeleteFunc(slices.Clone(ties), func(t tie) bool { return t.weight < 0.35 })
	slices.SortStableFunc(out, func(a, b tie) int { return sign(b.weight - a.weight) })
	return out[:min(len(out), few)]
}

// brief notes an alert on its foremost entities, for copies of it to be recognized.
func (s *State) brief(m *AlertRecord, ties []tie) {
	for _, t := range foremost(ties) {
		n := s.edit(t.key)
		if slices.ContainsFunc(n.Fingerprints, func(b Fingerprint) bool { return b.Alert == m.Alert.ID }) {
			continue
		}
		n.Fingerprints = append(n.Fingerprints, Fingerprint{Alert: m.Alert.ID, Reporter: m.Alert.Reporter, Words: words(m.Alert.Title), First: m.Alert.First})
		if len(n.Fingerprints) > maxBriefs {
			n.Fingerprints = slices.Delete(n.Fingerprints, 0, 1)
		}
	}
}

// named is the alert that an id leads to.
func (s *State) named(name string) *AlertRecord {
	if n := s.nodes[name]; n != nil {
		return s.member(n.Alert)
	}
	return nil
}

// member is an alert by id, folds followed; nil when there is none.
func (s *State) member(id string) *AlertRecord {
	m := s.members[id]
	if m != nil && m.FoldedInto != "" {
		m = s.members[m.FoldedInto]
	}
	return m
}

// sameID reports whether an id that two alerts carry means one alert. A long id does so by itself. So does one of letters
// and digits within the hour; a mere number is a counter that everyone has, and needs the same title or a shared thing besides.
func (s *State) sameID(r *Report, b *alert.Alert, id string) bool {
	a := &r.Alert
	if a.Class != b.Class && a.Class != alert.EvidenceOnly && b.Class != alert.EvidenceOnly || apart(a, b) > s.tune.CarriedWithin {
		return false
	}
	id = strings.TrimPrefix(id, "id:")
	switch {
	case len(id) >= 16:
		return true
	case strings.ContainsAny(id, "0123456789") && strings.ContainsFunc(id, unicode.IsLetter):
		return apart(a, b) <= time.Hour
	case strings.EqualFold(a.Title, b.Title):
		return true
	}
	mine := r.strong()
	return slices.ContainsFunc(NewReport(*b).strong(), func(k string) bool { return slices.Contains(mine, k) })
}

func apart(a, b *alert.Alert) time.Duration { return a.First.Sub(b.First).Abs() }

// fold makes a another sighting of original.
func (s *State) fold(original *AlertRecord, a alert.Alert, rule string, now time.Time) Outcome {
	if len(a.Sightings) == 0 {
		a.Sightings = []alert.Sighting{{AlertID: a.ID, Reporter: a.Reporter, ReportID: a.ReportID, Title: a.Title, Type: a.Type, Updated: a.Updated, Rule: rule}}
	}
	s.members[a.ID] = &AlertRecord{
		Alert: a, FoldedInto: original.Alert.ID, Incident: original.Incident, Status: a.Status, Created: now, Updated: now,
		Reasons: []Reason{{Rule: rule, Alert: original.Alert.ID, Weight: 1, Gap: apart(&a, &original.Alert)}},
	}
	s.changedMembers.add(a.ID)
	out := s.again(original, a, now)
	out.Folded, out.New = true, true
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
