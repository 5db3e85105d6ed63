package cosmos_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos"
)

const day = 24 * time.Hour

// life is a store whose clock, and the service's, goes by days.
type life struct {
	*rig
	t       *testing.T
	version uint64
}

func newLife(t *testing.T, opts cosmos.Options) *life { return &life{newRig(t, opts), t, 0} }

// commit touches nodes by key, now.
func (l *life) commit(keys ...string) {
	l.t.Helper()
	var nodes []incident.Node
	for _, key := range keys {
		nodes = append(nodes, incident.Node{Key: key, First: l.now, Last: l.now, Episodes: 1})
	}
	l.write(nodes...)
}

func (l *life) write(nodes ...incident.Node) {
	l.t.Helper()
	if err := l.store.Commit(l.t.Context(), tenant, l.version, incident.Changes{Nodes: nodes}); err != nil {
		l.t.Fatal(err)
	}
	l.version++
}

// has says which nodes are remembered, by a process that has just begun.
func (l *life) has(keys ...string) map[string]bool {
	l.t.Helper()
	loaded, err := l.open(l.t, cosmos.Options{}).Load(l.t.Context(), tenant, incident.Refs{Nodes: keys})
	if err != nil {
		l.t.Fatal(err)
	}
	out := map[string]bool{}
	for _, n := range loaded.Nodes {
		out[n.Key] = true
	}
	return out
}

func TestNamesExpire(t *testing.T) {
	l := newLife(t, cosmos.Options{})
	l.commit("id:finding-1", "host:web")
	l.now = l.now.Add(incident.LifetimeOf("id:finding-1"))
	if !l.has("id:finding-1")["id:finding-1"] {
		t.Error("a name is forgotten before its life is over")
	}
	l.now = l.now.Add(2 * day)
	if got := l.has("id:finding-1", "host:web"); got["id:finding-1"] || !got["host:web"] {
		t.Errorf("after its life: %v", got)
	}
	for _, p := range l.account.Partitions("onepane", "state") {
		if p.Items != 2 { // manifest and commit
			t.Errorf("%d items are left", p.Items)
		}
	}
}

// TestAQuietTenantRemembers is a tenant with one commit in ten days: blobs of nodes expire all the time, what is of
// use never.
func TestAQuietTenantRemembers(t *testing.T) {
	l := newLife(t, cosmos.Options{})
	l.write(incident.Node{Key: "ip:10.0.0.1", SameAs: "host:web"}, incident.Node{Key: "host:web", Last: l.now}, incident.Node{Key: "host:once", Last: l.now})
	for range 20 {
		l.now = l.now.Add(10 * day)
		l.commit("host:web")
		if got := l.has("host:web", "ip:10.0.0.1"); !got["host:web"] || !got["ip:10.0.0.1"] {
			t.Fatalf("on %s: %v", l.now.Format(time.DateOnly), got)
		}
	}
	if l.has("host:once")["host:once"] {
		t.Error("a node is remembered 200 days after it was touched")
	}
	for _, p := range l.account.Partitions("onepane", "blobs") {
		if p.Items > 0 {
			return
		}
	}
	t.Error("no blob is left")
}

// TestASilentTenantComesBack commits nothing until all blobs of its nodes have expired.
func TestASilentTenantComesBack(t *testing.T) {
	for _, opts := range []cosmos.Options{{}, {Fold: 2, Merge: 2}, {Fold: 1, Merge: 1}} {
		l := newLife(t, opts)
		for range 5 {
			l.commit("host:web", "host:db")
		}
		l.now = l.now.Add(100 * day)
		if got := l.has("host:web", "host:db"); len(got) > 0 {
			t.Errorf("after 100 days: %v", got)
		}
		for range 5 {
			l.commit("host:web")
			if got := l.has("host:web"); !got["host:web"] {
				t.Errorf("later: %v", got)
			}
		}
		if opts.Fold > 0 && l.has("host:db")["host:db"] {
			t.Error("a node is remembered 100 days after it was touched")
		}
	}
}

// TestForgottenNodesTakeNoRoom touches other nodes every day: what is stored of them does not grow without end.
func TestForgottenNodesTakeNoRoom(t *testing.T) {
	l := newLife(t, cosmos.Options{Fold: 4, Merge: 3})
	var first int64
	for n := range 200 {
		l.now = l.now.Add(day)
		var keys []string
		for i := range 50 {
			keys = append(keys, fmt.Sprintf("host:%d-%d", n, i))
		}
		l.commit(keys...)
		if n == 99 {
			first = l.stored()
		}
	}
	if now := l.stored(); now > first*5/4 {
		t.Errorf("%d bytes after 100 days, %d after 200", first, now)
	}
}

// stored is the size of all blobs.
func (l *life) stored() (bytes int64) {
	for _, p := range l.account.Partitions("onepane", "blobs") {
		bytes += p.Bytes
	}
	return bytes
}
