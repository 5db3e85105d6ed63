package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
)

func TestMigrate(t *testing.T) {
	fresh := t.TempDir()
	dir, err := datadir.Open(fresh, datadir.Options{Writer: "onepane test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	newer, broken := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{newer: fmt.Sprintf(`{"format":%d,"writer":"onepane v99"}`, datadir.Format+1), broken: "what"} {
		if err := os.WriteFile(filepath.Join(path, "VERSION"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		dir, says string
		kind      fault.Kind
	}{
		{fresh, "nothing to do", 0},
		{filepath.Join(fresh, "elsewhere"), "holds no data yet", 0},
		{newer, "run the newer version", fault.Invalid},
		{broken, "not the VERSION file", fault.Invalid},
	} {
		var out bytes.Buffer
		err := printMigration(&out, tt.dir)
		text := out.String()
		if err != nil {
			text += err.Error()
		}
		if !strings.Contains(text, tt.says) || err != nil && fault.Of(err) != tt.kind || (err == nil) != (tt.kind == 0) {
			t.Errorf("%s: %q, want a word of %q", tt.dir, text, tt.says)
		}
	}
}
