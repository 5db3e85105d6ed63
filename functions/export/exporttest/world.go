package exporttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/localstore"
)

// Name and Tenant are those of the export under test.
const (
	Name   = "siem"
	Tenant = "contoso"
)

// Begin is when the world's clock starts.
var Begin = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

// World is a store that alerts come into, and a clock that moves when all who work wait: to the moment that comes
// first.
type World struct {
	Store  *localstore.Store
	OnWait func() // after the clock has moved, while all wait

	correlate *correlate.Function
	mu        sync.Mutex
	now       time.Time
	workers   int // exports that run side by side
	waiters   []*waiter
}

// waiter is one who waits.
type waiter struct {
	until time.Time
	awake chan struct{}
}

// NewWorld makes an empty one.
func NewWorld(t testing.TB) *World {
	t.Helper()
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Store: s, now: Begin}
	w.correlate = &correlate.Function{Store: s, Alerts: s, Now: w.Now}
	return w
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *World) waitVirtually(ctx context.Context, d time.Duration) error {
	me := &waiter{w.Now().Add(d), make(chan struct{})}
	if first := w.addWaiter(me); first != nil {
		if w.OnWait != nil {
			w.OnWait()
		}
		close(first.awake)
	}
	select {
	case <-me.awake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// addWaiter lets one wait. When nobody is left who works, it moves the clock and gives who is to wake.
func (w *World) addWaiter(s *waiter) (first *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiters = append(w.waiters, s)
	if len(w.waiters) < w.workers {
		return nil
	}
	first = slices.MinFunc(w.waiters, func(a, b *waiter) int { return a.until.Compare(b.until) })
	w.waiters = slices.DeleteFunc(w.waiters, func(s *waiter) bool { return s == first })
	w.now = first.until
	return first
}

// Function exports the world to a target, dying as f says.
func (w *World) Function(target export.Target, f *fuse) *export.Function {
	return w.newFunction(f, export.Export{Name: Name, Tenant: Tenant, Kind: "test", Target: target})
}

func (w *World) newFunction(f *fuse, exports ...export.Export) *export.Function {
	fn, err := export.New(export.Options{
		Store: dyingStore{w.Store, f}, Documents: dyingStore{w.Store, f}, Now: w.Now, Wait: w.waitVirtually,
	}, exports)
	if err != nil {
		panic(err) // tests name their exports differently
	}
	w.workers = len(exports)
	return fn
}

// SkipFeed moves the export behind all that has changed, as if it had been sent to somebody else.
func (w *World) SkipFeed(t testing.TB) {
	t.Helper()
	if err := w.Function(&takingTarget{}, nil).Drain(context.Background(), Name); err != nil {
		t.Fatal(err)
	}
}

// Report brings in the alerts from and up to before: attacks of three clouds over a few hosts and users, each fifth a
// new state of an alert that is known.
func (w *World) Report(from, before int) {
	var evs []cloudevent.Event
	for n := from; n < before; n++ {
		e, err := events.NewAlert(Alert(n), "")
		if err != nil {
			panic(err) // it is made to be encodable
		}
		evs = append(evs, e)
	}
	if err := w.correlate.Handle(context.Background(), evs); err != nil {
		panic(err) // the store is in memory
	}
}

// Alert is the n-th report.
func Alert(n int) alert.Alert {
	at := Begin.Add(time.Duration(n) * 20 * time.Second)
	cloud := []entity.Cloud{entity.Amazon, entity.Azure, entity.Google}[n%3]
	a := alert.Alert{
		Tenant: Tenant, Origin: alert.Origin{Provider: []string{"guardduty", "defender-for-cloud", "scc"}[n%3], ID: fmt.Sprintf("finding-%05d", n-n%5/4*3)},
		Product: []string{"Amazon GuardDuty", "Microsoft Defender for Cloud", "Security Command Center"}[n%3],
		Type:    fmt.Sprintf("type-%d", n%7), Title: fmt.Sprintf("Unusual access %d", n), Description: "Somebody did “something”\nodd.",
		Severity: []alert.Severity{alert.Low, alert.Medium, alert.High, alert.Critical}[n%4], Status: alert.StatusNew,
		Tactics: []attack.Tactic{attack.CredentialAccess}, Techniques: []string{"T1078"},
		First: at, Last: at.Add(time.Minute), Updated: at, Delivered: at, URL: "https://console.example/alerts/1",
		Account: alert.Account{Cloud: cloud, ID: []string{"111122223333", "00000000-0000-0000-0000-000000000001", "shop-prod"}[n%3], Region: "eu-west-1"},
		Evidence: []alert.Evidence{
			{Entity: entity.Entity{Kind: entity.Host, Value: fmt.Sprintf("host-%d.example", n%9)}, Role: alert.Victim},
			{Entity: entity.Entity{Kind: entity.User, Value: fmt.Sprintf("user%d@example.com", n%11)}, Role: alert.Victim},
			{Entity: entity.Entity{Kind: entity.IP, Value: fmt.Sprintf("198.51.100.%d", n%200+1)}, Role: alert.Attacker, Verdict: alert.Malicious},
			{Entity: entity.Entity{Kind: entity.Resource, Value: fmt.Sprintf("arn:aws:s3:::bucket-%d", n%5)}, Role: alert.Victim},
		},
		Raw: []byte(`{"detail":{"id":"finding"}}`),
	}
	a.Reporter, a.ReportID = a.Origin.Provider, a.Origin.ID
	a.ID = alert.MakeID(Tenant, a.Origin)
	return a
}

// States are the ids of the rows that the store's things are now, by thing: those the target has words for.
func (w *World) States(t testing.TB, target export.Target) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, row := range w.Rows(t) {
		data, err := target.Encode(row)
		if err != nil {
			t.Fatal(err)
		}
		if data != nil {
			out[row.Thing] = row.ID
		}
	}
	return out
}

// Rows are all the store's things, incidents with their alerts.
func (w *World) Rows(t testing.TB) []export.Row {
	t.Helper()
	ctx := context.Background()
	var out []export.Row
	alerts, err := w.Store.Alerts(ctx, Tenant, query.Query{Top: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range alerts.Items {
		row, err := export.OfAlert(Tenant, m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	incidents, err := w.Store.Incidents(ctx, Tenant, query.Query{Top: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range incidents.Items {
		row, err := export.OfIncident(Tenant, i)
		if err != nil {
			t.Fatal(err)
		}
		members, err := w.Store.IncidentAlerts(ctx, Tenant, i.ID, query.Query{Top: 150})
		if err != nil {
			t.Fatal(err)
		}
		row.Alerts = members.Items
		out = append(out, row)
	}
	return out
}

// Check holds what arrived against the store: the last state that arrived of each thing is the one it has, and things
// first arrived in the order in which they came to be.
func (w *World) Check(t testing.TB, got []string) {
	t.Helper()
	last := map[string]string{}
	for _, id := range got {
		last[thingOf(id)] = id
	}
	rows := w.Rows(t)
	for _, row := range rows {
		id, ok := last[row.Thing]
		switch {
		case !ok:
			t.Errorf("%s %s never arrived", row.Kind, row.Thing)
		case id != row.ID:
			t.Errorf("%s %s arrived last as %s, it is %s", row.Kind, row.Thing, id, row.ID)
		}
		delete(last, row.Thing)
	}
	for id := range last {
		t.Errorf("%s arrived and is not in the store", id)
	}
}
