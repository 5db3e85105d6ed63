package cosmos

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// No text makes the parser do anything but understand or refuse it as a syntax error.
func FuzzParseQuery(f *testing.F) {
	for _, q := range []string{"SELECT * FROM c", "SELECT TOP 3 c.a, c[\"b\"] AS x FROM c WHERE c.n IN (1, @p) AND NOT STARTSWITH(c.s, 'a\\'b') ORDER BY c.n DESC OFFSET 1 LIMIT 2",
		"SELECT VALUE COUNT(1) FROM root r WHERE r.a BETWEEN -1 AND 2e3 OR IS_NULL(r.b)", "from c where", "SELECT * FROM", "'", "\x80"} {
		f.Add(q)
	}
	it := &item{id: "a", document: document{members: []memberValue{{"n", jsontext.Value("1")}, {"s", jsontext.Value(`"a"`)}}}}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := sql.Parse(text, map[string]any{"@p": 1.0})
		if err != nil {
			if _, ok := err.(*sql.SyntaxError); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		q := &search{Query: parsed}
		q.Matches(it)
		q.matchOf(it)
		if _, err := q.projectRow(it); err != nil && utf8.ValidString(text) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// What is stored reads back as the same document.
func FuzzParseDocument(f *testing.F) {
	for _, d := range []string{`{"id":"a"}`, `{"id":"a","n":1e400}`, `{"_etag":1,"x":{"y":[1,null,"\ud83e\udd8a"]}}`, `{}`, `[`, `{"a":1,"a":2}`} {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseDocument(body)
		if err != nil {
			return
		}
		it := &item{document: *d}
		it.addSystemProperties("rid", `"etag"`, 1)
		again, err := parseDocument(it.encodeBody())
		if err != nil || string(again.encodeJSON()) != string(d.encodeJSON()) {
			t.Fatalf("%q became %q: %v", body, it.encodeBody(), err)
		}
		everything := &index{paths: []indexPath{{path: sql.Path{}, included: true, below: true}}}
		everything.termsOf(it)
	})
}

// Cases of package epk in azcosmos v1.5.0 are not visible to others; ReadManyItems compares the rest.
func TestEffectiveKeyStaysOnTheRing(t *testing.T) {
	for _, v := range []any{nil, true, false, 0.0, -1.5, "", "x", "a text of more than sixteen bytes", sql.Undefined{}} {
		if k := effectiveKey([]any{v}); len(k) != 32 || k >= "4" {
			t.Errorf("%v hashes to %s", v, k)
		}
	}
	if k := effectiveKey([]any{"a", "b"}); k != effectiveKey([]any{"a"})+effectiveKey([]any{"b"}) {
		t.Errorf("levels are not hashed one by one: %s", k)
	}
}
