package export_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/localstore"
)

// memory is a receiver that keeps what it takes in memory.
type memory struct {
	mu      sync.Mutex
	taken   []string
	batches []int
	down    error
	limits  export.Limits
	poison  func(export.Record) error
}

func (s *memory) Target() export.Target { return s }
func (s *memory) Taken(testing.TB) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func (s *memory) Refuse(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down = nil; down {
		s.down = errors.New("down")
	}
}

func (s *memory) Encode(r export.Row) ([]byte, error) { return r.JSON() }
func (s *memory) Limits() export.Limits               { return s.limits }
func (s *memory) Send(_ context.Context, rs []export.Record) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return 0, s.down
	}
	for _, r := range rs {
		if s.poison != nil {
			if err := s.poison(r); err != nil {
				return 0, err
			}
		}
	}
	s.batches = append(s.batches, len(rs))
	for _, r := range rs {
		s.taken = append(s.taken, r.ID)
	}
	return len(rs), nil
}

func TestPromises(t *testing.T) {
	exporttest.Run(t, func(testing.TB) exporttest.Receiver { return &memory{limits: export.Limits{Records: 7, Alerts: 10}} })
}

func TestPoisonStandsAloneAndTheRestGoesOn(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 30)
	bad := exporttest.Alert(3).ID
	s := &memory{poison: func(r export.Record) error {
		if r.Thing == bad {
			return fault.Errorf(fault.Invalid, "field 7 is not a number")
		}
		return nil
	}}
	f := w.Function(s, nil)
	if err := f.Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	states := w.States(t, s)
	if len(s.taken) != len(states)-1 || slices.Contains(s.taken, states[bad]) {
		t.Errorf("%d records arrived of %d", len(s.taken), len(states))
	}
	ds, err := f.Deliveries(t.Context(), exporttest.Name)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ds, func(d export.Delivery) bool { return d.DeadLettered })
	if i < 0 || ds[i].Thing != bad || !strings.Contains(ds[i].Reason, "field 7") {
		t.Fatalf("set aside: %+v", ds)
	}
	st, _ := f.Status(t.Context(), func(string) bool { return true })
	if st[0].DeadLettered != 1 {
		t.Errorf("%d counted as set aside", st[0].DeadLettered)
	}
	s.poison = nil
	if err := f.Replay(t.Context(), exporttest.Name, ds[i].ID); err != nil || s.taken[len(s.taken)-1] != states[bad] {
		t.Errorf("replay: %v, last arrived %s", err, s.taken[len(s.taken)-1])
	}
	if err := f.Replay(t.Context(), exporttest.Name, "never"); fault.Of(err) != fault.NotFound {
		t.Errorf("replay of nothing: %v", err)
	}
}

func TestATooLargeBatchIsSplit(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 30)
	s := &memory{}
	target := atMost{s, 5}
	if err := w.Function(target, nil).Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	if len(s.taken) != len(w.States(t, s)) || slices.Max(s.batches) > 5 {
		t.Errorf("%d records in batches of %v", len(s.taken), s.batches)
	}
}

type atMost struct {
	*memory
	most int
}

func (a atMost) Send(ctx context.Context, rs []export.Record) (int, error) {
	if len(rs) > a.most {
		return 0, fault.Errorf(fault.TooLarge, "413")
	}
	return a.memory.Send(ctx, rs)
}

func TestADeadReceiverIsNobodyElsesTrouble(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 10)
	dead, well := &memory{down: export.Later(time.Hour, errors.New("429"))}, &memory{}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	now := exporttest.Begin
	f, err := export.New(export.Options{Store: w.Store, Documents: w.Store, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }, Wait: func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		now = now.Add(d)
		mu.Unlock()
		if len(well.Taken(t)) > 0 && now.After(exporttest.Begin.Add(59*time.Minute)) {
			cancel()
		}
		return ctx.Err()
	}}, []export.Export{{Name: "dead", Tenant: exporttest.Tenant, Target: dead}, {Name: "well", Tenant: exporttest.Tenant, Target: well}})
	if err != nil {
		t.Fatal(err)
	}
	f.Run(ctx)
	if len(well.taken) != len(w.States(t, well)) {
		t.Errorf("the living receiver took %d records", len(well.taken))
	}
	st, err := f.Status(context.Background(), func(string) bool { return true })
	if err != nil || st[0].Failures < 1 || st[0].Failures > int(now.Sub(exporttest.Begin).Hours())+1 || st[0].Error == "" || st[0].Backlog == 0 || st[1].Failures != 0 {
		t.Errorf("%+v, %v after %v: a receiver that asked for an hour is asked once an hour", st, err, now.Sub(exporttest.Begin))
	}
}

func TestFilter(t *testing.T) {
	m := incident.AlertRecord{Status: alert.StatusNew, Alert: alert.Alert{
		ID: "a", Severity: alert.High, Account: alert.Account{Cloud: entity.Azure, ID: "sub-1"}, Origin: alert.Origin{Provider: "sentinel"},
	}}
	a, _ := export.OfAlert("t", m)
	i, _ := export.OfIncident("t", incident.Incident{ID: "1", Severity: alert.Low, Status: incident.Active, Clouds: []entity.Cloud{entity.Amazon, entity.Azure}})
	for _, tt := range []struct {
		name            string
		filter          export.Filter
		alert, incident bool
	}{
		{"empty", export.Filter{}, true, true},
		{"kind", export.Filter{Kinds: []store.ChangeKind{store.IncidentChanged}}, false, true},
		{"severity", export.Filter{Severity: alert.Medium}, true, false},
		{"status", export.Filter{Statuses: []string{"active"}}, false, true},
		{"one of its clouds", export.Filter{Clouds: []entity.Cloud{entity.Amazon}}, false, true},
		{"account", export.Filter{Accounts: []string{"sub-2"}}, false, true},
		{"provider", export.Filter{Providers: []string{"sentinel"}}, true, true},
	} {
		if got := tt.filter.Pass(a); got != tt.alert {
			t.Errorf("%s: alert %v", tt.name, got)
		}
		if got := tt.filter.Pass(i); got != tt.incident {
			t.Errorf("%s: incident %v", tt.name, got)
		}
	}
}

func TestPlainRowsLeaveRawOut(t *testing.T) {
	r, err := export.OfAlert("t", incident.AlertRecord{Alert: exporttest.Alert(1)})
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.JSON()
	if err != nil || bytes.Contains(data, []byte(`"raw"`)) || !bytes.Contains(data, []byte(r.ID)) {
		t.Errorf("%s, %v", data, err)
	}
}

// busyStore is one in which something happens between the two reads of an incident and its alerts.
type busyStore struct {
	*localstore.Store
	between func()
}

func (s busyStore) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error) {
	s.between()
	return s.Store.IncidentAlerts(ctx, tenant, id, q)
}

// watcher is a memory that looks at every row.
type watcher struct {
	memory
	see func(export.Row)
}

func (w *watcher) Encode(r export.Row) ([]byte, error) {
	w.see(r)
	return w.memory.Encode(r)
}

// An incident grows while it is read: what is sent is of one moment.
func TestAnIncidentIsSentAsOfOneMoment(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 20)
	next, reads, torn := 20, 0, 0
	s := &watcher{memory{limits: export.Limits{Records: 7, Alerts: 1000}}, func(r export.Row) {
		if r.Incident != nil && r.Incident.RedirectTo == "" && len(r.Alerts) != r.Incident.Alerts {
			torn++
		}
	}}
	f, err := export.New(export.Options{
		Store: busyStore{w.Store, func() {
			if reads++; reads%2 == 1 && next < 60 {
				w.Report(next, next+1)
				next++
			}
		}}, Documents: w.Store, Now: w.Now, Wait: func(context.Context, time.Duration) error { return nil },
	}, []export.Export{{Name: exporttest.Name, Tenant: exporttest.Tenant, Kind: "test", Target: s}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	if torn > 0 || next == 20 {
		t.Errorf("%d incidents were sent with alerts of another moment, after %d reports", torn, next)
	}
}
