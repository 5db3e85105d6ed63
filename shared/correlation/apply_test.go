package correlation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

var t0 = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// world applies alerts the way a host does, with everything in memory.
type world struct {
	t    *testing.T
	e    *Engine
	seen []string // ids of the alerts, in order
}

func newWorld(t *testing.T) *world { return &world{t: t, e: NewEngine("contoso", nil)} }

// applyAlert applies one alert and returns what became of it.
func (w *world) applyAlert(a alert.Alert) Outcome {
	w.t.Helper()
	r := []*Report{NewReport(a)}
	for refs := w.e.Missing(r); !refs.Empty(); refs = w.e.Missing(r) {
		w.e.Put(incident.Loaded{}, refs)
	}
	out := w.e.Apply(r[0], 0, a.Delivered)
	if out.New {
		w.seen = append(w.seen, a.ID)
	}
	return out
}

// incidentOf is where an alert is now, redirects followed.
func (w *world) incidentOf(id string) string {
	m := w.e.alerts.Get(id)
	if m == nil {
		w.t.Fatalf("no alert %s", id)
	}
	if m.FoldedInto != "" {
		m = w.e.alerts.Get(m.FoldedInto)
	}
	return w.e.survivorOf(m.Incident).ID
}

// alertFrom makes an alert from an id, minutes after t0, and evidence written "kind=value" or "role:kind=value".
func alertFrom(id string, minute float64, kind string, evidence ...string) alert.Alert {
	at := t0.Add(time.Duration(minute * float64(time.Minute)))
	a := alert.Alert{
		Tenant: "contoso", Origin: alert.Origin{Provider: "edr", ID: id}, Reporter: "edr", ReportID: id,
		Type: kind, Title: kind, Severity: alert.Medium, Status: alert.StatusNew, First: at, Last: at, Updated: at, Delivered: at,
	}
	for _, e := range evidence {
		role := ""
		if r, rest, ok := strings.Cut(e, ":"); ok && !strings.Contains(r, "=") {
			role, e = r, rest
		}
		k, v, _ := strings.Cut(e, "=")
		a.Evidence = append(a.Evidence, alert.Evidence{Entity: entity.Entity{Kind: entity.Kind(k), Value: v}, Role: alert.Role(role)})
	}
	a.ID = alert.MakeID(a.Tenant, a.Origin)
	return a
}

func withTactic(a alert.Alert, t attack.Tactic) alert.Alert {
	a.Tactics = []attack.Tactic{t}
	return a
}

func TestSharedMachineJoins(t *testing.T) {
	w := newWorld(t)
	first := w.applyAlert(alertFrom("a1", 0, "scan", "host=web-03.contoso.example"))
	second := w.applyAlert(alertFrom("a2", 10, "dump", "host=WEB-03.contoso.example"))
	if !first.Opened || second.Opened || second.Incident != first.Incident {
		t.Fatalf("one machine within ten minutes: %+v, %+v", first, second)
	}
	m := w.e.alerts.Get(second.AlertID)
	if len(m.Reasons) != 1 || m.Reasons[0].Alert != first.AlertID || m.Reasons[0].Entity != "host:web-03.contoso.example" || m.Reasons[0].Gap != 10*time.Minute {
		t.Errorf("reasons %+v, want the shared machine, the earlier alert and the gap", m.Reasons)
	}
}

func TestNothingSharedStaysApart(t *testing.T) {
	w := newWorld(t)
	a, b := w.applyAlert(alertFrom("a1", 0, "scan", "host=web-03")), w.applyAlert(alertFrom("a2", 1, "scan", "host=web-04"))
	if a.Incident == b.Incident {
		t.Error("two machines became one incident")
	}
}

func TestRedeliveryChangesNothing(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("a1", 0, "scan", "host=web-03")
	w.applyAlert(a)
	w.e.Take()
	a.Delivered = a.Delivered.Add(time.Hour)
	if o := w.applyAlert(a); o.New || o.Changed || !w.e.Take().Empty() {
		t.Errorf("a repeat changed something: %+v", o)
	}
}

func TestUpdateRaisesIncident(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("a1", 0, "scan", "host=web-03")
	o := w.applyAlert(a)
	a.Severity, a.Updated, a.Last = alert.High, a.Updated.Add(time.Hour), a.Last.Add(time.Hour)
	u := w.applyAlert(a)
	inc := w.e.incidents.Get(o.Incident)
	if u.New || !u.Changed || inc.Severity != alert.High || inc.Alerts != 1 || !inc.Last.Equal(a.Last) {
		t.Errorf("update %+v, incident %+v", u, inc)
	}
}

func TestCarriedIDFolds(t *testing.T) {
	w := newWorld(t)
	edr := alertFrom("detection-88410001", 0, "dump", "host=web-03")
	siem := alertFrom("siem-row-77", 5, "forwarded", "user=dora@contoso.example")
	siem.Origin.Provider, siem.Reporter = "siem", "siem"
	siem.ID = alert.MakeID(siem.Tenant, siem.Origin)
	siem.ReportID = "detection-88410001"
	a, b := w.applyAlert(edr), w.applyAlert(siem)
	if !b.Folded || b.AlertID != a.AlertID || w.e.incidents.Get(a.Incident).Alerts != 1 {
		t.Fatalf("the forwarded copy became an alert of its own: %+v", b)
	}
	m := w.e.alerts.Get(a.AlertID)
	if len(m.Alert.Sightings) != 2 || len(m.Alert.Evidence) != 2 {
		t.Errorf("sightings %v, evidence %d: want both reports in one alert", m.Alert.Sightings, len(m.Alert.Evidence))
	}
}

func TestShortEqualIDsDoNotFold(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("100234", 0, "dump", "host=web-03")
	b := alertFrom("100234", 1, "login", "user=eve@contoso.example")
	b.Origin.Provider, b.Reporter = "other", "other"
	b.ID = alert.MakeID(b.Tenant, b.Origin)
	w.applyAlert(a)
	if o := w.applyAlert(b); o.Folded {
		t.Error("two products' counters were taken for one id")
	}
}

func TestSameFindingWithoutIDFolds(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("a1-0001", 0, "Credential dump", "host=web-03.contoso.example")
	b := alertFrom("b7-0001", 1, "credential dump!", "host=web-03.contoso.example")
	b.Origin.Provider, b.Reporter = "other", "other"
	b.ID = alert.MakeID(b.Tenant, b.Origin)
	w.applyAlert(a)
	if o := w.applyAlert(b); !o.Folded {
		t.Error("one thing, one title, one minute, two products: one alert")
	}
	c := alertFrom("b7-0002", 45, "credential dump!", "host=web-03.contoso.example")
	c.Origin.Provider, c.Reporter = "other", "other"
	c.ID = alert.MakeID(c.Tenant, c.Origin)
	if o := w.applyAlert(c); o.Folded {
		t.Error("three quarters of an hour later it is another alert")
	}
}

func TestInstanceUnderThreeNames(t *testing.T) {
	w := newWorld(t)
	gd := alertFrom("gd-00001", 0, "miner")
	gd.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Resource, Value: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0f0a1b2c3d4e5f607"}.
		WithAlias(entity.Host, "ip-10-20-4-17.eu-west-1.compute.internal").WithAlias(entity.IP, "10.20.4.17")}}
	first := w.applyAlert(gd)
	for i, name := range []string{"resource=i-0f0a1b2c3d4e5f607", "host=ip-10-20-4-17.eu-west-1.compute.internal", "ip=10.20.4.17"} {
		o := w.applyAlert(alertFrom(fmt.Sprint("other-", i), float64(i+1), fmt.Sprint("kind", i), name))
		if o.Incident != first.Incident {
			t.Errorf("%s is the instance, but got incident %s of %s", name, o.Incident, first.Incident)
		}
	}
	late := w.applyAlert(alertFrom("late-0001", 60*24*40, "dump", "ip=10.20.4.17"))
	if late.Incident == first.Incident {
		t.Error("a recycled private address joined last month's host")
	}
}

func TestBareNameOfTwoMachinesIsAmbiguous(t *testing.T) {
	w := newWorld(t)
	vm := func(id, sub string) alert.Alert {
		a := alertFrom(id, 0, "scan-"+id)
		a.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Resource,
			Value: "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-03"}.WithAlias(entity.Host, "web-03")}}
		return a
	}
	a, b := w.applyAlert(vm("a-0001", "s1")), w.applyAlert(vm("a-0002", "s2"))
	if a.Incident == b.Incident {
		t.Error("web-03 of two subscriptions became one machine")
	}
}

func TestAliasLearnedLaterJoinsWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	before := w.applyAlert(alertFrom("a-0001", 0, "scan", "host=web-03"))
	vm := alertFrom("a-0002", 5, "dump")
	vm.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Resource, Value: "i-0f0a1b2c3d4e5f607"}.WithAlias(entity.Host, "web-03")}}
	if o := w.applyAlert(vm); o.Incident != before.Incident {
		t.Errorf("the instance that web-03 turned out to be got incident %s, not %s", o.Incident, before.Incident)
	}
}

func TestStagesADayApartHoldTogether(t *testing.T) {
	w := newWorld(t)
	a := w.applyAlert(withTactic(alertFrom("a-0001", 0, "phish", "user=dora@contoso.example"), attack.InitialAccess))
	b := w.applyAlert(withTactic(alertFrom("a-0002", 60*24, "dump", "user=dora@contoso.example"), attack.CredentialAccess))
	if a.Incident != b.Incident {
		t.Error("a slow attack fell apart")
	}
	c := w.applyAlert(alertFrom("a-0003", 60*24*8, "policy notice", "user=dora@contoso.example"))
	if c.Incident == a.Incident {
		t.Error("an alert without a stage joined a week later")
	}
}

func TestBackgroundDoesNotGlue(t *testing.T) {
	w := newWorld(t)
	for i := range 40 { // every half hour for 20 hours
		w.applyAlert(alertFrom(fmt.Sprint("drip-", i), float64(30*i), "av update", "host=web-03"))
	}
	attackAt := 30.0*40 + 5
	hit := w.applyAlert(alertFrom("hit-0001", attackAt, "dump", "host=web-03"))
	drip := w.applyAlert(alertFrom("drip-99", attackAt+1, "av update", "host=web-03"))
	if hit.Incident == drip.Incident || !hit.Opened {
		t.Errorf("background glued: hit %+v, drip %+v", hit, drip)
	}
}

func TestTiesToTwoIncidentsMergeThem(t *testing.T) {
	w := newWorld(t)
	a := w.applyAlert(alertFrom("a-0001", 0, "phish", "user=dora@contoso.example"))
	w.applyAlert(alertFrom("a-0002", 1, "login", "user=dora@contoso.example"))
	b := w.applyAlert(alertFrom("b-0001", 2, "dump", "host=fin-lt057.contoso.example"))
	both := w.applyAlert(alertFrom("c-0001", 3, "lateral", "user=dora@contoso.example", "host=fin-lt057.contoso.example"))
	if both.Incident != a.Incident || len(both.MergedFrom) != 1 || both.MergedFrom[0] != b.Incident {
		t.Fatalf("want %s merged into %s, got %+v", b.Incident, a.Incident, both)
	}
	gone, kept := w.e.incidents.Get(b.Incident), w.e.incidents.Get(a.Incident)
	if gone.Status != incident.Redirected || gone.RedirectTo != a.Incident || kept.Alerts != 4 {
		t.Errorf("gone %+v, kept %d alerts", gone, kept.Alerts)
	}
	if w.incidentOf(b.AlertID) != a.Incident {
		t.Error("the moved alert does not lead to the survivor")
	}
}

func TestResolvedIncidentsTakeNoMore(t *testing.T) {
	w := newWorld(t)
	a := w.applyAlert(alertFrom("a-0001", 0, "scan", "host=web-03"))
	w.e.incidents.Get(a.Incident).Status = incident.Resolved
	if b := w.applyAlert(alertFrom("a-0002", 1, "dump", "host=web-03")); b.Incident == a.Incident {
		t.Error("a resolved incident took an alert")
	}
}

func TestExposureMakesNoIncident(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("a-0001", 0, "public bucket", "resource=arn:aws:s3:::b")
	a.Class = alert.Exposure
	if o := w.applyAlert(a); o.Incident != "" || !o.New {
		t.Errorf("exposure: %+v", o)
	}
}

func TestProviderStatesMembers(t *testing.T) {
	for _, sumFirst := range []bool{false, true} {
		w := newWorld(t)
		member := alertFrom("signal-0001", 0, "login", "user=dora@contoso.example")
		sum := alertFrom("sequence-01", 60*30, "sequence", "resource=arn:aws:s3:::b")
		sum.Members = []string{"signal-0001"}
		order := []alert.Alert{member, sum}
		if sumFirst {
			order = []alert.Alert{sum, member}
		}
		a, b := w.applyAlert(order[0]), w.applyAlert(order[1])
		if a.Incident != b.Incident {
			t.Errorf("sum first %v: the sequence and its signal are apart", sumFirst)
		}
	}
}

func TestNameTellsTheStory(t *testing.T) {
	w := newWorld(t)
	w.applyAlert(withTactic(alertFrom("a-0001", 0, "Phishing link clicked", "user=dora@contoso.example"), attack.InitialAccess))
	o := w.applyAlert(withTactic(alertFrom("a-0002", 5, "LSASS dump", "user=dora@contoso.example", "host=fin-lt057.contoso.example"), attack.CredentialAccess))
	if got, want := w.e.incidents.Get(o.Incident).Name, "Multi-stage incident: Initial access to credential access on fin-lt057.contoso.example and 1 more"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
}
