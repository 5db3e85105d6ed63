package correlate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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

var t0 = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

func newStore(t *testing.T) *localstore.Store {
	t.Helper()
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newFunction(s Store) *Function {
	return &Function{Store: s, Now: func() time.Time { return t0.Add(24 * time.Hour) }}
}

// tenantTraffic is a deterministic stream of alerts of two tenants: attacks over shared hosts and users among
// unrelated ones.
func tenantTraffic(n int) []cloudevent.Event {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]cloudevent.Event, n)
	for i := range n {
		tenant := fmt.Sprintf("tenant%d", r.IntN(2))
		at := t0.Add(time.Duration(i) * 40 * time.Second)
		a := alert.Alert{
			Tenant: tenant, Origin: alert.Origin{Provider: "edr", ID: fmt.Sprintf("detection-%05d", i-i%7/6)}, Reporter: "edr",
			Type: fmt.Sprintf("type-%d", r.IntN(9)), Title: "seen", Severity: alert.Medium, Status: alert.StatusNew,
			First: at, Last: at, Updated: at, Delivered: at,
			Evidence: []alert.Evidence{
				{Entity: entity.Entity{Kind: entity.Host, Value: fmt.Sprintf("host-%d.example", r.IntN(60))}},
				{Entity: entity.Entity{Kind: entity.User, Value: fmt.Sprintf("user%d@example", r.IntN(80))}},
			},
		}
		a.ReportID = a.Origin.ID
		a.ID = alert.MakeID(tenant, a.Origin)
		e, err := events.NewAlert(a, "")
		if err != nil {
			panic(err) // it is made to be encodable
		}
		out[i] = e
	}
	return out
}

// recordReader reads what was stored of alerts and incidents.
type recordReader interface {
	Tenants(ctx context.Context) ([]string, error)
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
	Alerts(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error)
	Incident(ctx context.Context, tenant, id string) (incident.Incident, error)
	Incidents(ctx context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error)
}

// alertsByIncident is which alerts ended in which incident, by tenant.
func alertsByIncident(t *testing.T, s recordReader) map[string][]string {
	t.Helper()
	ctx := context.Background()
	tenants, err := s.Tenants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, tenant := range tenants {
		page, err := s.Alerts(ctx, tenant, query.Query{Top: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			key := tenant + "/" + m.Incident
			out[key] = append(out[key], m.Alert.ID)
		}
	}
	for _, ids := range out {
		slices.Sort(ids)
	}
	return out
}

func handleInBatches(t *testing.T, s *localstore.Store, evs []cloudevent.Event, size int, fn func(i int) *Function) {
	t.Helper()
	for i, batch := range slices.Collect(slices.Chunk(evs, size)) {
		if err := fn(i).Handle(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSameIncidentsHoweverItRuns(t *testing.T) {
	evs := tenantTraffic(1500)
	plain := newStore(t)
	f := newFunction(plain)
	handleInBatches(t, plain, evs, 100, func(int) *Function { return f })
	want := alertsByIncident(t, plain)
	if len(want) < 20 {
		t.Fatalf("only %d incidents: the traffic proves nothing", len(want))
	}
	for name, tt := range map[string]struct {
		size  int
		fresh bool // a new function for every batch: restarted in the middle, nothing kept
		twice bool // every batch delivered again
	}{
		"one by one":              {1, false, false},
		"odd batches":             {37, false, false},
		"restarted between":       {100, true, false},
		"delivered twice":         {100, false, true},
		"twice and restarted, 13": {13, true, true},
		"restarted, 13":           {13, true, false},
		"delivered twice, 13":     {13, false, true},
		"by 13":                   {13, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			kept := newFunction(s)
			fn := func(int) *Function {
				if tt.fresh {
					return newFunction(s)
				}
				return kept
			}
			for batch := range slices.Chunk(evs, tt.size) {
				handleInBatches(t, s, batch, tt.size, fn)
				if tt.twice {
					handleInBatches(t, s, batch, tt.size, fn)
				}
			}
			if got := alertsByIncident(t, s); !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%d incidents, want the same %d", len(got), len(want))
			}
		})
	}
}

func TestUnreadableEventsAreRefused(t *testing.T) {
	s := newStore(t)
	evs := tenantTraffic(3)
	evs[1].Data = []byte(`{"id":`)
	var refused fault.Refused
	if err := newFunction(s).Handle(context.Background(), evs); !errors.As(err, &refused) || len(refused) != 1 || fault.Of(refused[1]) != fault.Invalid {
		t.Fatalf("want event 1 refused as invalid, got %v", err)
	}
	if n := len(slices.Concat(slices.Collect(maps.Values(alertsByIncident(t, s)))...)); n != 2 {
		t.Errorf("%d alerts stored, want the two good ones", n)
	}
}

// flaky fails commits on demand.
type flaky struct {
	*localstore.Store
	fail func(commit int) error
	n    int
}

func (f *flaky) Commit(ctx context.Context, tenant string, version uint64, c incident.Changes) error {
	f.n++
	if err := f.fail(f.n); err != nil {
		return err
	}
	return f.Store.Commit(ctx, tenant, version, c)
}

func TestALostRaceIsRunAgain(t *testing.T) {
	evs := tenantTraffic(300)
	plain := newStore(t)
	f := newFunction(plain)
	handleInBatches(t, plain, evs, 50, func(int) *Function { return f })
	s := newStore(t)
	racing := newFunction(&flaky{Store: s, fail: func(n int) error {
		if n%3 == 0 {
			return fault.Errorf(fault.Conflict, "someone was faster")
		}
		return nil
	}})
	handleInBatches(t, s, evs, 50, func(int) *Function { return racing })
	if got, want := alertsByIncident(t, s), alertsByIncident(t, plain); !maps.EqualFunc(got, want, slices.Equal) {
		t.Error("races changed the incidents")
	}
}

func TestTwoCorrelatorsOnOneTenant(t *testing.T) {
	evs := tenantTraffic(600)
	s := newStore(t)
	a, b := newFunction(s), newFunction(s)
	handleInBatches(t, s, evs, 20, func(i int) *Function {
		if i%2 == 0 {
			return a
		}
		return b
	})
	plain := newStore(t)
	f := newFunction(plain)
	handleInBatches(t, plain, evs, 20, func(int) *Function { return f })
	if got, want := alertsByIncident(t, s), alertsByIncident(t, plain); !maps.EqualFunc(got, want, slices.Equal) {
		t.Error("a second correlator changed the incidents")
	}
}

func TestAnOutageLosesNothing(t *testing.T) {
	evs := tenantTraffic(60)
	s := newStore(t)
	down := true
	f := newFunction(&flaky{Store: s, fail: func(int) error {
		if down {
			return errors.New("connection refused")
		}
		return nil
	}})
	if err := f.Handle(context.Background(), evs); fault.Of(err) != fault.Unavailable {
		t.Fatalf("want fault.Unavailable, got %v", err)
	}
	down = false
	handleInBatches(t, s, evs, 60, func(int) *Function { return f })
	plain := newStore(t)
	g := newFunction(plain)
	handleInBatches(t, plain, evs, 60, func(int) *Function { return g })
	if got, want := alertsByIncident(t, s), alertsByIncident(t, plain); !maps.EqualFunc(got, want, slices.Equal) {
		t.Error("what was decided during the outage leaked into the state")
	}
}

func TestRedeliveryCommitsNothing(t *testing.T) {
	s := newStore(t)
	for batch := range slices.Chunk(tenantTraffic(1500), 13) {
		handleInBatches(t, s, batch, 13, func(int) *Function { return newFunction(s) })
		again := newFunction(&flaky{Store: s, fail: func(int) error { return errors.New("a repeat was committed") }})
		if err := again.Handle(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
}
