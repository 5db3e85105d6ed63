package main

import (
	"fmt"
	"io"

	"github.com/onepane/onepane/testdata/attacks"
)

// listCopyMistakes lists the copies that were not recognized, and the alerts wrongly taken for copies.
func listCopyMistakes(w io.Writer, s attacks.Scenario, p prediction) {
	alerts := map[string]attacks.Labelled{}
	var ids []string
	for _, a := range s.Alerts {
		if _, again := alerts[a.Alert.ID]; !again {
			alerts[a.Alert.ID] = a
			ids = append(ids, a.Alert.ID)
		}
	}
	root := func(id string) string {
		if c := p.duplicateOf[id]; c != "" {
			return c
		}
		return id
	}
	for _, id := range ids {
		a := alerts[id]
		if o := a.Label.DupOf; o != "" && root(id) != root(o) {
			fmt.Fprintf(w, "  missed copy %s\n           of %s\n", lineWithProviderID(a), lineWithProviderID(alerts[o]))
		}
		if c, said := p.duplicateOf[id]; said && !isSameEvent(a, alerts[c]) {
			fmt.Fprintf(w, "  no copy     %s\n          but %s\n", lineWithProviderID(a), lineWithProviderID(alerts[c]))
		}
	}
}

// isSameEvent reports whether two alerts tell one event.
func isSameEvent(a, b attacks.Labelled) bool {
	origin := func(x attacks.Labelled) string {
		if x.Label.DupOf != "" {
			return x.Label.DupOf
		}
		return x.Alert.ID
	}
	return origin(a) == origin(b)
}

func lineWithProviderID(a attacks.Labelled) string {
	out := alertLine(a)
	if a.Alert.ProviderID != "" {
		out += " provider_id=" + a.Alert.ProviderID
	}
	return out
}
