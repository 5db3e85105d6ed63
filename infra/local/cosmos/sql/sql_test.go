package sql

import (
	"slices"
	"testing"
)

// rowOf is a row by its top properties.
type rowOf map[string]any

func (r rowOf) Value(p Path) any {
	v := any(map[string]any(r))
	for _, name := range p {
		object, ok := v.(map[string]any)
		if !ok {
			return Undefined{}
		}
		if v, ok = object[name]; !ok {
			return Undefined{}
		}
	}
	return v
}

func TestMatches(t *testing.T) {
	row := rowOf{"id": "a1", "n": 2.0, "s": "Tor exit", "none": nil, "tags": []any{"x", "y"}, "in": map[string]any{"deep": true}}
	for _, tt := range []struct {
		where string
		want  bool
	}{
		{"c.n = 2", true},
		{"c.n = '2'", false},
		{"NOT c.n = '2'", false}, // undefined, and so is what it negates
		{"c.gone != 1", false},
		{"c.gone = 1 OR c.n = 2", true},
		{"c.n > 1 AND c.n < 3", true},
		{"c.n BETWEEN 2 AND 3", true},
		{"c.n NOT BETWEEN 2 AND 3", false},
		{"c.s IN ('a', @p)", true},
		{"c.s NOT IN ('a', 'b')", true},
		{"STARTSWITH(c.s, 'Tor')", true},
		{"CONTAINS(c.s, 'exit')", true},
		{"CONTAINS(c.n, '2')", false},
		{"ARRAY_CONTAINS(c.tags, 'y')", true},
		{"ARRAY_CONTAINS(c.s, 'T')", false},
		{"IS_NULL(c.none) AND NOT IS_DEFINED(c.gone)", true},
		{"c.in.deep = true AND c[\"in\"][\"deep\"] != false", true},
		{"c.tags > 1", false},
	} {
		q, err := Parse("SELECT * FROM c WHERE "+tt.where, map[string]any{"@p": "Tor exit"})
		if err != nil {
			t.Errorf("%s: %v", tt.where, err)
		} else if q.Matches(row) != tt.want {
			t.Errorf("%s: %v", tt.where, !tt.want)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT * FROM c WHERE c.a = null": "Syntax error, column 29: comparing with null is not served here: use IS_NULL or IS_DEFINED",
		"SELECT * FROM c WHERE c.a ~ 1":    "Syntax error, column 27: unexpected \"~\"",
		"SELECT * FROM c WHERE d.a = 1":    "Syntax error, column 23: a path beginning with c is missing, found d",
		"SELECT c.a, c.b AS a FROM c":      "Syntax error, column 22: two columns are called a",
		"SELECT * FROM c WHERE c.a = @q":   "Syntax error, column 29: parameter @q is not given",
	} {
		if _, err := Parse(text, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Narrow and IDBounds leave no row out that the filter is true for.
func TestNarrow(t *testing.T) {
	rows := map[string]rowOf{
		"a1": {"id": "a1", "kind": "host", "names": []any{"web", "db"}},
		"a2": {"id": "a2", "kind": "user", "names": []any{"eve"}},
		"b1": {"id": "b1", "kind": "host", "names": []any{"eve"}},
	}
	find := func(p Path, text string) (map[string]bool, bool) {
		if p[0] == "title" { // not indexed
			return nil, false
		}
		found := map[string]bool{}
		for id, row := range rows {
			v := row.Value(p[:1])
			list, _ := v.([]any)
			if v == text || len(p) == 2 && slices.Contains(list, any(text)) {
				found[id] = true
			}
		}
		return found, true
	}
	for _, tt := range []struct {
		where  string
		rows   int // among how many; -1 when it cannot tell
		bounds []IDBound
	}{
		{"c.kind = 'host'", 2, nil},
		{"c.kind = 'host' AND ARRAY_CONTAINS(c.names, 'eve')", 2, nil},
		{"c.kind = 'user' OR ARRAY_CONTAINS(c.names, 'db')", 2, nil},
		{"c.kind = 'user' OR c.title = 'x'", -1, nil},
		{"c.kind = 'user' AND c.title = 'x'", 1, nil},
		{"NOT c.kind = 'user'", -1, nil},
		{"c.id = 'a1'", 1, []IDBound{{Lo: "a1", Hi: "a1\x00"}}},
		{"STARTSWITH(c.id, 'a') AND c.id > 'a1'", -1, []IDBound{{Lo: "a", Hi: "a\xff"}, {Lo: "a1", Open: true}}},
		{"c.id <= 'a2'", -1, []IDBound{{Hi: "a2\x00"}}},
	} {
		q, err := Parse("SELECT * FROM c WHERE "+tt.where, nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.where, err)
		}
		found, ok := Narrow(q, find)
		if ok != (tt.rows >= 0) || ok && len(found) != tt.rows || !slices.Equal(q.IDBounds, tt.bounds) {
			t.Errorf("%s: %v, %v, bounds %v", tt.where, found, ok, q.IDBounds)
		}
		for id, row := range rows {
			if q.Matches(row) && ok && !found[id] {
				t.Errorf("%s leaves out %s", tt.where, id)
			}
		}
	}
}

// No text makes the parser do anything but understand or refuse it.
func FuzzParse(f *testing.F) {
	for _, q := range []string{"SELECT * FROM c", "SELECT TOP 3 c.a FROM c WHERE c.n IN (1, @p) AND NOT STARTSWITH(c.s, 'a\\'b') ORDER BY c.n DESC",
		"SELECT VALUE COUNT(1) FROM root r WHERE r.a BETWEEN -1 AND 2e3 OR IS_NULL(r.b)", "'", "\x80"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := Parse(text, map[string]any{"@p": 1.0}); err == nil {
			q.Matches(rowOf{"n": 1.0, "s": "a"})
		} else if _, ok := err.(*SyntaxError); !ok {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
