package correlation

import (
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// Whichever comes first, the exposure is context of the incident on its thing; it links nothing and ends when it is
// resolved.
func TestExposuresAreContext(t *testing.T) {
	for _, exposureFirst := range []bool{true, false} {
		w := newWorld(t)
		weak := alertFrom("weak-0001", -60*24*3, "public port", "resource=arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234")
		weak.Class, weak.Severity = alert.Exposure, alert.High
		hit := alertFrom("hit-0001", 0, "miner", "host=ip-10-0-0-9.eu-west-1.compute.internal", "resource=i-0abc1234")
		other := alertFrom("hit-0002", 1, "scan", "host=elsewhere")
		var o Outcome
		if exposureFirst {
			w.applyAlert(weak)
			o = w.applyAlert(hit)
		} else {
			o = w.applyAlert(hit)
			w.applyAlert(weak)
		}
		x := w.applyAlert(other)
		inc := w.e.incidents.Get(o.Incident)
		want := incident.OpenExposure{ID: weak.ID, Asset: "machine:i-0abc1234", Severity: alert.High}
		if len(inc.Exposures) != 1 || inc.Exposures[0] != want {
			t.Fatalf("exposure first %v: exposures %+v", exposureFirst, inc.Exposures)
		}
		if w.e.alerts.Get(weak.ID).Incident != "" || len(w.e.incidents.Get(x.Incident).Exposures) != 0 {
			t.Errorf("exposure first %v: it is context of its thing only", exposureFirst)
		}
		weak.Status, weak.Updated = alert.StatusResolved, weak.Updated.Add(60*24*7*60e9)
		w.applyAlert(weak)
		if n := len(w.e.incidents.Get(o.Incident).Exposures); n != 0 {
			t.Errorf("exposure first %v: %d left after it was resolved", exposureFirst, n)
		}
		if later := w.applyAlert(alertFrom("hit-0003", 2, "scan", "resource=i-0abc1234")); len(w.e.incidents.Get(later.Incident).Exposures) != 0 {
			t.Error("a resolved exposure came back")
		}
	}
}
