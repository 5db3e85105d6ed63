package cosmos

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDeltas(t *testing.T) {
	list := strings.Repeat(`{"incident":"41","first":"2026-03-03T00:07:33Z"},`, 40)
	for _, tt := range []struct {
		name, base, text string
		most             int // bytes
	}{
		{"nothing", "", "", 0},
		{"all new", "", "node", 7},
		{"all gone", list, "", 0},
		{"the same", list, list, 5},
		{"one more at the end", list, list + `{"incident":"42"}`, 30},
		{"the first drops out", "0123456789" + list, list, 6},
		{"a number in the middle", `{"k":"host:a","alerts":7,"list":[` + list, `{"k":"host:a","alerts":12,"list":[` + list, 20},
		{"shorter than a copy", "abc", "abc", 6},
	} {
		d := encodeDelta([]byte(tt.base), []byte(tt.text))
		got, err := applyDelta([]byte(tt.base), d, 1<<20)
		if err != nil || string(got) != tt.text {
			t.Errorf("%s: %.40q, %v", tt.name, got, err)
		}
		if len(d) > tt.most {
			t.Errorf("%s: %d bytes, at most %d are needed", tt.name, len(d), tt.most)
		}
	}
	if _, err := applyDelta([]byte("abcdefghijklmnop"), encodeDelta([]byte("abcdefghijklmnop"), []byte("abcdefghijklmnop")), 8); err == nil {
		t.Error("more than is allowed comes out")
	}
}

func FuzzDelta(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrst"), []byte("abcdefghijklmn0opqrst"), []byte{0, 12, 3})
	f.Add([]byte(nil), []byte("x"), []byte{200, 1})
	f.Fuzz(func(t *testing.T, base, text, any []byte) {
		got, err := applyDelta(base, encodeDelta(base, text), max(len(text), len(base)))
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q, %v", got, err)
		}
		if out, err := applyDelta(base, any, 1<<10); err == nil && len(out) > 1<<10 {
			t.Fatalf("%d bytes", len(out))
		}
		_, _ = decodeNodes(frameEncoder().EncodeAll(any, nil), func(uint64, string) *node { return &node{JSON: base} })
	})
}

func text(key string, n int) *node {
	return &node{Key: key, JSON: fmt.Appendf(nil, `{"key":%q,"alerts":%d,"list":[%s0]}`, key, n, strings.Repeat(`"2026-03-03T00:07:33Z",`, 40))}
}

// TestLayers writes two commits, the second of which leans on the first.
func TestLayers(t *testing.T) {
	now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	s := &Store{opts: Options{Now: func() time.Time { return now }}.withDefaults()}
	first := &logEntry{item: commitItem{V: 7, At: now.Unix()}, nodes: map[string]*node{"host:a": text("host:a", 1)}}
	v := &view{manifest: manifest{LogSince: now.Unix()}, log: []*logEntry{first}}
	packed, err := v.encodeNodes([]*node{text("host:a", 2), text("host:b", 1)}, now)
	if err != nil {
		t.Fatal(err)
	}
	second := &logEntry{item: commitItem{V: 8, At: now.Unix()}}
	if err := s.openLogEntry(second, packed, map[uint64]*logEntry{7: first}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []*node{text("host:a", 2), text("host:b", 1)} {
		if got := second.nodeByKey(want.Key); got == nil || string(got.JSON) != string(want.JSON) {
			t.Errorf("%s: %+v", want.Key, got)
		}
	}

	alone := &logEntry{item: second.item}
	if err := s.openLogEntry(alone, packed, nil); !errors.Is(err, errNoBase) {
		t.Errorf("without what it leans on: %v", err)
	}
	now = now.Add(maxBlobAge + time.Hour)
	if err := s.openLogEntry(alone, packed, nil); err != nil || alone.nodeByKey("host:b") != nil {
		t.Errorf("when it is of no use any more: %v", err)
	}

	whole, err := v.encodeNodes([]*node{text("host:a", 2)}, time.Unix(v.manifest.LogSince, 0).Add(deltaSpan))
	if err != nil {
		t.Fatal(err)
	}
	if nodes, err := decodeNodes(whole, nil); err != nil || len(nodes) != 1 || string(nodes[0].JSON) != string(text("host:a", 2).JSON) {
		t.Errorf("long after the first commit of a tail nothing leans on it: %v", err)
	}
}

// What was written before there were deltas is a list of whole nodes.
func TestLayersOfBefore(t *testing.T) {
	packed, err := encodeFrame([]*node{text("host:a", 1)})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := decodeNodes(packed, nil)
	if err != nil || len(nodes) != 1 || string(nodes[0].JSON) != string(text("host:a", 1).JSON) {
		t.Errorf("%+v, %v", nodes, err)
	}
}
