// Package ingesttest holds the promises every provider keeps, and checks them on the provider's recorded deliveries.
//
//	testdata/NAME.json (a finding, an array, or NDJSON) ──Normalize──▶ testdata/golden/NAME.json
//
// `go test -update` rewrites the goldens; the diff is what gets reviewed.
package ingesttest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

var update = flag.Bool("update", false, "rewrite golden files")

// IsUpdating reports whether the test was asked to rewrite what it expects.
func IsUpdating() bool { return *update }

// Outcome is what a golden file records of one finding.
type Outcome struct {
	Alert   *alert.Alert `json:"alert,omitempty"`
	Ignored string       `json:"ignored,omitzero"`
	Error   string       `json:"error,omitzero"`
}

// Run checks p on every recorded delivery in dir.
func Run(t *testing.T, p ingest.Provider, dir string) {
	files := recordedFiles(t, dir)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			records := Records(t, p, body)
			outcomes := make([]Outcome, len(records))
			for i, r := range records {
				if !p.Recognize(r) {
					t.Errorf("record %d is not recognized as the provider's own", i)
				}
				outcomes[i] = normalizeRecord(p, r)
				checkPromises(t, p, r, outcomes[i])
			}
			compareGolden(t, filepath.Join(dir, "golden", filepath.Base(file)), outcomes)
		})
	}
}

// Records opens a recorded delivery as far as one provider needs it.
func Records(t testing.TB, p ingest.Provider, body []byte) []ingest.Record {
	t.Helper()
	var out []ingest.Record
	for _, v := range ingest.SplitValues(body) {
		for _, r := range ingest.SplitArray(v) {
			if r.Err != nil {
				t.Fatalf("recorded delivery does not open: %v", r.Err)
			}
			parts := []ingest.Record{r}
			if s, ok := p.(ingest.Splitter); ok && p.Recognize(r) {
				var err error
				if parts, err = s.Split(r); err != nil {
					t.Fatalf("split: %v", err)
				}
			}
			out = append(out, parts...)
		}
	}
	return out
}

// Fuzz feeds p whatever go test invents, seeded with the recordings in dir: it must never panic, and what
// it accepts must keep the promises.
func Fuzz(f *testing.F, p ingest.Provider, dir string) {
	for _, file := range recordedFiles(f, dir) {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, v := range ingest.SplitValues(body) {
			for _, r := range ingest.SplitArray(v) {
				parts := []ingest.Record{r}
				if r.Err != nil || !p.Recognize(r) {
					continue
				}
				if s, ok := p.(ingest.Splitter); ok {
					var err error
					if parts, err = s.Split(r); err != nil {
						continue
					}
				}
				for _, part := range parts {
					checkPromises(t, p, part, normalizeRecord(p, part))
				}
			}
		}
	})
}

func recordedFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.*json"))
	if len(files) == 0 {
		t.Fatalf("no recorded deliveries in %s", dir)
	}
	return files
}

func normalizeRecord(p ingest.Provider, r ingest.Record) Outcome {
	a, err := p.Normalize(r)
	if reason, ok := ingest.IgnoredReason(err); ok {
		return Outcome{Ignored: reason}
	}
	if err != nil {
		return Outcome{Error: err.Error()}
	}
	return Outcome{Alert: &a}
}

// checkPromises checks what holds for every record of every provider.
func checkPromises(t *testing.T, p ingest.Provider, r ingest.Record, o Outcome) {
	t.Helper()
	if o.Alert == nil {
		if o.Error != "" {
			if _, err := p.Normalize(r); fault.Of(err) != fault.Invalid && fault.Of(err) != fault.TooLarge {
				t.Errorf("a finding that cannot be read must be fault.Invalid, got %v: %v", fault.Of(err), err)
			}
		}
		return
	}
	a := *o.Alert
	if a.Origin.ID == "" || a.Origin.Provider == "" || a.Reporter == "" || a.ReportID == "" {
		t.Errorf("origin %+v, reporter %q, report id %q: all must be set", a.Origin, a.Reporter, a.ReportID)
	}
	if a.Last.Before(a.First) && !a.Last.IsZero() {
		t.Errorf("last activity %v is before the first %v", a.Last, a.First)
	}
	for i, e := range a.Evidence {
		if e.Value == "" || e.Kind == "" {
			t.Errorf("evidence %d has no kind or value: %+v", i, e)
		}
	}
	again, _ := p.Normalize(r)
	if again.Revision() != a.Revision() {
		t.Error("normalizing twice gave two revisions")
	}
	if r.Raw.Kind() == '{' {
		unknown := append(append(slices.Clip(bytes.TrimSuffix(bytes.TrimSpace(r.Raw), []byte("}"))), joinedNames(r)...), `"zzOnepaneUnknown":{"a":[1,null]}}`...)
		if with, err := p.Normalize(ingest.NewRecord(jsontext.Value(unknown), r.Context)); err != nil || with.Origin != a.Origin {
			t.Errorf("an unknown member changed the outcome: %v, origin %+v", err, with.Origin)
		}
	}
}

func joinedNames(r ingest.Record) string {
	if len(r.Fields) == 0 {
		return ""
	}
	return ","
}

func compareGolden(t *testing.T, golden string, outcomes []Outcome) {
	t.Helper()
	got, err := json.Marshal(outcomes, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("no golden (run go test -update and review): %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and review the diff\n got: %s", golden, firstDiff(got, want))
	}
}

// firstDiff shows the first line that differs.
func firstDiff(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			old := "(nothing)"
			if i < len(w) {
				old = w[i]
			}
			return g[i] + "\nwant: " + old
		}
	}
	return "(shorter than the golden)"
}
