package incident

import (
	"fmt"
	"os"
	"strings"

	"github.com/onepane/onepane/shared/alert"
)

func init() {
	want := os.Getenv("TRACE")
	if want == "" {
		return
	}
	Trace = func(a alert.Alert, found []candidate, ties []tie, s *State) {
		if !strings.Contains(","+want+",", ","+a.Extra["sender_id"]+",") {
			return
		}
		fmt.Fprintln(os.Stderr, "TRACE", a.Extra["sender_id"], a.First.Format("01-02 15:04"), kindOf(a), a.Severity, a.Tactics)
		for _, t := range ties {
			n := s.nodes[t.key]
			if n == nil {
				fmt.Fprintf(os.Stderr, "   tie %s w=%.2f sur=%.3f new\n", t.key, t.weight, t.surprise)
				continue
			}
			fmt.Fprintf(os.Stderr, "   tie %s w=%.2f sur=%.3f n=%d chance=%.2g company=%d kindN=%v total=%d\n", t.key, t.weight, t.surprise, n.Alerts, s.chance(a, t.key, nil), len(n.Company), s.nodes[kindNode(kindOf(a))], s.nodes[tenantNode].Alerts)
			for _, touch := range n.Touches {
				inc := s.incident(touch.Incident)
				if inc == nil {
					continue
				}
				ap := gap(a.First, touch.First, touch.Last)
				d := s.drive(touch, ap, a)
				fmt.Fprintf(os.Stderr, "       touch inc=%s alerts=%d credit=%.3f gap=%v drive=%.2g chance=%.2g open=%v\n", inc.ID, touch.Alerts, touch.Credit, ap, d, s.chance(a, t.key, inc), inc.open())
			}
		}
		for _, c := range found {
			fmt.Fprintf(os.Stderr, "   cand %s score=%.2f %v\n", c.incident.ID, c.score, c.reasons)
		}
	}
}
