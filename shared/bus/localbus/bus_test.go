package localbus

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/bustest"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
)

func TestPromises(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		return newDriver(t, vfs.NewCrashableMem(), &clock{now: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)})
	})
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newDriver(t *testing.T, fs *vfs.MemFS, c *clock) bustest.Driver {
	t.Helper()
	dir, err := datadir.Open("data", datadir.Options{FS: fs, CacheBytes: 1 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := Open(dir, bus.AlertsQueue, Options{Now: c.Now, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond, Reject: bustest.Reject})
	if err != nil {
		t.Fatal(err)
	}
	return bustest.Driver{
		Queue: b, Quarantine: b.Quarantine(), Advance: c.Advance, Window: 10 * time.Minute, Stats: b.Stats,
		Reopen: func(t *testing.T) bustest.Driver {
			return newDriver(t, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))}), c)
		},
	}
}

func TestDamagedEntriesGoToQuarantine(t *testing.T) {
	dir := datadir.OpenMemory()
	if err := dir.DB.Set(datadir.AppendUint(datadir.Key('l', bus.AlertsQueue, "a"), 1), []byte("rubbish"), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir, bus.AlertsQueue, Options{Reject: bustest.Reject})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), cloudevent.Event{ID: "good", Source: "/s", Type: "t", Tenant: "a"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	d := bustest.Driver{Queue: b}
	go d.Queue.Subscribe(t.Context(), bus.Handler(func(_ context.Context, evs []cloudevent.Event) error {
		for _, e := range evs {
			got = append(got, e.ID)
		}
		return nil
	}))
	if err := b.Wait(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "good" {
		t.Errorf("offered %v", got)
	}
	evs, _, err := b.Quarantine().List(t.Context(), "", 10)
	if err != nil || len(evs) != 1 || evs[0].Tenant != "a" || string(evs[0].Data) != `"cnViYmlzaA=="` {
		t.Errorf("quarantine holds %+v, %v", evs, err)
	}
}

func TestWindowIsBounded(t *testing.T) {
	w := newWindow(time.Hour, 100)
	now := time.Now()
	for i := range 1000 {
		_, f, _ := w.admitEvents([]cloudevent.Event{{Tenant: "a", ID: time.Duration(i).String()}}, now)
		w.finishWrite(f, nil)
	}
	if len(w.writes) > 101 || len(w.order) > 400 {
		t.Errorf("%d marks, %d in order", len(w.writes), len(w.order))
	}
}

// A worker may handle an event that Publish has written and still waits for the disk with. Unless both count it, the
// number of pending events is negative then.
func TestPendingIsNeverNegative(t *testing.T) {
	disk := &stuckDisk{free: make(chan struct{})}
	dir, err := datadir.Open("data", datadir.Options{FS: errorfs.Wrap(vfs.NewMem(), disk), CacheBytes: 1 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	b, err := Open(dir, bus.AlertsQueue, Options{})
	if err != nil {
		t.Fatal(err)
	}
	publish := func(id string) error {
		return b.Publish(t.Context(), cloudevent.Event{ID: id, Source: "/s", Type: "t", Tenant: "a"})
	}
	if err := publish("1"); err != nil {
		t.Fatal(err)
	}
	disk.stuck.Store(true)
	published := make(chan error, 1)
	go func() { published <- publish("2") }()
	for visible := 0; visible < 2; runtime.Gosched() {
		entries, err := b.log.Read("a", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		visible = len(entries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	subscribed := make(chan error, 1)
	go func() {
		subscribed <- b.Subscribe(ctx, func(_ context.Context, evs []cloudevent.Event) error {
			if len(evs) != 2 {
				t.Errorf("offered %d events, want the one that is not yet published too", len(evs))
			}
			return nil
		})
	}()
	if err := b.Wait(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := b.Stats(); got != (bus.Stats{}) {
		t.Errorf("while the disk is stuck: %+v", got)
	}
	close(disk.free)
	if err := <-published; err != nil {
		t.Error(err)
	}
	if got := b.Stats(); got != (bus.Stats{}) {
		t.Errorf("once both are published: %+v", got)
	}
	cancel()
	<-subscribed
}

// stuckDisk lets no sync of the write-ahead log through once it is stuck, until it is free.
type stuckDisk struct {
	stuck atomic.Bool
	free  chan struct{}
}

func (d *stuckDisk) MaybeError(op errorfs.Op) error {
	sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
	if sync && strings.HasSuffix(op.Path, ".log") && d.stuck.Load() {
		<-d.free
	}
	return nil
}

func (d *stuckDisk) String() string { return "stuck disk" }
