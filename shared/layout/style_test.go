package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// parsed is one Go file with its syntax.
type parsed struct {
	source
	set    *token.FileSet
	syntax *ast.File
	text   string
}

// parseSources parses every file that is no test.
func parseSources(t *testing.T) []parsed {
	t.Helper()
	var out []parsed
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		text, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, s.file, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed{s, set, f, string(text)})
	}
	return out
}

func (p parsed) functions() []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, d := range p.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			out = append(out, fn)
		}
	}
	return out
}

func TestReceiversFitInAFewFiles(t *testing.T) {
	type receiver struct {
		methods int
		files   map[string]bool
	}
	all := map[string]*receiver{}
	for _, p := range parseSources(t) {
		for _, fn := range p.functions() {
			name := receiverOf(fn)
			if name == "" {
				continue
			}
			name = p.pkg + "." + name
			if all[name] == nil {
				all[name] = &receiver{files: map[string]bool{}}
			}
			all[name].methods++
			all[name].files[p.file] = true
		}
	}
	for name, r := range all {
		if r.methods > MaxMethods || len(r.files) > MaxMethodFiles {
			t.Errorf("%s has %d methods in %d files: at most %d in %d, or it is a package", name, r.methods, len(r.files), MaxMethods, MaxMethodFiles)
		}
	}
}

func TestFunctionsAreNamedByVerbAndObject(t *testing.T) {
	functions, oneWord := 0, 0
	byPackage := map[string]int{}
	for _, p := range parseSources(t) {
		for _, fn := range p.functions() {
			functions++
			if isOneWord(fn.Name.Name) {
				oneWord++
				byPackage[p.pkg]++
			}
		}
	}
	if share := float64(oneWord) / float64(functions); share > MaxOneWordShare {
		t.Errorf("%d of %d functions are named by one word, %.1f %%: at most %.0f %%; %v", oneWord, functions, 100*share, 100*MaxOneWordShare, byPackage)
	}
}

func TestNoNameUsesATakenWord(t *testing.T) {
	for _, p := range parseSources(t) {
		for _, id := range declaredNames(p.syntax) {
			for _, word := range wordsOf(id.Name) {
				if say := Taken[word]; say != "" && !(strings.HasPrefix(p.pkg, "shared/correlation") && filepath.Base(p.file) == "params.go") {
					t.Errorf("%s: %s: %q had a meaning of its own; say %s", p.set.Position(id.Pos()), id.Name, word, say)
				}
			}
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	functions := 0
	var long []string
	for _, p := range parseSources(t) {
		if n := strings.Count(p.text, "\n"); n > MaxFileLines {
			t.Errorf("%s has %d lines: at most %d", p.file, n, MaxFileLines)
		}
		for _, fn := range p.functions() {
			functions++
			if n := p.set.Position(fn.End()).Line - p.set.Position(fn.Pos()).Line + 1; n > MaxFunctionLines {
				long = append(long, p.file+" "+fn.Name.Name)
			}
		}
	}
	if float64(len(long)) > MaxLongShare*float64(functions) {
		t.Errorf("%d of %d functions have more than %d lines: %s", len(long), functions, MaxFunctionLines, strings.Join(long, ", "))
	}
}

func TestCommentsFitTheScreen(t *testing.T) {
	for _, p := range parseSources(t) {
		for i, line := range strings.Split(p.text, "\n") {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > MaxCommentColumns {
				t.Errorf("%s:%d: a comment of %d columns: at most %d", p.file, i+1, n, MaxCommentColumns)
			}
		}
	}
}

func TestWordsOf(t *testing.T) {
	for name, want := range map[string][]string{
		"untie": {"untie"}, "sortTies": {"sort", "ties"}, "tieOf": {"tie", "of"}, "splitHTTPBody": {"split", "httpbody"}, "max_tie": {"max", "tie"}, "x": {"x"},
	} {
		if got := wordsOf(name); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
