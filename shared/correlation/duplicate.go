package correlation

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// This file finds the alert that a new one is another product's copy of. Precision comes first: a fold hides an alert.

// The rules of folds.
const (
	ruleCarriedID = "carried id"
	ruleSameWords = "same thing, kind and moment"
)

// findOriginal finds the alert that an arrival is a copy of, and the rule that says so; nil when it is none.
func (m *memory) findOriginal(a *arrival) (original *incident.AlertRecord, rule string) {
	for _, id := range a.ids {
		n := m.nodes.Get(id)
		if n == nil {
			continue
		}
		if rec := m.alertOf(n.Alert); rec != nil && rec.Alert.ID != a.Alert.ID && m.isSameID(a.Report, &rec.Alert, id) {
			return rec, ruleCarriedID
		}
	}
	for _, v := range m.foremostEntities(a) {
		n := m.nodes.Get(v.key)
		if n == nil {
			continue
		}
		for i := range n.Fingerprints {
			f := &n.Fingerprints[i]
			if !isCopy(f, &a.Alert, m.params) {
				continue
			}
			if rec := m.alertOf(f.Alert); rec != nil && rec.Alert.ID != a.Alert.ID && rec.Alert.Class == a.Alert.Class {
				return rec, ruleSameWords
			}
		}
	}
	return nil, ""
}

// isSameID reports whether an id that two alerts carry means one alert. A long id does so by itself, one of letters and
// digits within Params.MixedIDWithin. A mere number is a counter that everyone has, and needs the same title or a
// shared entity besides.
func (m *memory) isSameID(r *Report, b *alert.Alert, id string) bool {
	a, p := &r.Alert, m.params
	gap := gapBetween(a, b)
	if a.Class != b.Class && a.Class != alert.EvidenceOnly && b.Class != alert.EvidenceOnly || gap > p.CarriedWithin {
		return false
	}
	id = strings.TrimPrefix(id, "id:")
	switch {
	case len(id) >= p.LongID:
		return true
	case strings.ContainsAny(id, "0123456789") && strings.ContainsFunc(id, unicode.IsLetter):
		return gap <= p.MixedIDWithin
	case strings.EqualFold(a.Title, b.Title):
		return true
	}
	mine := strongNames(r)
	return slices.ContainsFunc(strongNames(NewReport(*b)), func(name string) bool { return slices.Contains(mine, name) })
}

// strongNames are the strong names in a report's evidence, addresses apart.
func strongNames(r *Report) []string {
	var names []string
	for _, keys := range r.names {
		for _, k := range keys {
			if k.Strong && k.Class() != "ip" {
				names = append(names, k.Text)
			}
		}
	}
	return names
}

// gapBetween is how far apart two alerts began.
func gapBetween(a, b *alert.Alert) time.Duration { return a.First.Sub(b.First).Abs() }

// isCopy reports whether an alert is likely the one with the fingerprint, told by another product: in the same words,
// of the same moment.
func isCopy(f *incident.Fingerprint, a *alert.Alert, p *Params) bool {
	return f.Reporter != a.Reporter && a.First.Sub(f.First).Abs() <= p.FoldWithin && isSameTitle(f.Words, titleWords(a.Title), p.FoldWords)
}

// isSameTitle compares titles as far as products change them when they forward one: a prefix of their own, a few words
// around it. A title within another has at least so many letters and digits.
func isSameTitle(a, b string, least int) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a != "" && (a == b || len(a) >= least && strings.Contains(b, a))
}

// titleWords are the letters and digits of a title, at most 120 bytes: what two products' spellings of it have in
// common.
func titleWords(title string) string {
	const most = 120
	words := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 0x7f:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, title)
	return words[:min(len(words), most)]
}

// foremostEntities are those by which copies are looked for: the few that are worth most.
func (m *memory) foremostEntities(a *arrival) []involved {
	out := slices.DeleteFunc(slices.Clone(a.entities), func(v involved) bool { return v.worth < m.params.FoldWorth })
	slices.SortStableFunc(out, func(a, b involved) int { return cmp.Compare(b.worth, a.worth) })
	return out[:min(len(out), m.params.FoldEntities)]
}

// indexFingerprint notes an alert on its foremost entities, for copies of it to be recognized.
func (m *memory) indexFingerprint(a *arrival) {
	fingerprint := incident.Fingerprint{
		Alert: a.Alert.ID, Reporter: a.Alert.Reporter, Words: titleWords(a.Alert.Title), First: a.Alert.First,
	}
	for _, v := range m.foremostEntities(a) {
		m.nodes.Edit(v.key).AddFingerprint(fingerprint)
	}
}

// indexIDs makes the ids that an alert carries lead to it, as far as no other was first.
func (m *memory) indexIDs(r *Report) {
	for _, id := range r.ids {
		if n := m.nodes.Get(id); n == nil || n.Alert == "" {
			m.nodes.PointID(id, r.Alert.ID, r.Alert.First, r.Alert.Last)
		}
	}
}
