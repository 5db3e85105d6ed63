package mapping

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

func loadBuiltin(t testing.TB) []ingest.Provider {
	t.Helper()
	ps, err := Load(BuiltinProducts())
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestConformance(t *testing.T) {
	for _, p := range loadBuiltin(t) {
		t.Run(p.Name(), func(t *testing.T) { ingesttest.Run(t, p, filepath.Join("testdata", p.Name())) })
	}
}

// FuzzNormalize gives every mapping every input: whatever a record is, no expression may panic on it.
func FuzzNormalize(f *testing.F) {
	ps := loadBuiltin(f)
	for _, p := range ps {
		files, _ := filepath.Glob(filepath.Join("testdata", p.Name(), "*.*json"))
		for _, file := range files {
			f.Add(readRecording(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, v := range ingest.SplitValues(body) {
			for _, r := range ingest.SplitArray(v) {
				for _, p := range ps {
					if r.Err != nil || !p.Recognize(r) {
						continue
					}
					a, err := p.Normalize(r)
					if _, ignored := ingest.IgnoredReason(err); err != nil && !ignored && fault.Of(err) != fault.Invalid {
						t.Errorf("%s: %v", p.Name(), err)
					}
					if err == nil && (a.Origin.ID == "" || a.Title == "" || a.Last.Before(a.First)) {
						t.Errorf("%s: %+v", p.Name(), a)
					}
				}
			}
		}
	})
}

func TestEachRecordingIsOneProductsOnly(t *testing.T) {
	ps := loadBuiltin(t)
	for _, p := range ps {
		files, _ := filepath.Glob(filepath.Join("testdata", p.Name(), "*.*json"))
		for _, file := range files {
			for _, r := range ingesttest.Records(t, p, readRecording(t, file)) {
				for _, other := range ps {
					if other != p && other.Recognize(r) {
						t.Errorf("%s also takes %s for its own", other.Name(), file)
					}
				}
			}
		}
	}
}

func TestLoadReportsAllMistakesTogether(t *testing.T) {
	_, err := Load(fstest.MapFS{
		"a.yaml": {Data: []byte("product: a\nfields: [x]\nid: 'text(r, '\ntitle: 'list(r, \"x\")'\nseverity:\n  words: {p1: dreadful}\nevidence:\n  - {kind: gadget, value: '1'}\n")},
		"b.yaml": {Data: []byte("name: b\n")},
		"c.yaml": {Data: []byte("product: c\nfields: [x]\nid: text(r, \"x\")\ntitel: text(r, \"x\")\n")},
	})
	if err == nil {
		t.Fatal("loaded")
	}
	for _, want := range []string{
		"a.yaml:3: id: ", "a.yaml:4: title: gives list(dyn), must give string", `a.yaml: severity.words.p1: "dreadful" is no severity`,
		`a.yaml: evidence[0].kind: "gadget" is no kind of entity`, "a.yaml:8: evidence[0].value: gives int, must give string",
		"b.yaml: product: missing", "b.yaml: fields: missing", "b.yaml: id: missing", "c.yaml: ", "field titel not found",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes do not say %q:\n%v", want, err)
		}
	}
}

func TestLaterFolderReplaces(t *testing.T) {
	own := fstest.MapFS{
		"lacework.yaml": {Data: []byte("product: lacework\nfields: [alertId]\nid: text(r, \"alertId\")\ntitle: '\"ours\"'\n")},
		"acme.yaml":     {Data: []byte("product: acme\nfields: [acme]\nid: text(r, \"acme.id\")\n")},
	}
	ps, err := Load(BuiltinProducts(), own)
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != len(loadBuiltin(t))+1 {
		t.Errorf("%d mappings, want one more than the built-in ones", len(ps))
	}
	for _, p := range ps {
		if p.Name() == "lacework" {
			if a, err := p.Normalize(recordOf(`{"alertId":7}`)); err != nil || a.Title != "ours" || a.Origin.ID != "7" {
				t.Errorf("the replaced mapping gave %q, %v", a.Title, err)
			}
		}
	}
}

func TestFailureNamesProductAndKey(t *testing.T) {
	ps, err := Load(fstest.MapFS{"a.yaml": {Data: []byte("product: acme\nfields: [x]\nid: text(r, \"x\")\ntitle: string(r.y.z)\nfirst: text(r, \"t\")\n")}})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"x":"1"}`:                             "acme: title: no such key",
		`{"x":"","y":{"z":"t"}}`:                "acme: id: empty",
		`{"x":"1","y":{"z":"t"},"t":"Tuesday"}`: `acme: first: "Tuesday" is not a time`,
	} {
		if _, err := ps[0].Normalize(recordOf(body)); err == nil || !strings.HasPrefix(err.Error(), want) || fault.Of(err) != fault.Invalid {
			t.Errorf("%s gave %v, want %s", body, err, want)
		}
	}
}

func TestCrowdStrikeSeverity(t *testing.T) {
	p := builtinProvider(t, "crowdstrike")
	for event, want := range map[string]alert.Severity{
		`{"Severity":2,"SeverityName":"INFO"}`: alert.Informational, `{"Severity":5}`: alert.Critical, `{"Severity":4}`: alert.High, `{"Severity":3}`: alert.Medium,
		`{"Severity":2}`: alert.Low, `{"Severity":1}`: alert.Informational, `{"Severity":10}`: alert.Informational, `{"Severity":30}`: alert.Low,
		`{"Severity":"50"}`: alert.Medium, `{"Severity":70}`: alert.High, `{"Severity":90}`: alert.Critical, `{"FineScore":62}`: alert.High, `{"x":1}`: alert.Unknown,
	} {
		a, err := p.Normalize(recordOf(`{"metadata":{"eventType":"EppDetectionSummaryEvent"},"event":` + event + `}`))
		if err != nil || a.Severity != want {
			t.Errorf("%s: %s, %v; want %s", event, a.Severity, err, want)
		}
	}
}

func TestLookup(t *testing.T) {
	v := decodeValue([]byte(`{"a.b":{"c":1},"a":{"x":[{"y":"z"}],"b":{"d":2}},"n":1234567890123456789}`))
	for path, want := range map[string]string{"a.b.c": "1", "a.x.0.y": "z", "a.b.d": "2", "a.x.1.y": "", "a.q": "", "n": "1234567890123456789"} {
		if got := textOf(lookupPath(v, path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestFiletime(t *testing.T) {
	for in, want := range map[string]string{"133355377959700000": "2023-08-03T12:03:15.97Z", "1691064195970": "1691064195970", "": "", "soon": "soon"} {
		if got := parseFiletime(in); got != want {
			t.Errorf("filetime(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	p := builtinProvider(b, "crowdstrike")
	r := ingesttest.Records(b, p, readRecording(b, "testdata/crowdstrike/events.ndjson"))[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Normalize(r); err != nil {
			b.Fatal(err)
		}
	}
}
