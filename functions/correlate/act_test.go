package correlate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/localstore"
)

var dora = correlation.Actor{Name: "dora@contoso.example"}

func pointerTo[T any](v T) *T { return &v }

// alertEvent is an alert event, minutes after t0, on hosts and users as "host=…".
func alertEvent(id string, minute int, kind string, things ...string) cloudevent.Event {
	at := t0.Add(time.Duration(minute) * time.Minute)
	a := alert.Alert{
		Tenant: "contoso", Origin: alert.Origin{Provider: "edr", ID: id}, Reporter: "edr", ReportID: id, Type: kind, Title: kind,
		Severity: alert.Medium, Status: alert.StatusNew, First: at, Last: at, Updated: at, Delivered: at,
	}
	for _, thing := range things {
		k, v, _ := strings.Cut(thing, "=")
		a.Evidence = append(a.Evidence, alert.Evidence{Entity: entity.Entity{Kind: entity.Kind(k), Value: v}})
	}
	a.ID = alert.MakeID(a.Tenant, a.Origin)
	e, err := events.NewAlert(a, "")
	if err != nil {
		panic(err) // it is made to be encodable
	}
	return e
}

func idOf(name string) string {
	return alert.MakeID("contoso", alert.Origin{Provider: "edr", ID: name})
}

// desk is a correlator with its store, as an analyst meets it.
type desk struct {
	t *testing.T
	s keeper
	f *Function
}

// keeper is a whole store.
type keeper interface {
	Store
	Lister
	recordReader
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, s: newStore(t)}
	d.restartProcess()
	return d
}

// restartProcess is a new process: nothing is left but what is stored.
func (d *desk) restartProcess() {
	d.f = newFunction(d.s)
	d.f.Alerts = d.s
}

func (d *desk) handleEvents(evs ...cloudevent.Event) {
	d.t.Helper()
	if err := d.f.Handle(context.Background(), evs); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) mustAct(a correlation.Action) correlation.ActionResult {
	d.t.Helper()
	done, err := d.f.Act(context.Background(), "contoso", a, dora)
	if err != nil {
		d.t.Fatalf("%T: %v", a, err)
	}
	return done
}

// incidentOf is the incident of an alert.
func (d *desk) incidentOf(name string) string {
	d.t.Helper()
	m, err := d.s.Alert(context.Background(), "contoso", idOf(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return m.Incident
}

func TestResolvingAnIncidentResolvesItsAlerts(t *testing.T) {
	d := newDesk(t)
	const alerts = 2*correlation.MaxAlertsPerAction + 7
	for i := range alerts {
		d.handleEvents(alertEvent(fmt.Sprint(i), i/10, fmt.Sprint("kind", i%3), "host=web-03.contoso.example"))
	}
	id := d.incidentOf("0")
	d.mustAct(correlation.EditIncident{ID: id, Edit: correlation.Edit{Status: pointerTo("resolved"), AssignedTo: pointerTo("dora")}})
	page, err := d.s.IncidentAlerts(context.Background(), "contoso", id, query.Query{Top: alerts, Count: true})
	if err != nil || page.Total != alerts {
		t.Fatalf("%d alerts, want %d: %v", page.Total, alerts, err)
	}
	for _, m := range page.Items {
		if m.Status != alert.StatusResolved || m.AssignedTo != "dora" || m.Resolved.IsZero() {
			t.Fatalf("alert %s is %s, of %q", m.Alert.ID, m.Status, m.AssignedTo)
		}
	}
	d.mustAct(correlation.EditIncident{ID: id, Edit: correlation.Edit{Status: pointerTo("active")}})
	if m, _ := d.s.Alert(context.Background(), "contoso", idOf("0")); m.Status != alert.StatusResolved {
		t.Error("opening an incident again opened its alerts")
	}
}

func TestWhatBrokeOffIsFinishedByDoingItAgain(t *testing.T) {
	d := newDesk(t)
	for i := range correlation.MaxAlertsPerAction + 5 {
		d.handleEvents(alertEvent(fmt.Sprint(i), 0, fmt.Sprint("kind", i%3), "host=web-03.contoso.example"))
	}
	id := d.incidentOf("0")
	broken := newFunction(&flaky{Store: d.s.(*localstore.Store), fail: func(n int) error {
		if n == 3 {
			return errors.New("connection refused")
		}
		return nil
	}})
	broken.Alerts = d.s
	resolve := correlation.EditIncident{ID: id, Edit: correlation.Edit{Status: pointerTo("resolved")}}
	if _, err := broken.Act(context.Background(), "contoso", resolve, dora); fault.Of(err) != fault.Unavailable {
		t.Fatalf("want fault.Unavailable, got %v", err)
	}
	d.mustAct(resolve)
	page, _ := d.s.IncidentAlerts(context.Background(), "contoso", id, query.Query{Top: 1, Count: true, Where: differsFrom(resolve.Edit)})
	if page.Total != 0 {
		t.Errorf("%d alerts are not resolved", page.Total)
	}
}

// Of every refusal the state stays usable, and the refusal is of what is there now.
func TestRefusalsAreOfThePresent(t *testing.T) {
	d := newDesk(t)
	d.handleEvents(alertEvent("a", 0, "scan", "host=web-03.contoso.example"), alertEvent("b", 0, "scan", "host=db-01.contoso.example"))
	a, b := d.incidentOf("a"), d.incidentOf("b")
	other := newFunction(d.s)
	d.mustAct(correlation.EditIncident{ID: a, Edit: correlation.Edit{Status: pointerTo("resolved")}})
	both := correlation.Merge{IDs: []string{a, b}}
	if _, err := d.f.Act(context.Background(), "contoso", both, dora); fault.Of(err) != fault.Precondition {
		t.Fatalf("want fault.Precondition, got %v", err)
	}
	if _, err := other.Act(context.Background(), "contoso", correlation.EditIncident{ID: a, Edit: correlation.Edit{Status: pointerTo("active")}}, dora); err != nil {
		t.Fatal(err)
	}
	d.mustAct(both) // the kept state still has the incident resolved
	if _, err := d.f.Act(context.Background(), "fabrikam", both, dora); fault.Of(err) != fault.NotFound {
		t.Errorf("another tenant's incidents: %v", err)
	}
}

// burstsOfAlerts is alerts in bursts of six on one host, every now and then with another product's copy.
func burstsOfAlerts() []cloudevent.Event {
	var evs []cloudevent.Event
	for i := range 120 {
		evs = append(evs, alertEvent(fmt.Sprint(i), i*7, fmt.Sprint("kind number ", i%11), fmt.Sprintf("host=host-%d.example", i/6%9), fmt.Sprintf("user=user%d@example", i%13)))
	}
	return evs
}

// copyOfAlert is another product's report of what alert i of the story is about.
func copyOfAlert(i int) cloudevent.Event {
	e := alertEvent(fmt.Sprint(i), i*7, fmt.Sprint("kind number ", i%11), fmt.Sprintf("host=host-%d.example", i/6%9))
	a, err := events.ParseAlert(e)
	if err != nil {
		panic(err) // it was made a line ago
	}
	a.Origin.Provider, a.Reporter = "siem", "siem"
	a.Origin.ID, a.ReportID = "siem-"+a.Origin.ID, "siem-"+a.ReportID
	a.ID = alert.MakeID(a.Tenant, a.Origin)
	if e, err = events.NewAlert(a, ""); err != nil {
		panic(err) // as above
	}
	return e
}

// randomDecision is something the analyst does, drawn by r: about alerts that are there, named by numbers below n.
// What is refused is part of the story.
func randomDecision(d *desk, r *rand.Rand, n int) string {
	one, other := fmt.Sprint(r.IntN(n)), fmt.Sprint(r.IntN(n))
	id := d.incidentOf(one)
	var a correlation.Action
	switch r.IntN(6) {
	case 0:
		a = correlation.Move{Alerts: []string{idOf(one)}, From: id}
	case 1:
		a = correlation.Move{Alerts: []string{idOf(one), idOf(other)}, To: d.incidentOf(other)}
	case 2:
		a = correlation.Merge{IDs: []string{id, d.incidentOf(other)}}
	case 3:
		a = correlation.EditIncident{ID: id, Edit: correlation.Edit{Status: pointerTo([]string{"resolved", "active"}[r.IntN(2)]), Name: pointerTo("looked at")}}
	case 4:
		a = correlation.EditAlerts{IDs: []string{idOf(one)}, Edit: correlation.Edit{AssignedTo: pointerTo("eve"), Comment: "hm"}}
	case 5:
		a = correlation.Unfold{ID: alert.MakeID("contoso", alert.Origin{Provider: "siem", ID: "siem-" + one})}
	}
	done, err := d.f.Act(context.Background(), "contoso", a, dora)
	return fmt.Sprintf("%T %v %v", a, done.Changed, err)
}

// playDecisions runs the story with decisions in between, which are the same for one seed; between is what happens to
// the desk after every step. It tells what became of the alerts and of the decisions.
func playDecisions(d *desk, seed uint64, size int, between func()) (map[string][]string, []string) {
	evs, r := burstsOfAlerts(), rand.New(rand.NewPCG(seed, 7))
	var said []string
	for i := 0; i < len(evs); i += size {
		d.handleEvents(evs[i:min(i+size, len(evs))]...)
		between()
		if n := i + size; n%10 == 0 {
			d.handleEvents(copyOfAlert(n-1), copyOfAlert(n-4))
			for range 3 {
				said = append(said, randomDecision(d, r, n))
				between()
			}
		}
	}
	return alertsByIncident(d.t, d.s), said
}

func TestSameIncidentsWithAnAnalystAtWork(t *testing.T) {
	for seed := range uint64(4) {
		want, decided := playDecisions(newDesk(t), seed, 10, func() {})
		if len(want) < 5 || len(decided) < 30 {
			t.Fatalf("%d incidents and %d decisions: the story proves nothing", len(want), len(decided))
		}
		same := func(name string, d *desk, size int, between func()) {
			got, said := playDecisions(d, seed, size, between)
			if !slices.Equal(said, decided) {
				t.Errorf("seed %d, %s: decisions came out as\n%s\nwant\n%s", seed, name, strings.Join(said, "\n"), strings.Join(decided, "\n"))
			}
			if !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("seed %d, %s: %v, want %v", seed, name, got, want)
			}
			checkAlertCounts(t, d.s)
		}
		restarted := newDesk(t)
		same("restarted after every step", restarted, 10, restarted.restartProcess)
		same("one by one", newDesk(t), 1, func() {})
		disk, reopen := onDisk(t)
		same("on a disk that is opened again", disk, 10, reopen)
		cloud := &desk{t: t, s: inCosmos(t)}
		cloud.restartProcess()
		same("in Cosmos DB", cloud, 10, func() {})
	}
}

// checkAlertCounts checks that every incident counts its alerts.
func checkAlertCounts(t *testing.T, s keeper) {
	t.Helper()
	page, err := s.Incidents(context.Background(), "contoso", query.Query{Top: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range page.Items {
		if i.RedirectTo != "" {
			continue
		}
		alerts, err := s.IncidentAlerts(context.Background(), "contoso", i.ID, query.Query{Top: 1, Count: true})
		if err != nil || alerts.Total != int64(i.Alerts) || i.Alerts == 0 {
			t.Errorf("incident %s says %d alerts and has %d (%v)", i.ID, i.Alerts, alerts.Total, err)
		}
	}
}

// onDisk is a desk over a data directory, and what closes and opens it again.
func onDisk(t *testing.T) (*desk, func()) {
	path, d := t.TempDir(), &desk{t: t}
	var dir *datadir.Dir
	open := func() {
		if dir != nil {
			if err := dir.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if dir, err = datadir.Open(path, datadir.Options{CacheBytes: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		if d.s, err = localstore.Open(dir, localstore.Options{}); err != nil {
			t.Fatal(err)
		}
		d.restartProcess()
	}
	open()
	t.Cleanup(func() { _ = dir.Close() })
	return d, open
}

// What a person took apart is apart at the end, whatever came in between, unless a person put it together.
func TestTakenApartForGood(t *testing.T) {
	for seed := range uint64(6) {
		d, r := newDesk(t), rand.New(rand.NewPCG(seed, 11))
		type pair struct{ taken, left string }
		var apart []pair
		for i, e := range burstsOfAlerts() {
			d.handleEvents(e)
			if i%9 != 8 {
				continue
			}
			taken := fmt.Sprint(r.IntN(i))
			page, err := d.s.IncidentAlerts(context.Background(), "contoso", d.incidentOf(taken), query.Query{Top: 100})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.f.Act(context.Background(), "contoso", correlation.Move{Alerts: []string{idOf(taken)}, From: d.incidentOf(taken)}, dora); err != nil {
				continue // it is the only one
			}
			for _, m := range page.Items {
				if m.Alert.ID != idOf(taken) {
					apart = append(apart, pair{taken, m.Alert.Origin.ID})
				}
			}
		}
		if len(apart) < 5 {
			t.Fatalf("%d pairs: the story proves nothing", len(apart))
		}
		for _, p := range apart {
			if d.incidentOf(p.taken) == d.incidentOf(p.left) {
				t.Errorf("seed %d: alerts %s and %s are together again", seed, p.taken, p.left)
			}
		}
		checkAlertCounts(t, d.s)
	}
}

func TestAnalystAndCorrelatorAtOnce(t *testing.T) {
	d := newDesk(t)
	evs := burstsOfAlerts()
	d.handleEvents(evs[:20]...)
	id := d.incidentOf("0")
	analyst := newFunction(d.s) // another process: they meet in the store alone
	analyst.Alerts = d.s
	var wg sync.WaitGroup
	const edits = 40
	wg.Go(func() {
		for _, e := range evs[20:] {
			for {
				err := d.f.Handle(context.Background(), []cloudevent.Event{e})
				if err == nil {
					break
				}
				if fault.Of(err) != fault.Conflict {
					t.Error(err)
					return
				}
			}
		}
	})
	wg.Go(func() {
		for i := range edits {
			comment := correlation.EditIncident{ID: id, Edit: correlation.Edit{Comment: fmt.Sprint("remark ", i)}}
			for {
				_, err := analyst.Act(context.Background(), "contoso", comment, dora)
				if err == nil {
					break
				}
				if fault.Of(err) == fault.Precondition { // it was merged into another one in the meantime
					inc, _ := d.s.Incident(context.Background(), "contoso", id)
					comment.ID = inc.RedirectTo
				} else if fault.Of(err) != fault.Conflict {
					t.Error(err)
					return
				}
			}
		}
	})
	wg.Wait()
	n := 0
	page, err := d.s.Incidents(context.Background(), "contoso", query.Query{Top: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range page.Items {
		n += len(i.Comments)
	}
	if alerts := len(slices.Concat(slices.Collect(maps.Values(alertsByIncident(t, d.s)))...)); n != edits || alerts != len(evs) {
		t.Errorf("%d remarks of %d and %d alerts of %d", n, edits, alerts, len(evs))
	}
}

func TestActionsAreRecorded(t *testing.T) {
	d := newDesk(t)
	d.handleEvents(alertEvent("a", 0, "scan", "host=web-03.contoso.example"))
	edit := correlation.EditIncident{ID: d.incidentOf("a"), Edit: correlation.Edit{AssignedTo: pointerTo("dora")}}
	done := d.mustAct(edit)
	if len(done.Records) != 2 || done.Records[0].Who != dora.Name || done.Records[0].After["assignedTo"] != "dora" || done.Records[1].After["alertsEdited"] != "1" {
		t.Errorf("%+v, want the incident and its alert", done.Records)
	}
	if done := d.mustAct(edit); done.Changed || len(done.Records) != 0 {
		t.Errorf("nothing changed, and there is a record of it: %+v", done.Records)
	}
}
