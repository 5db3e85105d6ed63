// Package hyparquet reads Parquet for tests by a reader that shares no line with the writer (npm hyparquet).
package hyparquet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/npm"
)

// File is a Parquet file as read.
type File struct {
	CreatedBy string           `json:"createdBy"`
	Schema    []Element        `json:"schema"` // depth first
	Groups    []Group          `json:"groups"`
	Rows      []jsontext.Value `json:"rows"` // without what is null
}

// Element is a node of the schema.
type Element struct {
	Name       string `json:"name"`
	Type       string `json:"type"` // of values
	Repetition string `json:"repetition_type"`
	Converted  string `json:"converted_type"`
}

// Group is a row group.
type Group struct {
	Rows    int64 `json:"num_rows"`
	Bytes   int64 `json:"total_byte_size"`
	Columns []struct {
		Meta struct {
			Codec string   `json:"codec"`
			Path  []string `json:"path_in_schema"`
		} `json:"meta_data"`
	} `json:"columns"`
	Sorting []struct {
		Column     int  `json:"column_idx"`
		Descending bool `json:"descending"`
	} `json:"sorting_columns"`
}

// Read reads files.
func Read(t testing.TB, files ...[]byte) (out []File) {
	t.Helper()
	npm.Install(t)
	dir := t.TempDir()
	args := []string{filepath.Join(npm.Dir(), "hyparquet", "read.js")}
	for n, data := range files {
		path := filepath.Join(dir, strconv.Itoa(n))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command("node", args...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("read parquet: %v: %s", err, trouble.String())
	}
	for _, line := range bytes.Split(bytes.TrimSpace(answer), []byte("\n")) {
		var f File
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	if len(out) != len(files) {
		t.Fatalf("%d of %d files read", len(out), len(files))
	}
	return out
}
