package incident

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// tie is one entity of an alert, resolved to the name the tenant knows it by.
type tie struct {
	key      string // the canonical node key
	display  string // as the alert names it
	class    string
	weight   float64 // what sharing it is worth, before time
	machine  bool    // a host, instance or container: what background is counted on
	endless  bool    // an indicator: see there
	credit   float64 // how much the alert looks like part of an attack, as far as the entity may vouch for it
	began    bool    // an episode of the alert's kind began here
	evidence int     // index into the alert's evidence
}

// arrival is a report with its evidence resolved: what a decision looks at.
type arrival struct {
	*Report
	ties []tie
	// strange says that it names an indicator (a file, a domain, a public address) that the tenant has hardly heard of.
	strange bool
	// plain says that it names indicators, and none of them is strange.
	plain  bool
	odds   odds
	credit float64 // how much it looks like part of an attack
	clues  []DeferredLink
}

// arrive finds what a report's evidence is, learning names on the way: two strong names in one piece of evidence are one thing
// from then on; a lent name stands for the thing it was last seen with, while that is beyond doubt.
func (s *State) arrive(r *Report) *arrival {
	v := &arrival{Report: r, ties: make([]tie, 0, len(r.names))}
	s.introduce(r)
	for i, names := range r.names {
		if len(names) == 0 {
			continue
		}
		e := r.Alert.Evidence[i]
		key, weak := s.thing(e.Kind, names, r.Alert.First)
		if slices.ContainsFunc(v.ties, func(t tie) bool { return t.key == key }) {
			continue
		}
		t := tie{key: key, display: shown(e), evidence: i}
		t.class, _, _ = strings.Cut(key, ":")
		t.machine = t.class == "machine" || t.class == "host" || t.class == "container" || t.class == "pod"
		t.endless = indicator(key)
		t.weight = s.worth(t, e, weak)
		v.ties = append(v.ties, t)
	}
	v.strange = s.strange(v.ties, r.Alert.First)
	v.plain = !v.strange && slices.ContainsFunc(v.ties, func(t tie) bool { return t.endless })
	return v
}

// anew makes an arrival count, wherever a person puts it, like the first of its kind there.
func (v *arrival) anew() {
	for i := range v.ties {
		v.ties[i].began = true
	}
}

// shown is a thing as the alert names it.
func shown(e alert.Evidence) string {
	if e.Name != "" {
		return e.Name
	}
	return e.Value
}

// strange reports whether there is an indicator among the ties that was hardly heard of before.
func (s *State) strange(ties []tie, at time.Time) bool {
	const seldom, lately = 3, 72 * time.Hour
	return slices.ContainsFunc(ties, func(t tie) bool {
		n := s.nodes[t.key]
		return t.endless && (n == nil || n.Episodes <= seldom && gap(at, n.First, n.First) <= lately)
	})
}

// indicator reports whether a key is of a thing of which there are endless many, so that hearing of it again means something.
func indicator(key string) bool {
	class, value, _ := strings.Cut(key, ":")
	switch class {
	case "file", "domain", "url", "session":
		return true
	case "ip":
		a, err := netip.ParseAddr(value)
		return err == nil && !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsLoopback()
	}
	return false
}

// worth is what sharing a thing says about belonging together, before time: less for a name that is weak, common,
// or shared by many.
func (s *State) worth(t tie, e alert.Evidence, weak bool) float64 {
	w, ok := s.tune.Weights[t.class]
	if !ok {
		w = s.tune.Weights["other"]
	}
	switch e.Role {
	case alert.Attacker:
		w *= s.tune.Attacker
	case alert.Victim:
		w *= s.tune.Victim
	case alert.Context:
		if !t.machine {
			w *= s.tune.Context
		}
	}
	if weak {
		w *= s.tune.Weak
		if t.class == "user" {
			w *= 0.75 // a bare account name may be two people's
		}
		if t.class == "ip" {
			w *= s.private(t.key)
		}
	}
	if common[t.key] {
		w = s.tune.Common
	}
	if n := s.nodes[t.key]; n != nil && !t.machine {
		crowd := float64(len(n.CoOccurring)) / s.tune.Company
		w /= 1 + crowd*crowd
	}
	return min(w, 0.98)
}

// private scales the weight of an address that only means something inside one network.
func (s *State) private(key string) float64 {
	a, err := netip.ParseAddr(strings.TrimPrefix(key, "ip:"))
	if err == nil && a.IsLinkLocalUnicast() {
		return 0
	}
	return 0.8
}
