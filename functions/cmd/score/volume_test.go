package main

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/testdata/attacks"
)

// A volume has as many alerts as it should, the same ones each time; no two reports of different alerts share an id,
// and no alert is delivered much before the one in front of it.
func TestVolume(t *testing.T) {
	const n = 100_000
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := writeVolume(out, 7, n); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two volumes of one seed differ")
	}
	type name struct{ tenant, id string }
	told, lines := map[name]time.Time{}, 0
	var latest time.Time
	for in := bufio.NewScanner(&first); in.Scan(); lines++ {
		var a attacks.Alert
		if err := json.Unmarshal(in.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if at, known := told[name{a.Tenant, a.ID}]; known && !at.Equal(a.Time) {
			t.Fatalf("alert %s of %s is of %s and of %s", a.ID, a.Tenant, at, a.Time)
		}
		told[name{a.Tenant, a.ID}] = a.Time
		if latest.Sub(a.Delivered) > time.Minute {
			t.Fatalf("alert %s is delivered %s late", a.ID, latest.Sub(a.Delivered))
		}
		if a.Delivered.After(latest) {
			latest = a.Delivered
		}
	}
	if lines != n {
		t.Errorf("%d alerts, want %d", lines, n)
	}
}
