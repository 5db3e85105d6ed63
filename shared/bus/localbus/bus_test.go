package localbus

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/bustest"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
)

func TestPromises(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Driver {
		return driver(t, vfs.NewCrashableMem(), &clock{now: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)})
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

func driver(t *testing.T, fs *vfs.MemFS, c *clock) bustest.Driver {
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
	b, err := Open(dir, bus.Alerts, Options{Now: c.Now, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond, Reject: bustest.Reject})
	if err != nil {
		t.Fatal(err)
	}
	return bustest.Driver{
		Queue: b, Shelf: b.Shelf(), Advance: c.Advance, Window: 10 * time.Minute, Stats: b.Stats,
		Reopen: func(t *testing.T) bustest.Driver {
			return driver(t, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))}), c)
		},
	}
}

func TestDamagedEntriesAreSetAside(t *testing.T) {
	dir := datadir.Memory()
	if err := dir.DB.Set(datadir.AppendUint(datadir.Key('l', bus.Alerts, "a"), 1), []byte("rubbish"), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir, bus.Alerts, Options{Reject: bustest.Reject})
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
	evs, _, err := b.Shelf().List(t.Context(), "", 10)
	if err != nil || len(evs) != 1 || evs[0].Tenant != "a" || string(evs[0].Data) != `"cnViYmlzaA=="` {
		t.Errorf("the shelf holds %+v, %v", evs, err)
	}
}

func TestWindowIsBounded(t *testing.T) {
	w := newWindow(time.Hour, 100)
	now := time.Now()
	for i := range 1000 {
		_, f, _ := w.admit([]cloudevent.Event{{Tenant: "a", ID: time.Duration(i).String()}}, now)
		w.land(f, nil)
	}
	if len(w.marks) > 101 || len(w.order) > 400 {
		t.Errorf("%d marks, %d in order", len(w.marks), len(w.order))
	}
}
