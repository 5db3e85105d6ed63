package main

import (
	"fmt"
	"io"

	"github.com/onepane/onepane/testdata/attacks"
)

// copies lists the copies that were not recognized, and the alerts held for copies that are none.
func copies(w io.Writer, s attacks.Scenario, p prediction) {
	alerts := map[string]attacks.Labelled{}
	var ids []string
	for _, a := range s.Alerts {
		if _, again := alerts[a.Alert.ID]; !again {
			alerts[a.Alert.ID] = a
			ids = append(ids, a.Alert.ID)
		}
	}
	root := func(id string) string {
		if c := p.copies[id]; c != "" {
			return c
		}
		return id
	}
	for _, id := range ids {
		a := alerts[id]
		if o := a.Label.DupOf; o != "" && root(id) != root(o) {
			fmt.Fprintf(w, "  missed copy %s\n           of %s\n", told(a), told(alerts[o]))
		}
		if c, said := p.copies[id]; said && !same(a, alerts[c]) {
			fmt.Fprintf(w, "  no copy     %s\n          but %s\n", told(a), told(alerts[c]))
		}
	}
}

// same reports whether two alerts tell one event.
func same(a, b attacks.Labelled) bool {
	origin := func(x attacks.Labelled) string {
		if x.Label.DupOf != "" {
			return x.Label.DupOf
		}
		return x.Alert.ID
	}
	return origin(a) == origin(b)
}

func told(a attacks.Labelled) string {
	out := line(a)
	if a.Alert.ProviderID != "" {
		out += " provider_id=" + a.Alert.ProviderID
	}
	return out
}
