package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// noisy is a tenant that has been watched for days, in which hosts are noisy now and then.
func noisy(t *testing.T) *world {
	w := newWorld(t)
	for i := range 1500 {
		w.see(told(fmt.Sprint("noise-", i), float64(5*i-7500), fmt.Sprint("noise-kind-", i%12), fmt.Sprintf("host=srv-%d", i%250)))
	}
	return w
}

// An intruder on one server goes on to the next after half a day. The step itself could be chance, until what follows on the
// second server shows that it was none.
func TestHindsight(t *testing.T) {
	w := noisy(t)
	first, alerts := w.attack("web-03.contoso.example")
	step := w.see(told("step", 900, "explicit credentials", "host=db-01.contoso.example", "context:host=web-03.contoso.example"))
	if step.Incident == first {
		t.Fatal("the step joins at once: there is nothing to see in hindsight")
	}
	var last Outcome
	for i, kind := range []string{"memory read", "database dump", "archive staged", "large transfer"} {
		a := told(kind, 905+float64(20*i), kind, "host=db-01.contoso.example", "ip=203.0.113.77")
		a.Severity = alert.High
		last = w.see(a)
	}
	if got := w.incidentOf(step.AlertID); got != w.incidentOf(alerts[0]) || got != last.Incident {
		t.Fatalf("the servers' alerts are in %s and %s", got, w.incidentOf(alerts[0]))
	}
	inc := w.s.incidents[last.Incident]
	why := inc.Mergers[len(inc.Mergers)-1]
	if why.Alert != step.AlertID || why.Because.Entity != "host:web-03.contoso.example" || why.Because.Weight < w.s.tune.Hindsight {
		t.Errorf("the merge is explained by %+v", why)
	}
}

// What stays a single mild alert stays apart: nothing showed that it was more than chance.
func TestHindsightNeedsMore(t *testing.T) {
	w := noisy(t)
	first, _ := w.attack("web-03.contoso.example")
	step := w.see(told("step", 900, "explicit credentials", "host=db-01.contoso.example", "context:host=web-03.contoso.example"))
	again := w.see(told("again", 990, "explicit credentials", "host=db-01.contoso.example"))
	if step.Incident == first || w.incidentOf(again.AlertID) == first {
		t.Error("an alert that chance explains was merged into an attack")
	}
}

// What may not be merged keeps its own clues: nothing of it has changed.
func TestHindsightLeavesWhatIsHeldAlone(t *testing.T) {
	s := NewState("contoso", nil)
	inc := &Incident{ID: "2", Tenant: "contoso", Status: Active, Suspicion: 1, Work: Work{AssignedTo: "dora"}, DeferredLinks: []DeferredLink{{Incident: "1", Worth: 0.9, AttackRate: 1, UnknownAttackRate: 1e-6, Suspicion: 1}}}
	other := &Incident{ID: "1", Tenant: "contoso", Status: Active, Suspicion: 1, Work: Work{AssignedTo: "eve"}, DeferredLinks: []DeferredLink{{Incident: "0"}}}
	s.incidents["1"], s.incidents["2"] = other, inc
	if got := s.hindsight(inc, &Outcome{}, t0); got != inc || len(other.DeferredLinks) != 1 || other.RedirectTo != "" {
		t.Errorf("%+v", other)
	}
	inc.AssignedTo = ""
	if got := s.hindsight(inc, &Outcome{}, t0); got.ID != "1" || inc.RedirectTo != "1" {
		t.Errorf("free to merge, and is not: %+v", got)
	}
}

func TestClueWeighs(t *testing.T) {
	tune := Default()
	c := DeferredLink{Worth: 0.9, AttackRate: 5e-5, BaseRate: 5e-4, UnknownAttackRate: 2e-6, Suspicion: 0.9, SuspicionBefore: 0.2}
	if early, late := c.weight(0.2, 1, tune), c.weight(0.99, 1, tune); early > 0.1 || late < tune.Hindsight {
		t.Errorf("%v when it opened, %v once it is an attack", early, late)
	}
	c.Suspicion = 0 // the other incident did nothing telling there, but is an attack elsewhere
	if doubtful, sure := c.weight(0.999, 0.01, tune), c.weight(0.999, 0.9, tune); doubtful > 0.3 || sure < tune.Hindsight {
		t.Errorf("%v beside a doubtful incident, %v beside an attack", doubtful, sure)
	}
}

// A decision reads what the clues of an incident lead to, and so asks for it.
func TestMissingFollowsClues(t *testing.T) {
	s := NewState("contoso", nil)
	r := []*Report{NewReport(told("next", 10, "scan", "host=db-01"))}
	refs := s.Missing(r)
	s.Put(Loaded{Nodes: []Node{{Key: "host:db-01", Activities: []Activity{{Incident: "20001"}}}}}, refs)
	s.Put(Loaded{Incidents: []Incident{{ID: "20001", Status: Active, DeferredLinks: []DeferredLink{{Incident: "10001"}}}}}, s.Missing(r))
	s.Put(Loaded{Incidents: []Incident{{ID: "10001", Status: Redirected, RedirectTo: "30001"}}}, s.Missing(r))
	if refs := s.Missing(r); len(refs.Incidents) != 1 || refs.Incidents[0] != "30001" {
		t.Errorf("missing %v, want what the incident of the clue was merged into", refs.Incidents)
	}
}

// A flood of one kind within minutes says no more than its first alert: an incident does not grow credible by repeating itself.
func TestFloodGainsNoCredit(t *testing.T) {
	credit := func(n int) (onThing, whole float64) {
		w := newWorld(t)
		var o Outcome
		for i := range n {
			o = w.see(told(fmt.Sprint("flood-", i), float64(i)/10, "flood", "host=srv-1", "ip=10.0.0.7"))
		}
		inc := w.s.incidents[o.Incident]
		return w.s.touchOf(w.s.nodes["ip:10.0.0.7"], inc).Suspicion, inc.Suspicion
	}
	one, oneWhole := credit(1)
	if many, whole := credit(40); many > one+0.001 || whole > oneWhole+0.001 {
		t.Errorf("forty alerts of a flood give %v and %v, its first %v and %v", many, whole, one, oneWhole)
	}
}

// Two things at one moment on a machine belong together; on an address that everyone has, or to one of many who were named, they
// need not.
func TestTogether(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.see(told(fmt.Sprint("s-", i), float64(60*i), "sign-in", fmt.Sprintf("user=u%d@contoso.example", i%9), "ip=198.51.100.1"))
	}
	v := w.s.arrive(NewReport(told("x-0001", 2500, "sign-in", "user=u1@contoso.example", "ip=198.51.100.1", "host=srv-1")))
	w.s.weigh(v)
	together := func(i int, vague float64) float64 {
		return w.s.together(v, &v.ties[i], nil, &Activity{Dilution: vague}, nil, time.Second)
	}
	user, address, machine := together(0, 0), together(1, 0), together(2, 0)
	if address > machine/10 || user > machine/10 {
		t.Errorf("user %v, address %v, machine %v: want the machine's far larger", user, address, machine)
	}
	if one := together(2, 0.75); one > machine/3 {
		t.Errorf("one of many has %v, the only one %v", one, machine)
	}
}
