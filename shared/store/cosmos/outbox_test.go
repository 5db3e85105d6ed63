package cosmos_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	local "github.com/onepane/onepane/infra/local/cosmos"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// TestNoChangeWithoutItsEntry kills the process at every request of a commit and of a document in nonce, before it
// is carried out or after: what was changed has its entry in the audit log, what was not has none.
func TestNoChangeWithoutItsEntry(t *testing.T) {
	for _, drop := range []local.Drop{local.DropBefore, local.DropAfter} {
		places := 0
		for ; killedAt(t, places, drop); places++ {
		}
		if places < 8 {
			t.Errorf("only %d places to crash at", places)
		}
	}
}

// killedAt is false when there were not so many requests.
func killedAt(t *testing.T, n int, drop local.Drop) bool {
	t.Helper()
	a := account(t, local.Options{})
	var requests atomic.Int64
	var dead atomic.Bool
	a.Inject(func(local.Operation) local.Fault {
		switch {
		case dead.Load():
			return local.Fault{Drop: local.DropBefore}
		case requests.Add(1) == int64(n+1):
			dead.Store(true)
			return local.Fault{Drop: drop}
		}
		return local.Fault{}
	})
	s := open(t, a, cosmos.Options{})
	changes := incident.Changes{
		Alerts:       []incident.AlertRecord{{Alert: alert.Alert{ID: "gd1", Tenant: tenant}}},
		AuditEntries: []incident.AuditEntry{{ID: "of the commit", Data: []byte(`{}`)}, {ID: "of the commit too", Data: []byte(`{}`)}},
	}
	_ = s.Commit(context.Background(), tenant, 0, changes) // what became of it is seen below
	_, _ = s.PutAudited(context.Background(), "key", store.Document{ID: "k", Data: []byte(`{}`)}, tenant, store.AuditEntry{ID: "of the document", Data: []byte(`{}`)})
	a.Inject(nil)
	s = open(t, a, cosmos.Options{})
	l, err := s.Load(t.Context(), tenant, incident.Refs{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Document(t.Context(), "key", "k")
	if err != nil && fault.Of(err) != fault.NotFound {
		t.Fatal(err)
	}
	want := []string{}
	if l.Version == 1 {
		want = append(want, "of the commit too", "of the commit")
	}
	if err == nil {
		want = slices.Insert(want, 0, "of the document")
	}
	for range 2 { // reading delivers; reading again delivers nothing twice
		es, err := s.Entries(t.Context(), tenant, "", 10)
		got := []string{}
		for _, e := range es {
			got = append(got, e.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("killed at request %d, drop %d: version %d, entries %q, want %q, %v", n, drop, l.Version, got, want, err)
		}
	}
	for _, p := range a.Partitions("onepane", "state") {
		if strings.Contains(p.Key, "!documents/") && p.Items > 1 {
			t.Errorf("killed at request %d, drop %d: %d items are left beside the document", n, drop, p.Items-1)
		}
	}
	return dead.Load()
}
