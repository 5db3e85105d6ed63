package localstore

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/storetest"
)

func TestLedger(t *testing.T) {
	storetest.RunDocuments(t, func(t *testing.T) storetest.DocumentsDriver {
		fs := vfs.NewCrashableMem()
		s, _ := openStore(t, fs)
		now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
		s.auditLog.now = func() time.Time { return now }
		return storetest.DocumentsDriver{
			Store: s, Now: s.auditLog.now,
			Later: func(d time.Duration) { now = now.Add(d) },
			Crash: func(t *testing.T) storetest.DocumentStore {
				s, _ := openStore(t, fs.CrashClone(vfs.CrashCloneCfg{RNG: rand.New(rand.NewPCG(1, 0))})) // nothing unsynced is left
				return s
			},
		}
	})
}

func TestExpiredEntriesAreDropped(t *testing.T) {
	s, _ := openStore(t, vfs.NewMem())
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	s.auditLog.now = func() time.Time { return now }
	for _, id := range []string{"a", "b", "c"} {
		if err := s.AppendEntry(t.Context(), "t", store.AuditEntry{ID: id, Expires: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(2 * time.Hour)
	if err := s.AppendEntry(t.Context(), "t", store.AuditEntry{ID: "d"}); err != nil {
		t.Fatal(err)
	}
	s.auditLog.now = func() time.Time { return now.Add(-2 * time.Hour) } // who looks back sees what is left
	if es, err := s.Entries(t.Context(), "t", "", 10); err != nil || len(es) != 1 || es[0].ID != "d" {
		t.Errorf("left: %v, %v", es, err)
	}
}
