package localstore

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/storetest"
)

func TestPromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Driver {
		fs := vfs.NewCrashableMem()
		s, dir := openStore(t, fs)
		return storetest.Driver{
			Store: s,
			Crash: func(t *testing.T, seed uint64) storetest.Store {
				s, _ := openStore(t, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed) * 10, RNG: rand.New(rand.NewPCG(seed, 0))}))
				return s
			},
			Publish: func(t *testing.T, a alert.Alert) uint64 {
				return publishAlert(t, dir, a)
			},
		}
	})
}

func openStore(t *testing.T, fs vfs.FS) (*Store, *datadir.Dir) {
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
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func publishAlert(t testing.TB, dir *datadir.Dir, a alert.Alert) uint64 {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	p, err := dir.Log("alerts").Append([]cloudevent.Event{{ID: a.ID, Source: "/s", Type: "t", Tenant: a.Tenant, Data: data}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p[0]
}

func TestReplacedBodiesLeaveTheLog(t *testing.T) {
	s, dir := openStore(t, vfs.NewMem())
	m := incident.AlertRecord{Alert: alert.Alert{ID: "a", Tenant: "t"}}
	for v := range uint64(3) {
		m.Position = publishAlert(t, dir, m.Alert)
		if err := s.Commit(t.Context(), "t", v, incident.Changes{Alerts: []incident.AlertRecord{m}}); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := dir.Log("alerts").Read("t", 0, 10); err != nil || len(entries) != 1 || entries[0].Position != 3 {
		t.Errorf("the log keeps %v, %v", entries, err)
	}
}

func TestNodesAreForgotten(t *testing.T) {
	s, _ := openStore(t, vfs.NewMem())
	s.opts.Now = func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
	day := func(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	version := uint64(0)
	write := func(nodes ...incident.Node) {
		t.Helper()
		if err := s.Commit(t.Context(), "t", version, incident.Changes{Nodes: nodes}); err != nil {
			t.Fatal(err)
		}
		version++
	}
	left := func() string {
		l, err := s.Load(t.Context(), "t", incident.Refs{Nodes: []string{"alias", "new", "old", "touched"}})
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, n := range l.Nodes {
			out += n.Key + " "
		}
		return out
	}
	write(incident.Node{Key: "old", Last: day(0)}, incident.Node{Key: "alias", SameAs: "old"}, incident.Node{Key: "touched", Last: day(0)})
	write(incident.Node{Key: "new", Last: day(29)})
	write()
	if got := left(); got != "alias new old touched " {
		t.Errorf("within a life: %s", got)
	}
	write(incident.Node{Key: "touched", Last: day(31)})
	for range 4 {
		write()
	}
	if got := left(); got != "alias new touched " { // an alias goes in the round after the node that it names
		t.Errorf("after a life: %s", got)
	}
	write(incident.Node{Key: "late", Last: day(70)})
	for range 4 {
		write()
	}
	if got := left(); got != "" {
		t.Errorf("after another life: %s", got)
	}
}

// FuzzHeads feeds damaged heads: they are errors, never panics.
func FuzzHeads(f *testing.F) {
	b, err := encodeAlert(incident.AlertRecord{Alert: alert.Alert{ID: "a", Title: "t"}, Reasons: []incident.Reason{{Rule: "r"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(encodeIncident(incident.Incident{Name: "n"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if row, err := decodeAlert("a", 0, b); err == nil {
			_, _ = row.decodeWhole([]byte("{}"))
		}
		_, _ = decodeIncident("i", 0, b)
	})
}
