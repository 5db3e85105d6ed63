package file

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/functions/export/ocsf"
	opparquet "github.com/onepane/onepane/functions/export/parquet"
)

// tree is a directory of Parquet files; it notes the order in which they came to be, which the disk does not keep.
type tree struct {
	dir
	put []string
}

func packer() export.Packer { return &opparquet.Packer{Place: ocsf.Lake{}.EventPlace} }

type noting struct {
	*Target
	tree *tree
}

func (n noting) Send(ctx context.Context, rs []export.Record) (int, error) {
	taken, err := n.Target.Send(ctx, rs)
	if err != nil {
		return taken, err
	}
	objects, err := packer().Pack(rs)
	for _, o := range objects {
		n.tree.put = append(n.tree.put, filepath.Join(n.Dir, o.Key))
	}
	return taken, err
}

func (t *tree) Target() export.Target {
	return noting{&Target{Dir: t.path, Name: "siem", Pack: packer(), Whole: true, Now: func() time.Time { return exporttest.Begin }}, t}
}

func (t *tree) Taken(tb testing.TB) (ids []string) {
	type event struct {
		Metadata struct {
			UID string `parquet:"uid"`
		} `parquet:"metadata"`
	}
	for _, path := range t.put {
		events, err := parquet.ReadFile[event](path)
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range events {
			ids = append(ids, e.Metadata.UID)
		}
	}
	return ids
}

func TestPromisesAsParquet(t *testing.T) {
	exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return &tree{dir: dir{filepath.Join(t.TempDir(), "out")}} })
}

// TestAPageMakesOneFileAPlace: of more changes than other targets read at once.
func TestAPageMakesOneFileAPlace(t *testing.T) {
	d := &tree{dir: dir{t.TempDir()}}
	w := exporttest.NewWorld(t)
	for from := 0; from < 900; from += 100 {
		w.Report(from, from+100)
	}
	if err := w.Function(d.Target(), nil).Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	places := map[string]bool{}
	for _, path := range d.put {
		places[filepath.Dir(path)] = true
	}
	if len(d.put) != len(places) || len(d.Taken(t)) != len(w.States(t, d.Target())) {
		t.Errorf("%d files in %d places, %d records of %d", len(d.put), len(places), len(d.Taken(t)), len(w.States(t, d.Target())))
	}
}

// TestAFileIsWholeOrNotThere: what a crash left is written over, and nothing else is there afterwards.
func TestAFileIsWholeOrNotThere(t *testing.T) {
	d := &tree{dir: dir{t.TempDir()}}
	w := exporttest.NewWorld(t)
	w.Report(0, 3)
	if err := w.Function(d.Target(), nil).Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	files := d.put
	for _, path := range files {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, path+".part"); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path+".part", int64(len(whole)/2)); err != nil {
			t.Fatal(err)
		}
	}
	f := w.Function(d.Target(), nil)
	if _, err := f.StartBackfill(t.Context(), exporttest.Name, exporttest.Begin.AddDate(-1, 0, 0), exporttest.Begin.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	f.RunOnce(t.Context())
	if got := d.Taken(t); len(got) < len(w.States(t, d.Target())) {
		t.Errorf("%d records", len(got))
	}
	var parts []string
	_ = filepath.WalkDir(d.path, func(path string, _ os.DirEntry, _ error) error {
		if strings.HasSuffix(path, ".part") && len(path) > 0 {
			if _, err := os.Stat(strings.TrimSuffix(path, ".part")); err == nil {
				parts = append(parts, path)
			}
		}
		return nil
	})
	if len(parts) > 0 {
		t.Errorf("left over: %v", parts)
	}
}
