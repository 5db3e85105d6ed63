package ingest

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func FuzzCut(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `null`, `12`, `"a\\\"b\\"`, ` { "a" : 1 , "b\u0041" : [ 1 , { "c" : "}]," } ] , "" : "" } `, `[1,"]",[],{},null,-1.5e9 ]`,
		`{"a":{"b":[[["\\"]]]},"c":true}`, `[[[[]]]]`, `{"a":`, `["`, `{"a" 1}`, `{]`, `["a"`, `"\`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		raw := jsontext.Value(in)
		list := []jsontext.Value(nil)
		got, objectDeep := objectMembers(raw)
		if raw.Kind() == '[' {
			list, _ = Elements(raw)
		}
		deep := nestingDepth(raw)
		if !raw.IsValid() {
			return // it need only end
		}
		if want := slowDepth(raw); deep != want {
			t.Errorf("depth of %s = %d, want %d", in, deep, want)
		}
		switch raw.Kind() {
		case '{':
			var want map[string]jsontext.Value
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if got == nil || len(got) != len(want) || objectDeep != deep {
				t.Fatalf("%d members of %s, want %d", len(got), in, len(want))
			}
			for _, m := range got {
				if !bytes.Equal(m.Value, want[m.Name]) {
					t.Errorf("member %q of %s = %q, want %q", m.Name, in, m.Value, want[m.Name])
				}
			}
		case '[':
			var want []jsontext.Value
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if len(list) != len(want) {
				t.Fatalf("%d elements of %s, want %d", len(list), in, len(want))
			}
			for i := range list {
				if !bytes.Equal(list[i], want[i]) {
					t.Errorf("element %d of %s = %q, want %q", i, in, list[i], want[i])
				}
			}
		}
	})
}

func slowDepth(raw jsontext.Value) int {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	deepest := 0
	for {
		if _, err := d.ReadToken(); err != nil {
			return deepest
		}
		deepest = max(deepest, d.StackDepth())
	}
}
