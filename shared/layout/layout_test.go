package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// source is one Go file with what it imports.
type source struct {
	pkg, file string
	imports   []string
	test      bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, filepath.Dir(path))
		s := source{pkg: filepath.ToSlash(rel), file: path, test: strings.HasSuffix(path, "_test.go")}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files found under %s", len(out), root)
	}
	return out
}

func TestImportsFollowTheRules(t *testing.T) {
	for _, s := range sources(t) {
		r := rule(s.pkg)
		if r == nil {
			t.Errorf("%s: no room is called %s", s.file, s.pkg)
			continue
		}
		for _, imp := range s.imports {
			own, ours := strings.CutPrefix(imp, Module)
			if !ours || s.test || own == s.pkg {
				continue
			}
			if !slices.ContainsFunc(r.May, func(room string) bool { return matches(room, own) }) {
				t.Errorf("%s: %s may not import %s", s.file, s.pkg, own)
			}
		}
	}
}

func TestSDKsStayInTheirRooms(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.imports {
			for sdk, rooms := range SDKs {
				if s.test || !strings.HasPrefix(imp, sdk) {
					continue
				}
				if !slices.ContainsFunc(rooms, func(room string) bool { return matches(room, s.pkg) }) {
					t.Errorf("%s: %s belongs to %v", s.file, imp, rooms)
				}
			}
		}
	}
}

func TestDomainIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !slices.Contains(pure, s.pkg) {
			continue
		}
		for _, imp := range s.imports {
			if slices.Contains(pureBans, imp) {
				t.Errorf("%s: the domain meets no %s", s.file, imp)
			}
		}
	}
}

// The domain decides by the times it is given. Asking the clock would show as time.Now.
func TestDomainAsksNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !slices.Contains(pure, s.pkg) {
			continue
		}
		b, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"time.Now(", "time.Since(", "math/rand"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s: uses %s", s.file, word)
			}
		}
	}
}

func TestTopLevelIsTheDesignCards(t *testing.T) {
	allowed := []string{"functions", "shared", "infra", "events", "testdata", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "bin", "dist"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s: not on the design card", e.Name())
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		room, pkg string
		want      bool
	}{
		{"functions/ingest/*", "functions/ingest/scc", true},
		{"functions/ingest/*", "functions/ingest", false},
		{"functions/ingest/*", "functions/ingest/a/b", false},
		{"functions/cmd/...", "functions/cmd/internal/wire", true},
		{"shared/bus", "shared/bus/localbus", false},
	} {
		if got := matches(tt.room, tt.pkg); got != tt.want {
			t.Errorf("matches(%q, %q) = %v", tt.room, tt.pkg, got)
		}
	}
}
