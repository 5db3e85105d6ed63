package correlation

import (
	"fmt"
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
)

// noisyTenant is a tenant that has been watched for days, in which hosts are noisy now and then.
func noisyTenant(t *testing.T) *world {
	w := newWorld(t)
	for i := range 1500 {
		w.applyAlert(alertFrom(fmt.Sprint("noise-", i), float64(5*i-7500), fmt.Sprint("noise-kind-", i%12), fmt.Sprintf("host=srv-%d", i%250)))
	}
	return w
}

// An intruder on one server goes on to the next after half a day. The step itself could be chance, until what follows
// on the second server shows that it was none.
func TestHindsight(t *testing.T) {
	w := noisyTenant(t)
	first, alerts := w.openAttack("web-03.contoso.example")
	step := w.applyAlert(alertFrom("step", 900, "explicit credentials", "host=db-01.contoso.example", "context:host=web-03.contoso.example"))
	if step.Incident == first {
		t.Fatal("the step joins at once: there is nothing to see in hindsight")
	}
	var last Outcome
	for i, kind := range []string{"memory read", "database dump", "archive staged", "large transfer"} {
		a := alertFrom(kind, 905+float64(20*i), kind, "host=db-01.contoso.example", "ip=203.0.113.77")
		a.Severity = alert.High
		last = w.applyAlert(a)
	}
	if got := w.incidentOf(step.AlertID); got != w.incidentOf(alerts[0]) || got != last.Incident {
		t.Fatalf("the servers' alerts are in %s and %s", got, w.incidentOf(alerts[0]))
	}
	inc := w.e.incidents.Get(last.Incident)
	why := inc.Mergers[len(inc.Mergers)-1]
	if why.Alert != step.AlertID || why.Because.Entity != "host:web-03.contoso.example" || why.Because.Weight < w.e.params.Hindsight {
		t.Errorf("the merge is explained by %+v", why)
	}
}

// What stays a single mild alert stays apart: nothing showed that it was more than chance.
func TestHindsightNeedsMore(t *testing.T) {
	w := noisyTenant(t)
	first, _ := w.openAttack("web-03.contoso.example")
	step := w.applyAlert(alertFrom("step", 900, "explicit credentials", "host=db-01.contoso.example", "context:host=web-03.contoso.example"))
	again := w.applyAlert(alertFrom("again", 990, "explicit credentials", "host=db-01.contoso.example"))
	if step.Incident == first || w.incidentOf(again.AlertID) == first {
		t.Error("an alert that chance explains was merged into an attack")
	}
}

// What may not be merged keeps its own deferred links: nothing of it has changed.
func TestHindsightLeavesWhatIsHeldAlone(t *testing.T) {
	s := NewEngine("contoso", nil)
	inc := &incident.Incident{ID: "2", Tenant: "contoso", Status: incident.Active, Suspicion: 1, Work: incident.Work{AssignedTo: "dora"}, DeferredLinks: []incident.DeferredLink{{Incident: "1", Worth: 0.9, AttackRate: 1, UnknownAttackRate: 1e-6, Suspicion: 1}}}
	other := &incident.Incident{ID: "1", Tenant: "contoso", Status: incident.Active, Suspicion: 1, Work: incident.Work{AssignedTo: "eve"}, DeferredLinks: []incident.DeferredLink{{Incident: "0"}}}
	s.incidents.Change("1", other)
	s.incidents.Change("2", inc)
	if got := s.revisitDeferredLinks(inc, &Outcome{}, t0); got != inc || len(other.DeferredLinks) != 1 || other.RedirectTo != "" {
		t.Errorf("%+v", other)
	}
	inc.AssignedTo = ""
	if got := s.revisitDeferredLinks(inc, &Outcome{}, t0); got.ID != "1" || inc.RedirectTo != "1" {
		t.Errorf("free to merge, and is not: %+v", got)
	}
}

// A decision reads where the deferred links of an incident lead, and so asks for it.
func TestMissingFollowsClues(t *testing.T) {
	s := NewEngine("contoso", nil)
	r := []*Report{NewReport(alertFrom("next", 10, "scan", "host=db-01"))}
	refs := s.Missing(r)
	s.Put(incident.Loaded{Nodes: []incident.Node{{Key: "host:db-01", Activities: []incident.Activity{{Incident: "20001"}}}}}, refs)
	s.Put(incident.Loaded{Incidents: []incident.Incident{{ID: "20001", Status: incident.Active, DeferredLinks: []incident.DeferredLink{{Incident: "10001"}}}}}, s.Missing(r))
	s.Put(incident.Loaded{Incidents: []incident.Incident{{ID: "10001", Status: incident.Redirected, RedirectTo: "30001"}}}, s.Missing(r))
	if refs := s.Missing(r); len(refs.Incidents) != 1 || refs.Incidents[0] != "30001" {
		t.Errorf("missing %v, want what the incident of the clue was merged into", refs.Incidents)
	}
}

// A flood of one kind within minutes says no more than its first alert: an incident does not grow credible by repeating
// itself.
func TestFloodGainsNoCredit(t *testing.T) {
	credit := func(n int) (onThing, whole float64) {
		w := newWorld(t)
		var o Outcome
		for i := range n {
			o = w.applyAlert(alertFrom(fmt.Sprint("flood-", i), float64(i)/10, "flood", "host=srv-1", "ip=10.0.0.7"))
		}
		inc := w.e.incidents.Get(o.Incident)
		return w.e.activityOf(inc, w.e.nodes.Get("ip:10.0.0.7")).Suspicion, inc.Suspicion
	}
	one, oneWhole := credit(1)
	if many, whole := credit(40); many > one+0.001 || whole > oneWhole+0.001 {
		t.Errorf("forty alerts of a flood give %v and %v, its first %v and %v", many, whole, one, oneWhole)
	}
}
