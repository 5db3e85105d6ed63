package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// Outcome is what one run made of its alerts, without the memory it took: what Diff compares.
type Outcome struct {
	of        []string // the incident of each distinct alert given, in order; "" for exposures
	ids       []string // the sender's ids
	incidents map[string]Side
	Folded    int // alerts that were taken for copies
}

// Side is an incident in one of two runs. Its id means nothing in the other.
type Side struct {
	ID     string    `json:"id"` // tenant and incident
	Name   string    `json:"name"`
	Alerts int       `json:"alerts"` // distinct alerts given, copies counted
	First  time.Time `json:"first"`
	// Gained and Lost compare it with its counterpart, the incident of the other run that has most of its alerts and
	// the other way round: how many alerts came and went. Of an incident without a counterpart all alerts came, or
	// went.
	Gained int `json:"gained"`
	Lost   int `json:"lost"`
}

// Kind is how incidents changed from one run to the other.
type Kind string

// The kinds of change.
const (
	Split     Kind = "split"     // one became several
	Merged    Kind = "merged"    // several became one
	Regrouped Kind = "regrouped" // alerts went from one to another
)

// Change is a set of incidents that hold the same alerts in both runs, differently grouped.
type Change struct {
	Kind   Kind   `json:"kind"`
	Before []Side `json:"before"` // the largest first
	After  []Side `json:"after"`
	Moves  []Move `json:"moves"` // which part of what became part of what; the largest first
}

// Move is the alerts that an incident before and one after have in common.
type Move struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Alerts   int      `json:"alerts"`
	Examples []string `json:"examples"` // the senders' ids of the first few
}

// maxExamples is how many alerts a move names.
const maxExamples = 3

// Outcome gives what the run made of its alerts so far.
func (r *Replay) Outcome() Outcome {
	o := Outcome{incidents: map[string]Side{}}
	for a := range r.Assignments() {
		o.ids, o.of = append(o.ids, a.AlertID), append(o.of, a.Incident)
		if a.Canonical != "" {
			o.Folded++
		}
		if a.Incident != "" {
			s := o.incidents[a.Incident]
			s.ID, s.Alerts = a.Incident, s.Alerts+1
			o.incidents[a.Incident] = s
		}
	}
	for _, i := range r.Incidents() {
		id := i.Tenant + "/" + i.ID
		if s, ok := o.incidents[id]; ok {
			s.Name, s.First = i.Name, i.First
			o.incidents[id] = s
		}
	}
	return o
}

// Incidents is how many there are.
func (o Outcome) Incidents() int { return len(o.incidents) }

// Diff tells which incidents differ between two runs over the same alerts, what moves most alerts first. Runs over
// other alerts are fault.Invalid.
func Diff(before, after Outcome) ([]Change, error) {
	if !slices.Equal(before.ids, after.ids) {
		return nil, fault.Errorf(fault.Invalid, "the two runs read different alerts: %d and %d", len(before.ids), len(after.ids))
	}
	flows := map[[2]string]*Move{}
	groups := disjointSets{}
	for n, id := range before.ids {
		from, to := before.of[n], after.of[n]
		if from == "" || to == "" {
			continue
		}
		m := flows[[2]string{from, to}]
		if m == nil {
			m = &Move{From: from, To: to}
			flows[[2]string{from, to}] = m
			groups.uniteSets("<"+from, ">"+to)
		}
		if m.Alerts++; len(m.Examples) < maxExamples {
			m.Examples = append(m.Examples, id)
		}
	}
	byGroup := map[string][]Move{}
	for _, m := range flows {
		g := groups.rootOf("<" + m.From)
		byGroup[g] = append(byGroup[g], *m)
	}
	var out []Change
	for _, moves := range byGroup {
		if len(moves) > 1 { // a group of one move is an incident that stayed as it was
			out = append(out, changeOf(moves, before, after))
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.countMoved(), a.countMoved()), a.Before[0].First.Compare(b.Before[0].First), cmp.Compare(a.Before[0].ID, b.Before[0].ID))
	})
	return out, nil
}

// countMoved is how many alerts change place, taking the counterparts as the same incident.
func (c Change) countMoved() int {
	n := 0
	for _, s := range c.After {
		n += s.Gained
	}
	return n
}

// changeOf tells one group of incidents by the moves between them.
func changeOf(moves []Move, before, after Outcome) Change {
	slices.SortFunc(moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	c := Change{Kind: Regrouped, Moves: moves}
	kept := map[string]int{} // alerts that stayed with the counterpart: each pair is found by its largest move
	met := map[string]bool{}
	for _, m := range moves {
		from, to := "<"+m.From, ">"+m.To
		if !met[from] && !met[to] {
			kept[from], kept[to] = m.Alerts, m.Alerts
		}
		if !met[from] {
			c.Before = append(c.Before, before.incidents[m.From])
		}
		if !met[to] {
			c.After = append(c.After, after.incidents[m.To])
		}
		met[from], met[to] = true, true
	}
	for i := range c.Before {
		c.Before[i].Lost = c.Before[i].Alerts - kept["<"+c.Before[i].ID]
	}
	for i := range c.After {
		c.After[i].Gained = c.After[i].Alerts - kept[">"+c.After[i].ID]
	}
	switch {
	case len(c.Before) == 1:
		c.Kind = Split
	case len(c.After) == 1:
		c.Kind = Merged
	}
	bySize := func(a, b Side) int { return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(c.Before, bySize)
	slices.SortFunc(c.After, bySize)
	return c
}

// disjointSets is sets of names that were joined.
type disjointSets map[string]string

func (f disjointSets) rootOf(name string) string {
	for f[name] != "" && f[name] != name {
		f[name] = cmp.Or(f[f[name]], f[name]) // halves the way for the next who asks
		name = f[name]
	}
	return name
}

func (f disjointSets) uniteSets(a, b string) {
	if a, b = f.rootOf(a), f.rootOf(b); a != b {
		f[a] = b
	}
}
