package lsm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// memory is blobs that expire.
type memory struct {
	now func() time.Time

	mu      sync.Mutex
	data    map[Ref][]byte
	expires map[Ref]time.Time
	bytes   int // written
	broken  error
}

func (m *memory) PutBlob(_ context.Context, data []byte, ttl int) (Ref, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := sha256.Sum256(data)
	ref := Ref{ID: hex.EncodeToString(sum[:12]), Parts: 1}
	m.data[ref], m.expires[ref] = data, m.now().Add(time.Duration(ttl)*time.Second)
	m.bytes += len(data)
	return ref, m.broken
}

func (m *memory) GetBlob(_ context.Context, ref Ref) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data := m.data[ref]; data != nil && m.now().Before(m.expires[ref]) {
		return data, nil
	}
	return nil, errors.New("there is no such blob")
}

// life is a tree whose clock goes by days.
type life struct {
	*Tree
	*testing.T
	memory *memory
	Snapshot
	now     time.Time
	version uint64
	want    map[string]string // by key
}

const day = 24 * time.Hour

func newLife(t *testing.T) *life {
	l := &life{T: t, now: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), want: map[string]string{}}
	l.memory = &memory{now: func() time.Time { return l.now }, data: map[Ref][]byte{}, expires: map[Ref]time.Time{}}
	l.Tree = &Tree{LayerBlobs: l.memory, RunBlobs: l.memory, Indexes: NewIndexes(1 << 20), Now: l.memory.now, Life: 30 * day, CompactAt: 3}
	return l
}

func text(key string, n int) *Node {
	return &Node{Key: key, JSON: fmt.Appendf(nil, `{"key":%q,"alerts":%d,"list":[%s0]}`, key, n, strings.Repeat(`"2026-03-03T00:07:33Z",`, 40))}
}

// commit writes nodes, and flushes and compacts when that is due.
func (l *life) commit(flushAt int, nodes ...*Node) {
	l.Helper()
	for _, n := range nodes {
		n.Last, n.Written = l.now.Unix(), l.now.Unix()
		l.want[n.Key] = string(n.JSON)
	}
	l.version++
	if len(l.Log) == 0 {
		l.Since = l.now.Unix()
	}
	layer, err := l.WriteLayer(l.Context(), l.Snapshot, l.version, nodes)
	if err != nil {
		l.Fatal(err)
	}
	l.Log = append(l.Log[:len(l.Log):len(l.Log)], layer)
	if len(l.Log) >= flushAt || l.NeedsRenewal(l.Since) {
		if l.Levels, err = l.Flush(l.Context(), l.Snapshot); err != nil {
			l.Fatal(err)
		}
		l.Log = nil
	} else if l.NeedsCompaction(l.Levels) {
		if l.Levels, err = l.CompactStep(l.Context(), l.Snapshot); err != nil {
			l.Fatal(err)
		}
	}
}

// reopened is the snapshot as another process reads it.
func (l *life) reopened() Snapshot {
	s := l.Snapshot
	s.Log = nil
	for _, layer := range l.Log {
		s.Log = append(s.Log, &Layer{Version: layer.Version, Written: layer.Written, Ref: layer.Ref})
	}
	return s
}

func (l *life) check() {
	l.Helper()
	keys := append(sortedKeys(l.want), "nobody")
	for _, s := range []Snapshot{l.Snapshot, l.reopened()} {
		nodes, err := l.FindNodes(l.Context(), s, keys)
		if err != nil {
			l.Fatal(err)
		}
		if len(nodes) != len(l.want) {
			l.Fatalf("%d nodes are found, want %d", len(nodes), len(l.want))
		}
		for _, n := range nodes {
			if string(n.JSON) != l.want[n.Key] {
				l.Fatalf("%s is %.60s, want %.60s", n.Key, n.JSON, l.want[n.Key])
			}
		}
	}
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range maps.Keys(m) {
		keys = append(keys, key)
	}
	return keys
}

func TestTheNewestVersionIsFound(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for _, flushAt := range []int{2, 3, 1000} {
		l := newLife(t)
		for n := range 60 {
			var nodes []*Node
			for key := range 40 {
				if dice.IntN(4) == 0 {
					nodes = append(nodes, text(fmt.Sprint("host:", key), n))
				}
			}
			l.commit(flushAt, nodes...)
			l.check()
		}
		if flushAt < 10 && len(l.Bottom) == 0 {
			t.Errorf("flushed every %d commits: nothing was compacted", flushAt)
		}
	}
}

func TestNodesExpireAndAliasesLiveOn(t *testing.T) {
	l := newLife(t)
	alias := text("ip:10.0.0.1", 1)
	alias.SameAs = "host:web"
	l.commit(2, alias, text("host:web", 1), text("host:once", 1))
	for n := range 20 {
		l.now = l.now.Add(10 * day)
		l.commit(2, text("host:web", n))
	}
	delete(l.want, "host:once")
	l.check()
	if l.now = l.now.Add(100 * day); l.isPastUse(l.Since) {
		l.want = map[string]string{}
		l.check() // blobs are gone, and nobody asks for them
	}
}

func TestABrokenWriteIsAnError(t *testing.T) {
	l := newLife(t)
	l.commit(10, text("host:a", 1))
	l.memory.broken = errors.New("broken")
	if _, err := l.WriteLayer(t.Context(), l.Snapshot, 2, []*Node{text("host:a", 2)}); err == nil {
		t.Error("a layer was written")
	}
	if _, err := l.Flush(t.Context(), l.Snapshot); err == nil {
		t.Error("the log was flushed")
	}
	if l.check(); len(l.Runs) != 0 {
		t.Errorf("%d runs", len(l.Runs))
	}
}

// TestLayersBuildOnEarlierOnes writes two commits, the second of which has the first as its dictionary.
func TestLayersBuildOnEarlierOnes(t *testing.T) {
	l := newLife(t)
	l.commit(10, text("host:a", 1))
	first, before := l.Log[0], l.memory.bytes
	l.commit(10, text("host:a", 2), text("host:b", 1))
	if size := l.memory.bytes - before; size > 250 {
		t.Errorf("the second layer has %d bytes", size)
	}
	packed := l.memory.data[*l.Log[1].Ref]
	second := &Layer{Version: 2, Written: l.now.Unix()}
	if err := l.openLayer(second, packed, map[uint64]*Layer{1: first}); err != nil || string(second.nodeByKey("host:a").JSON) != l.want["host:a"] {
		t.Errorf("with its base: %v", err)
	}
	alone := &Layer{Version: 2, Written: l.now.Unix()}
	if err := l.openLayer(alone, packed, nil); !errors.Is(err, errNoBase) {
		t.Errorf("without its base: %v", err)
	}
	l.now = l.now.Add(maxBlobAge + time.Hour)
	if err := l.openLayer(alone, packed, nil); err != nil || alone.nodeByKey("host:b") != nil {
		t.Errorf("when it is of no use any more: %v", err)
	}
	whole, err := l.encodeLayer([]*Node{text("host:a", 2)}, time.Unix(l.Since, 0).Add(baseSpan))
	if err != nil {
		t.Fatal(err)
	}
	if nodes, err := decodeLayer(whole, nil); err != nil || len(nodes) != 1 || string(nodes[0].JSON) != string(text("host:a", 2).JSON) {
		t.Errorf("long after the first commit of a log nothing builds on it: %v", err)
	}
}

// What was written before there were bases is a list of whole nodes; a text of the old form is a delta (in the tests of
// migration as the versions of then wrote it).
func TestOldLayersAreRead(t *testing.T) {
	packed, err := frame.Encode([]*Node{text("host:a", 1)})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := decodeLayer(packed, nil)
	if err != nil || len(nodes) != 1 || string(nodes[0].JSON) != string(text("host:a", 1).JSON) {
		t.Errorf("%+v, %v", nodes, err)
	}
	for _, tt := range []struct {
		name, base string
		delta      []byte
		want       string
	}{
		{"nothing", "", nil, ""},
		{"all new", "", []byte("\x04node\x00\x00"), "node"},
		{"copied", "0123456789", []byte("\x01a\x03\x02\x00\x02\x08"), "a23489"},
		{"more than there is", "0123", []byte("\x00\x05\x00"), ""},
		{"a length without its bytes", "", []byte("\x09a"), ""},
		{"more than the limit", strings.Repeat("x", 200), []byte("\x00\x65\x00"), ""},
	} {
		if got, _ := applyDelta([]byte(tt.base), tt.delta, 100); string(got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzBlobs feeds damaged blobs: they are errors, never panics.
func FuzzBlobs(f *testing.F) {
	f.Add([]byte(`[{"k":"host:a","n":{"key":"host:a"}}]`), []byte("abcdefgh"))
	f.Add([]byte(`{"blocks":[{"low":3}],"filter":{"bits":""}}`), []byte("\x01\x02[]"))
	f.Add([]byte(`[null]`), []byte("\x02\x09"))
	f.Add([]byte("\x01\x13[{\"k\":\"a\",\"b\":1}]"), []byte{0, 12, 3})
	f.Fuzz(func(t *testing.T, plain, base []byte) {
		packed := frame.Compress(plain, nil)
		_, _ = decodeNodes(packed)
		text := func(uint64, string) *Node { return &Node{JSON: jsontext.Value(base)} }
		for _, data := range [][]byte{plain, packed, append([]byte{layerForm}, plain...), append([]byte{layerForm, byte(len(packed))}, packed...)} {
			_, _ = decodeLayer(data, text)
		}
		if out, err := applyDelta(base, plain, 1<<10); err == nil && len(out) > 1<<10 {
			t.Fatalf("%d bytes", len(out))
		}
		var ix runIndex
		if frame.Decode(packed, &ix) == nil {
			ix.blockFor(7)
			ix.Filter.mayContain(7)
		}
	})
}

// BenchmarkWriteLayer writes 170 nodes that are in the log already and have changed a little, as a commit of 50
// alerts does.
func BenchmarkWriteLayer(b *testing.B) {
	node := func(key, n int) *Node {
		text := fmt.Appendf(nil, `{"key":"host:%d","alerts":%d,"list":[`, key, n)
		for i := range 40 {
			text = fmt.Appendf(text, `{"incident":"%d","first":"2026-03-%02dT%02d:07:33Z","kind":"kind:%d"},`, key*131+i+n, i%28+1, (key+i)%24, key*7+i*i)
		}
		return &Node{Key: fmt.Sprint("host:", key), JSON: append(text, "0]}"...)}
	}
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	old := &Layer{Version: 1, Written: now.Unix(), nodes: map[string]*Node{}}
	var nodes []*Node
	for key := range 170 {
		old.nodes[fmt.Sprint("host:", key)] = node(key, 1)
		nodes = append(nodes, node(key, 2))
	}
	s := Snapshot{Log: []*Layer{old}, Since: now.Unix()}
	var data []byte
	for b.Loop() {
		var err error
		if data, err = s.encodeLayer(nodes, now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(data)), "bytes/commit")
}
