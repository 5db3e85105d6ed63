package cosmos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	local "github.com/onepane/onepane/infra/local/cosmos"

	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/shared/store/localstore"
	"github.com/onepane/onepane/testdata/attacks"
)

// decided is when every decision of these tests is made, so that runs can be compared to the letter.
var decided = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func correlator(s correlate.Store) *correlate.Function {
	return &correlate.Function{Store: s, Now: func() time.Time { return decided }}
}

// reader is what both drivers offer.
type reader interface {
	correlate.Store
	store.Reader
}

// outcome is which alert is in which incident and why, and incidents whole. Of alerts not more: a report that is
// offered again after a later one of the same alert may still fill in what that one left open (alert.Merge).
func outcome(t *testing.T, s reader) string {
	t.Helper()
	alerts, err := s.Alerts(context.Background(), tenant, query.Query{Top: 100_000, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	incidents, err := s.Incidents(context.Background(), tenant, query.Query{Top: 100_000, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if alerts.Total != int64(len(alerts.Items)) || incidents.Total != int64(len(incidents.Items)) {
		t.Errorf("%d alerts are counted as %d, %d incidents as %d", len(alerts.Items), alerts.Total, len(incidents.Items), incidents.Total)
	}
	type member struct {
		ID, Incident string
		Reasons      []incident.Reason
		Status       alert.Status
		First        time.Time
	}
	var members []member
	for _, m := range alerts.Items {
		members = append(members, member{m.Alert.ID, m.Incident, m.Reasons, m.Status, m.Alert.First})
	}
	return jsonOf(t, members) + "\n" + jsonOf(t, incidents.Items)
}

// reference is what localstore makes of the events, and what it has after each commit.
type reference struct {
	outcome string
	alerts  map[uint64]int // by version
}

func onLocalstore(t *testing.T, evs []cloudevent.Event, size int) reference {
	t.Helper()
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	counted := &counting{Store: s, alerts: map[uint64]int{}}
	f := correlator(counted)
	for part := range slices.Chunk(evs, size) {
		if err := f.Handle(context.Background(), part); err != nil {
			t.Fatal(err)
		}
	}
	return reference{outcome(t, s), counted.alerts}
}

// counting outbox entries how many alerts there are after each commit.
type counting struct {
	*localstore.Store
	alerts map[uint64]int
}

func (c *counting) Commit(ctx context.Context, tenant string, version uint64, changes incident.Changes) error {
	err := c.Store.Commit(ctx, tenant, version, changes)
	if st, _ := c.Store.Stats(ctx); err == nil {
		c.alerts[version+1] = int(st.Alerts)
	}
	return err
}

// plain hides from the SDK what kind of failure a lost connection is, so that it does not wait a second before each
// further try.
type plain struct{}

func (plain) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("connection lost: %v", err)
	}
	return resp, nil
}

// small flushes and merges all the time, an item or two at a time.
var small = cosmos.Options{Fold: 3, Merge: 2}.InBatches(2)

// manyVolumes is the same with tables that go on in another partition all the time.
var manyVolumes = cosmos.Options{Fold: 3, Merge: 2, VolumeAt: 1}.InBatches(2)

// inBoth runs a test with either.
func inBoth(t *testing.T, fn func(t *testing.T, opts cosmos.Options)) {
	t.Helper()
	for name, opts := range map[string]cosmos.Options{"one volume": small, "many volumes": manyVolumes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, opts)
		})
	}
}

// countVolumes says how many partitions of tables there are.
func countVolumes(a local.Account) int {
	n := 0
	for _, p := range a.Partitions("onepane", "state") {
		if strings.Contains(p.Key, "!volume-") {
			n++
		}
	}
	return n
}

// offer hands a batch to a correlator until it takes it, as the bus does.
func offer(t *testing.T, f *correlate.Function, part []cloudevent.Event) {
	t.Helper()
	for try := range 100 {
		err := f.Handle(context.Background(), part)
		if err == nil {
			return
		}
		if fault.Permanent(err) {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	t.Fatal("the batch is never taken")
}

func TestFaultsChangeNothing(t *testing.T) { inBoth(t, faultsChangeNothing) }

func faultsChangeNothing(t *testing.T, opts cosmos.Options) {
	evs := newTraffic(attacks.High).take(t, 600)
	want := onLocalstore(t, evs, 20)
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a := account(t, local.Options{})
			s := open(t, a, opts)
			var mu sync.Mutex
			dice, faults := rand.New(rand.NewPCG(seed, 1)), 0
			a.Inject(func(local.Operation) local.Fault {
				mu.Lock()
				defer mu.Unlock()
				if dice.IntN(6) > 0 {
					return local.Fault{}
				}
				faults++
				return []local.Fault{
					{Status: http.StatusTooManyRequests, RetryAfter: time.Millisecond}, {Status: http.StatusServiceUnavailable}, {Status: 449},
					{Status: http.StatusRequestTimeout}, {Drop: local.DropBefore}, {Drop: local.DropAfter}, {EmptyPage: true}, {PageSize: 1},
				}[dice.IntN(8)]
			})
			f := correlator(s)
			for part := range slices.Chunk(evs, 20) {
				offer(t, f, part)
			}
			a.Inject(nil)
			if got := outcome(t, s); got != want.outcome {
				t.Errorf("%d faults changed the outcome", faults)
			}
			if got := outcome(t, open(t, a, opts)); got != want.outcome {
				t.Errorf("%d faults changed what is stored", faults)
			}
			if faults < 30 {
				t.Errorf("only %d faults", faults)
			}
		})
	}
}

// TestACrashAtAnyRequest kills the process at every single request in nonce, before it is carried out or after:
// what is left is as after some commit, whole, and the next process goes on from there.
func TestACrashAtAnyRequest(t *testing.T) { inBoth(t, crashesAtAnyRequest) }

func crashesAtAnyRequest(t *testing.T, opts cosmos.Options) {
	evs := newTraffic(attacks.High).take(t, 96)
	const size = 12
	want := onLocalstore(t, evs, size)
	for _, drop := range []local.Drop{local.DropBefore, local.DropAfter} {
		crashes := 0
		for n := 0; ; n++ {
			if !crashAt(t, opts, evs, size, want, n, drop) {
				break
			}
			crashes++
		}
		t.Logf("%d places to crash at", crashes)
		if crashes < 50 {
			t.Error("that is too few")
		}
	}
}

// crashAt runs evs with a crash at the n-th request; false when there were not so many.
func crashAt(t *testing.T, opts cosmos.Options, evs []cloudevent.Event, size int, want reference, n int, drop local.Drop) (crashed bool) {
	t.Helper()
	a := account(t, local.Options{})
	var requests atomic.Int64
	var dead atomic.Bool
	a.Inject(func(local.Operation) local.Fault {
		switch {
		case dead.Load():
			return local.Fault{Drop: local.DropBefore}
		case requests.Add(1) == int64(n+1) && !crashed:
			dead.Store(true)
			return local.Fault{Drop: drop}
		}
		return local.Fault{}
	})
	f := correlator(open(t, a, opts))
	for part := range slices.Chunk(evs, size) {
		if err := f.Handle(context.Background(), part); err != nil && !dead.Load() {
			t.Fatalf("crash at %d: %v", n, err)
		}
		if !dead.Load() {
			continue
		}
		crashed = true
		dead.Store(false)
		whole(t, open(t, a, opts), want, n)
		f = correlator(open(t, a, opts))
		offer(t, f, part)
	}
	a.Inject(nil)
	if got := outcome(t, open(t, a, opts)); got != want.outcome {
		t.Errorf("crash at request %d, drop %d: another outcome", n, drop)
	}
	return crashed
}

// whole checks that what is visible is what some commit left.
func whole(t *testing.T, s *cosmos.Store, want reference, n int) {
	t.Helper()
	l, err := s.Load(context.Background(), tenant, incident.Refs{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Alerts(context.Background(), tenant, query.Query{Top: 1000, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Items) != want.alerts[l.Version] || p.Total != int64(len(p.Items)) {
		t.Errorf("crash at request %d: version %d has %d alerts, counted as %d, want %d", n, l.Version, len(p.Items), p.Total, want.alerts[l.Version])
	}
}

// TestTwoCorrelators is a lost session lock: two processes are given the same batches at the same time.
func TestTwoCorrelators(t *testing.T) { inBoth(t, twoCorrelators) }

func twoCorrelators(t *testing.T, opts cosmos.Options) {
	evs := newTraffic(attacks.Low).take(t, 600)
	want := onLocalstore(t, evs, 20)
	a := account(t, local.Options{})
	fs := []*correlate.Function{correlator(open(t, a, opts)), correlator(open(t, a, opts))}
	for part := range slices.Chunk(evs, 20) {
		var both sync.WaitGroup
		for _, f := range fs {
			both.Go(func() { offer(t, f, part) })
		}
		both.Wait()
	}
	if got := outcome(t, open(t, a, opts)); got != want.outcome {
		t.Error("a second correlator changed the outcome")
	}
}

// TestALateFlushIsRefused holds a process back before a request while another commits and flushes: when it goes on,
// its view is old and nothing of it may be written.
func TestALateFlushIsRefused(t *testing.T) {
	inBoth(t, func(t *testing.T, opts cosmos.Options) {
		evs := newTraffic(attacks.High).take(t, 240)
		want := onLocalstore(t, evs, 12)
		held := 0
		for lateAt(t, opts, evs, want, 1+3*int64(held)) {
			held++
		}
		t.Logf("held back before every third of %d requests", 3*held)
		if held < 15 {
			t.Error("that is too few")
		}
	})
}

// lateAt holds a process back before its n-th request; false when it has not so many.
func lateAt(t *testing.T, opts cosmos.Options, evs []cloudevent.Event, want reference, n int64) (held bool) {
	t.Helper()
	a := account(t, local.Options{})
	reached, release := make(chan struct{}), make(chan struct{})
	var requests atomic.Int64
	slow := opts
	slow.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	slow.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
		if requests.Add(1) == n {
			close(reached)
			<-release
		}
		return plain{}.Do(r)
	}))
	late, err := cosmos.Open(slow)
	if err != nil {
		t.Fatal(err)
	}
	parts := slices.Collect(slices.Chunk(evs, 12))
	done := make(chan struct{})
	go func() {
		defer close(done)
		f := correlator(late)
		for _, part := range parts[:7] {
			if err := f.Handle(context.Background(), part); err != nil && fault.Permanent(err) {
				t.Error(err)
			}
		}
	}()
	select {
	case <-reached:
		held = true
	case <-done:
	}
	other := correlator(open(t, a, opts))
	for _, part := range parts {
		offer(t, other, part)
	}
	close(release)
	<-done
	for _, s := range []*cosmos.Store{late, open(t, a, opts)} {
		if got := outcome(t, s); got != want.outcome {
			t.Errorf("a process that was late with its request %d changed the outcome", n)
		}
	}
	if opts.VolumeAt > 0 && countVolumes(a) < 2 {
		t.Errorf("there are only %d volumes", countVolumes(a))
	}
	return held
}

// transport is a function that carries requests.
type transport func(*http.Request) (*http.Response, error)

func (tr transport) Do(r *http.Request) (*http.Response, error) { return tr(r) }

func TestFaultsHaveTheirKind(t *testing.T) {
	for status, want := range map[int]fault.Kind{
		http.StatusTooManyRequests: fault.Exhausted, http.StatusServiceUnavailable: fault.Unavailable, http.StatusForbidden: fault.Unavailable,
		http.StatusUnauthorized: fault.Unavailable, http.StatusInternalServerError: fault.Unavailable,
	} {
		a := account(t, local.Options{})
		s := open(t, a, small)
		if _, err := s.Load(t.Context(), tenant, incident.Refs{}); err != nil {
			t.Fatal(err)
		}
		a.Inject(func(local.Operation) local.Fault { return local.Fault{Status: status} })
		for what, err := range map[string]error{
			"Load":   second(s.Load(t.Context(), tenant, incident.Refs{})),
			"Commit": s.Commit(t.Context(), tenant, 0, incident.Changes{Sequence: 1}),
			"Alerts": second(s.Alerts(t.Context(), tenant, query.Query{Top: 1})),
		} {
			if fault.Of(err) != want {
				t.Errorf("%s answered %d: %v is %v, want %v", what, status, err, fault.Of(err), want)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestTheServiceSaysHowLongToWait checks that its word is taken, that trying ends, and that a longer wait is left
// to the bus.
func TestTheServiceSaysHowLongToWait(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		waits int
	}{{700 * time.Millisecond, 5}, {time.Minute, 0}} {
		var waited []time.Duration
		a := account(t, local.Options{})
		opts := small
		opts.Wait = func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			return nil
		}
		s := open(t, a, opts)
		a.Inject(func(op local.Operation) local.Fault {
			if op.Kind == local.Control {
				return local.Fault{}
			}
			return local.Fault{Status: http.StatusTooManyRequests, RetryAfter: tt.after}
		})
		if _, err := s.Load(t.Context(), tenant, incident.Refs{}); fault.Of(err) != fault.Exhausted {
			t.Errorf("Load = %v", err)
		}
		if len(waited) != tt.waits || slices.ContainsFunc(waited, func(d time.Duration) bool { return d < tt.after }) {
			t.Errorf("asked for %v, waited %v", tt.after, waited)
		}
	}
}

// TestACancelledCallEnds checks that nobody waits on when the caller has gone.
func TestACancelledCallEnds(t *testing.T) {
	a := account(t, local.Options{})
	s := open(t, a, small)
	ctx, cancel := context.WithCancel(t.Context())
	a.Inject(func(op local.Operation) local.Fault {
		if op.Kind == local.Control {
			return local.Fault{}
		}
		cancel()
		return local.Fault{Status: http.StatusServiceUnavailable}
	})
	if _, err := s.Load(ctx, tenant, incident.Refs{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v", err)
	}
}

// TestLostAnswers loses the answer of every batch that was carried out: the writer finds out by itself that it was.
func TestLostAnswers(t *testing.T) {
	a := account(t, local.Options{})
	a.Inject(func(op local.Operation) local.Fault {
		if op.Kind == local.Batch {
			return local.Fault{Drop: local.DropAfter}
		}
		return local.Fault{}
	})
	s := open(t, a, small)
	for v := range uint64(10) {
		if err := s.Commit(t.Context(), tenant, v, incident.Changes{Sequence: int64(v) + 1}); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := s.Load(t.Context(), tenant, incident.Refs{}); err != nil || l.Version != 10 || l.Sequence != 10 {
		t.Errorf("Load = %+v, %v", l, err)
	}
}

// TestALostRaceIsAConflict has one process commit what the other had loaded, whether or not the loser gets an answer.
func TestALostRaceIsAConflict(t *testing.T) {
	for name, f := range map[string]local.Fault{"refused": {}, "no answer": {Drop: local.DropAfter}} {
		a := account(t, local.Options{})
		loser, winner := open(t, a, small), open(t, a, small)
		if err := loser.Commit(t.Context(), tenant, 0, incident.Changes{Sequence: 1}); err != nil {
			t.Fatal(err)
		}
		if err := winner.Commit(t.Context(), tenant, 1, incident.Changes{Sequence: 2}); err != nil {
			t.Fatal(err)
		}
		a.Inject(func(op local.Operation) local.Fault {
			if op.Kind == local.Batch {
				return f
			}
			return local.Fault{}
		})
		if err := loser.Commit(t.Context(), tenant, 1, incident.Changes{Sequence: 9}); fault.Of(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
		if l, err := loser.Load(t.Context(), tenant, incident.Refs{}); err != nil || l.Version != 2 || l.Sequence != 2 {
			t.Errorf("%s: Load = %+v, %v", name, l, err)
		}
	}
}
