package file

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
)

type dir struct{ path string }

func (d dir) Target() export.Target {
	return &Target{Dir: d.path, Name: "siem", Pack: export.Lines{Write: export.EncodeJSON}, Now: func() time.Time { return exporttest.Begin }}
}

// Refuse puts a file where the directory is to be.
func (d dir) Refuse(down bool) {
	if down {
		_ = os.RemoveAll(d.path)
		_ = os.WriteFile(d.path, nil, 0o600)
		return
	}
	if i, err := os.Stat(d.path); err == nil && !i.IsDir() {
		_ = os.Remove(d.path)
	}
}

func (d dir) Taken(t testing.TB) (ids []string) {
	paths, err := filepath.Glob(filepath.Join(d.path, "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range exporttest.Lines(data) {
			var row struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			ids = append(ids, row.ID)
		}
	}
	return ids
}

func TestPromises(t *testing.T) {
	exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return dir{filepath.Join(t.TempDir(), "out")} })
}

func TestATornLineIsCutOff(t *testing.T) {
	d := dir{t.TempDir()}
	path := filepath.Join(d.path, "siem-20260303.ndjson")
	if err := os.WriteFile(path, []byte("{\"id\":\"a\"}\n{\"id\":\"b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Target().Send(t.Context(), []export.Record{{Data: []byte(`{"id":"b"}`)}}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := d.Taken(t); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%v", got)
	}
}

func BenchmarkExport(b *testing.B) {
	for format, fresh := range map[string]func(string) exporttest.Receiver{
		"plain":   func(path string) exporttest.Receiver { return dir{path} },
		"parquet": func(path string) exporttest.Receiver { return &tree{dir: dir{path}} },
	} {
		b.Run(format, func(b *testing.B) { exporttest.Bench(b, fresh(filepath.Join(b.TempDir(), "out"))) })
	}
}
