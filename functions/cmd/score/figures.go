package main

import (
	"cmp"
	"slices"

	"github.com/onepane/onepane/testdata/attacks"
)

// prediction is what a system said: the incident of each alert, and which alert it holds for a copy of which.
type prediction struct {
	incident    map[string]string // alert id → incident
	duplicateOf map[string]string // alert id → canonical id
}

// figures are those of evaluation/score.py, by the same arithmetic.
type figures struct {
	Alerts, Attacks, Missing, CrossTenant int
	MB3P, MB3R, MB3                       float64 // B-cubed per attack, averaged over attacks
	Recovered, OverMerged                 float64 // shares of the attacks
	NoiseIn                               float64 // share of the noise
	DupP, DupR, Dup                       float64
	Detail                                []attackFigures // by label
}

// attackFigures is how one attack fared.
type attackFigures struct {
	Label                        string
	Alerts, Fragments            int
	Completeness, Purity, Stages float64
	Merged                       bool   // with another attack
	Best                         string // the incident that holds most of it
}

// predicted is one predicted incident: how many alerts of each label are in it.
type predicted struct {
	labels map[string]int
	order  []string // labels but noise, as they came
	noise  int
	tenant string
	mixed  bool // of tenants
}

func (h *predicted) alertCount() int {
	n := h.noise
	for _, k := range h.labels {
		n += k
	}
	return n
}

// tally is the count behind the figures.
type tally struct {
	incidents map[string]*predicted
	order     []string
	size      map[string]int             // label → alerts
	stages    map[string]map[string]bool // label → stages
	reached   map[[2]string]map[string]bool
	noise     int
	labels    []string
	dups      [][2]string
	missing   int
}

// scorePrediction computes the figures of a prediction.
func scorePrediction(facts []fact, p prediction) figures {
	t := tallyOf(facts, p)
	out := figures{Alerts: len(facts), Attacks: len(t.labels), Missing: t.missing}
	t.scoreAttacks(&out)
	for _, h := range t.incidents {
		if h.mixed {
			out.CrossTenant++
		}
	}
	out.DupP, out.DupR = scoreCopies(t.dups, p.duplicateOf)
	out.Dup = harmonicMean(out.DupP, out.DupR)
	return out
}

func tallyOf(facts []fact, p prediction) *tally {
	t := &tally{incidents: map[string]*predicted{}, size: map[string]int{}, stages: map[string]map[string]bool{}, reached: map[[2]string]map[string]bool{}}
	for _, f := range facts {
		name, ok := p.incident[f.id]
		if !ok { // an incident of its own
			name = "missing " + f.id
			t.missing++
		}
		h := t.incidents[name]
		if h == nil {
			h = &predicted{labels: map[string]int{}, tenant: f.tenant}
			t.incidents[name] = h
			t.order = append(t.order, name)
		}
		h.mixed = h.mixed || h.tenant != f.tenant
		if f.dupOf != "" {
			t.dups = append(t.dups, [2]string{f.id, f.dupOf})
		}
		switch f.incident {
		case attacks.IsUnknown:
		case attacks.IsNoise:
			t.noise++
			h.noise++
		default:
			t.addAttackAlert(f, name, h)
		}
	}
	return t
}

func (t *tally) addAttackAlert(f fact, name string, h *predicted) {
	if t.size[f.incident]++; t.size[f.incident] == 1 {
		t.labels = append(t.labels, f.incident)
		t.stages[f.incident] = map[string]bool{}
	}
	if h.labels[f.incident]++; h.labels[f.incident] == 1 {
		h.order = append(h.order, f.incident)
		t.reached[[2]string{f.incident, name}] = map[string]bool{}
	}
	t.stages[f.incident][cmp.Or(f.stage, "-")] = true
	t.reached[[2]string{f.incident, name}][cmp.Or(f.stage, "-")] = true
}

// scoreAttacks fills in what concerns attacks and the noise among them.
func (t *tally) scoreAttacks(out *figures) {
	best := map[string]*attackFigures{}
	size := map[string][2]int{}
	recovered, merged := map[string]bool{}, map[string]bool{}
	swallowed, p, r := 0, 0.0, 0.0
	for _, name := range t.order {
		h := t.incidents[name]
		m := h.alertCount()
		if len(h.order) > 0 {
			swallowed += h.noise
		}
		for _, l := range h.order {
			n, all := h.labels[l], t.size[l]
			p += float64(n) * float64(n) / float64(m) / float64(all)
			r += float64(n) * float64(n) / float64(all) / float64(all)
			if best[l] == nil {
				best[l] = &attackFigures{Label: l, Alerts: all}
			}
			best[l].Fragments++
			if s := size[l]; n > s[0] || n == s[0] && m < s[1] {
				size[l], best[l].Best = [2]int{n, m}, name
			}
			recovered[l] = recovered[l] || float64(n) >= 0.8*float64(all) && float64(n) >= 0.8*float64(m)
			merged[l] = merged[l] || len(h.order) > 1
		}
	}
	n := float64(len(t.labels))
	out.MB3P, out.MB3R = ratioOr(p, n, 1), ratioOr(r, n, 1)
	out.MB3 = harmonicMean(out.MB3P, out.MB3R)
	out.NoiseIn = ratioOr(float64(swallowed), float64(t.noise), 0)
	for _, l := range t.labels {
		d := best[l]
		d.Completeness, d.Purity, d.Merged = float64(size[l][0])/float64(t.size[l]), float64(size[l][0])/float64(size[l][1]), merged[l]
		d.Stages = float64(len(t.reached[[2]string{l, d.Best}])) / float64(len(t.stages[l]))
		out.Recovered += ratioOr(oneIf(recovered[l]), n, 1)
		out.OverMerged += ratioOr(oneIf(merged[l]), n, 0)
		out.Detail = append(out.Detail, *d)
	}
	slices.SortFunc(out.Detail, func(a, b attackFigures) int { return cmp.Compare(a.Label, b.Label) })
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func ratioOr(a, b, empty float64) float64 {
	if b == 0 {
		return empty
	}
	return a / b
}

func harmonicMean(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}
