package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/onepane/onepane/testdata/attacks"
)

// listAttacks lists each attack of a scenario with what is not where most of it is, and what is there and should not
// be.
func listAttacks(w io.Writer, s attacks.Scenario, p prediction) {
	alerts := map[string]attacks.Labelled{}
	members := map[string][]attacks.Labelled{}
	var ids []string
	for _, a := range s.Alerts {
		if _, again := alerts[a.Alert.ID]; !again {
			alerts[a.Alert.ID] = a
			ids = append(ids, a.Alert.ID)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return alerts[a].Alert.Time.Compare(alerts[b].Alert.Time) })
	for _, id := range ids {
		members[p.incident[id]] = append(members[p.incident[id]], alerts[id])
	}
	for _, d := range scorePrediction(truthOf(s), p).Detail {
		fmt.Fprintf(w, "\n%-40s %3d alerts  complete %.2f  pure %.2f  stages %.2f  in %d incidents%s  main %s\n",
			d.Label, d.Alerts, d.Completeness, d.Purity, d.Stages, d.Fragments, map[bool]string{true: "  MERGED WITH ANOTHER"}[d.Merged], d.Best)
		if d.Completeness < 1 {
			listLost(w, d, ids, alerts, p, members)
		}
		listIntruders(w, d, members[d.Best])
	}
}

// maxListed is how many alerts of a sort are listed for an attack.
const maxListed = 12

// listLost lists the alerts of an attack outside its main incident.
func listLost(w io.Writer, d attackFigures, ids []string, alerts map[string]attacks.Labelled, p prediction, members map[string][]attacks.Labelled) {
	n := 0
	for _, id := range ids {
		a := alerts[id]
		if a.Label.Incident != d.Label || p.incident[id] == d.Best {
			continue
		}
		if n++; n <= maxListed {
			fmt.Fprintf(w, "  lost  %s  (incident %s of %d)\n", alertLine(a), p.incident[id], len(members[p.incident[id]]))
		}
	}
	printRest(w, n)
}

// listIntruders lists what is in an attack's main incident and belongs elsewhere.
func listIntruders(w io.Writer, d attackFigures, in []attacks.Labelled) {
	n := 0
	for _, a := range in {
		if a.Label.Incident == d.Label || a.Label.Incident == attacks.IsUnknown {
			continue
		}
		if n++; n <= maxListed {
			fmt.Fprintf(w, "  wrong %s  is %s\n", alertLine(a), a.Label.Incident)
		}
	}
	printRest(w, n)
}

func printRest(w io.Writer, n int) {
	if n > maxListed {
		fmt.Fprintf(w, "  … and %d more\n", n-maxListed)
	}
}

// alertLine describes an alert in one line.
func alertLine(a attacks.Labelled) string {
	out := fmt.Sprintf("%s %s %-10s %s %q", a.Alert.ID, a.Alert.Time.Format("01-02 15:04:05"), a.Label.Stage, a.Alert.Source, a.Alert.Type+"|"+a.Alert.Title)
	if a.Label.DupOf != "" {
		out += " copy of " + a.Label.DupOf
	}
	for _, e := range a.Alert.Entities {
		out += " " + e.Kind + "=" + e.Value
	}
	return out
}
