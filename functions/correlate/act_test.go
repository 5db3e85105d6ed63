package correlate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/localstore"
)

var dora = incident.By{Name: "dora@contoso.example"}

func to[T any](v T) *T { return &v }

// seen is an alert event, minutes after t0, on hosts and users as "host=…".
func seen(id string, minute int, kind string, things ...string) cloudevent.Event {
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
	s *localstore.Store
	f *Function
}

func newDesk(t *testing.T) *desk {
	s := newStore(t)
	d := &desk{t: t, s: s, f: newFunction(s)}
	d.f.Alerts = s
	return d
}

func (d *desk) see(evs ...cloudevent.Event) {
	d.t.Helper()
	if err := d.f.Handle(context.Background(), evs); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) act(a incident.Action) incident.Done {
	d.t.Helper()
	done, err := d.f.Act(context.Background(), "contoso", a, dora)
	if err != nil {
		d.t.Fatalf("%T: %v", a, err)
	}
	return done
}

// in is the incident of an alert.
func (d *desk) in(name string) string {
	d.t.Helper()
	m, err := d.s.Alert(context.Background(), "contoso", idOf(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return m.Incident
}

func TestResolvingAnIncidentResolvesItsAlerts(t *testing.T) {
	d := newDesk(t)
	const alerts = 2*incident.MaxActed + 7
	for i := range alerts {
		d.see(seen(fmt.Sprint(i), i/10, fmt.Sprint("kind", i%3), "host=web-03.contoso.example"))
	}
	id := d.in("0")
	d.act(incident.EditIncident{ID: id, Edit: incident.Edit{Status: to("resolved"), AssignedTo: to("dora")}})
	page, err := d.s.IncidentAlerts(context.Background(), "contoso", id, query.Query{Top: alerts, Count: true})
	if err != nil || page.Total != alerts {
		t.Fatalf("%d alerts, want %d: %v", page.Total, alerts, err)
	}
	for _, m := range page.Items {
		if m.Status != alert.StatusResolved || m.AssignedTo != "dora" || m.Resolved.IsZero() {
			t.Fatalf("alert %s is %s, of %q", m.Alert.ID, m.Status, m.AssignedTo)
		}
	}
	d.act(incident.EditIncident{ID: id, Edit: incident.Edit{Status: to("active")}})
	if m, _ := d.s.Alert(context.Background(), "contoso", idOf("0")); m.Status != alert.StatusResolved {
		t.Error("opening an incident again opened its alerts")
	}
}

func TestWhatBrokeOffIsFinishedByDoingItAgain(t *testing.T) {
	d := newDesk(t)
	for i := range incident.MaxActed + 5 {
		d.see(seen(fmt.Sprint(i), 0, fmt.Sprint("kind", i%3), "host=web-03.contoso.example"))
	}
	id := d.in("0")
	broken := newFunction(&flaky{Store: d.s, fail: func(n int) error {
		if n == 3 {
			return errors.New("connection refused")
		}
		return nil
	}})
	broken.Alerts = d.s
	resolve := incident.EditIncident{ID: id, Edit: incident.Edit{Status: to("resolved")}}
	if _, err := broken.Act(context.Background(), "contoso", resolve, dora); fault.Of(err) != fault.Unavailable {
		t.Fatalf("want fault.Unavailable, got %v", err)
	}
	d.act(resolve)
	page, _ := d.s.IncidentAlerts(context.Background(), "contoso", id, query.Query{Top: 1, Count: true, Where: unlike(resolve.Edit)})
	if page.Total != 0 {
		t.Errorf("%d alerts are not resolved", page.Total)
	}
}

// Of every refusal the state stays usable, and the refusal is of what is there now.
func TestRefusalsAreOfThePresent(t *testing.T) {
	d := newDesk(t)
	d.see(seen("a", 0, "scan", "host=web-03.contoso.example"), seen("b", 0, "scan", "host=db-01.contoso.example"))
	a, b := d.in("a"), d.in("b")
	other := newFunction(d.s)
	d.act(incident.EditIncident{ID: a, Edit: incident.Edit{Status: to("resolved")}})
	both := incident.Merge{IDs: []string{a, b}}
	if _, err := d.f.Act(context.Background(), "contoso", both, dora); fault.Of(err) != fault.Held {
		t.Fatalf("want fault.Held, got %v", err)
	}
	if _, err := other.Act(context.Background(), "contoso", incident.EditIncident{ID: a, Edit: incident.Edit{Status: to("active")}}, dora); err != nil {
		t.Fatal(err)
	}
	d.act(both) // the kept state still has the incident resolved
	if _, err := d.f.Act(context.Background(), "fabrikam", both, dora); fault.Of(err) != fault.NotFound {
		t.Errorf("another tenant's incidents: %v", err)
	}
}

// story is alerts and, by the number of alerts before them, what an analyst does. Actions name alerts, since incidents have
// their ids only once they are there.
func story() ([]cloudevent.Event, map[int]func(*desk)) {
	var evs []cloudevent.Event
	for i := range 120 {
		evs = append(evs, seen(fmt.Sprint(i), i*7, fmt.Sprint("kind", i%11), fmt.Sprintf("host=host-%d.example", i/6%9), fmt.Sprintf("user=user%d@example", i%13)))
	}
	split := func(names ...string) func(*desk) {
		return func(d *desk) {
			var ids []string
			for _, n := range names {
				ids = append(ids, idOf(n))
			}
			d.act(incident.Move{Alerts: ids, From: d.in(names[0])})
		}
	}
	return evs, map[int]func(*desk){
		30: split("3", "4"),
		50: func(d *desk) { d.act(incident.Merge{IDs: []string{d.in("0"), d.in("15")}}) },
		70: func(d *desk) { d.act(incident.Move{Alerts: []string{idOf("50"), idOf("51")}, To: d.in("4")}) },
		90: func(d *desk) {
			d.act(incident.EditIncident{ID: d.in("50"), Edit: incident.Edit{Status: to("resolved"), Name: to("done")}})
		},
	}
}

// play runs the story; between says what happens to the desk after every step.
func play(d *desk, size int, between func()) map[string][]string {
	evs, actions := story()
	for i := 0; i < len(evs); i += size {
		d.see(evs[i:min(i+size, len(evs))]...)
		between()
		if act := actions[i+size]; act != nil {
			act(d)
			between()
		}
	}
	return outcome(d.t, d.s)
}

func TestSameIncidentsWithAnAnalystAtWork(t *testing.T) {
	want := play(newDesk(t), 10, func() {})
	if len(want) < 5 {
		t.Fatalf("only %d incidents: the story proves nothing", len(want))
	}
	t.Run("restarted after every step", func(t *testing.T) {
		d := newDesk(t)
		if got := play(d, 10, func() { d.f = newFunction(d.s); d.f.Alerts = d.s }); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	t.Run("one by one", func(t *testing.T) {
		if got := play(newDesk(t), 1, func() {}); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	t.Run("on a disk that is opened again", func(t *testing.T) {
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
			d.f = newFunction(d.s)
			d.f.Alerts = d.s
		}
		open()
		t.Cleanup(func() { _ = dir.Close() })
		if got := play(d, 10, open); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestAnalystAndCorrelatorAtOnce(t *testing.T) {
	d := newDesk(t)
	evs, _ := story()
	d.see(evs[:20]...)
	id := d.in("0")
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
			comment := incident.EditIncident{ID: id, Edit: incident.Edit{Comment: fmt.Sprint("remark ", i)}}
			for {
				_, err := analyst.Act(context.Background(), "contoso", comment, dora)
				if err == nil {
					break
				}
				if fault.Of(err) == fault.Held { // it was merged into another one in the meantime
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
	if alerts := len(slices.Concat(slices.Collect(maps.Values(outcome(t, d.s)))...)); n != edits || alerts != len(evs) {
		t.Errorf("%d remarks of %d and %d alerts of %d", n, edits, alerts, len(evs))
	}
}

func TestActionsAreRecorded(t *testing.T) {
	d := newDesk(t)
	d.see(seen("a", 0, "scan", "host=web-03.contoso.example"))
	edit := incident.EditIncident{ID: d.in("a"), Edit: incident.Edit{AssignedTo: to("dora")}}
	done := d.act(edit)
	if len(done.Records) != 2 || done.Records[0].Who != dora.Name || done.Records[0].After["assignedTo"] != "dora" || done.Records[1].After["alertsEdited"] != "1" {
		t.Errorf("%+v, want the incident and its alert", done.Records)
	}
	if done := d.act(edit); done.Changed || len(done.Records) != 0 {
		t.Errorf("nothing changed, and there is a record of it: %+v", done.Records)
	}
}
