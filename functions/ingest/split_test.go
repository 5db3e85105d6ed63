package ingest

import (
	"slices"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/fault"
)

// TestValues: what can be read is read, whatever is beside it. A record that cannot is written in brackets.
func TestValues(t *testing.T) {
	for body, want := range map[string][]string{
		``:                              nil,
		`{"a":1}`:                       {`{"a":1}`},
		"{\"a\":1}\n{\"b\":2}\n":        {`{"a":1}`, `{"b":2}`},
		`{"a":1}{"b":2} [3]`:            {`{"a":1}`, `{"b":2}`, `[3]`},
		"{\n \"a\": 1\n}\n{\n}\n":       {"{\n \"a\": 1\n}", "{\n}"},
		"{\"a\":\n{\"b\":2}":            {`<{"a":>`, `{"b":2}`},
		"{\"a\":\"x\n{\"b\":2}":         {`<{"a":"x>`, `{"b":2}`},
		"no JSON\n{\"b\":2}":            {`<no JSON>`, `{"b":2}`},
		"{\n \"a\": [\n  1,\n":          {"<{\n \"a\": [\n  1,>"},
		"{\n \"a\": [\n{\"b\":2}":       {"<{\n \"a\": [>", `{"b":2}`},
		`[{"a":1},{"b":tru},{"c":3}]`:   {`{"a":1}`, `<{"b":tru}>`, `{"c":3}`},
		`[{"a":1},{"b"`:                 {`{"a":1}`, `<{"b">`},
		`[{"a":1},`:                     {`{"a":1}`, `<>`},
		`[`:                             {`<[>`},
		`[1 2,3]`:                       {`<1 2>`, `3`},
		`[1,,2]`:                        {`1`, `<>`, `2`},
		`[{"a":1}]]` + "\n" + `{"b":2}`: {`[{"a":1}]`, `<]>`, `{"b":2}`},
		`[{"a":1},{"b":1,"b":2}]`:       {`[{"a":1},{"b":1,"b":2}]`}, // the second is refused when it is read
		`{"a":1,"a":2}`:                 {`<{"a":1,"a":2}>`},
		`{"a":{"b":1,"b":2}}`:           {`{"a":{"b":1,"b":2}}`},
	} {
		var got []string
		for _, r := range SplitValues([]byte(body)) {
			if r.Err != nil {
				got = append(got, "<"+string(r.Raw)+">")
			} else {
				got = append(got, string(r.Raw))
			}
			if r.Err != nil && fault.Of(r.Err) != fault.Invalid {
				t.Errorf("%s: fault %v", body, fault.Of(r.Err))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q\n gave %q\n want %q", body, got, want)
		}
	}
}

func TestValuesAreBounded(t *testing.T) {
	rs := SplitValues([]byte(strings.Repeat("1\n", MaxRecords+5)))
	if last := rs[len(rs)-1]; len(rs) != MaxRecords+1 || fault.Of(last.Err) != fault.TooLarge {
		t.Errorf("%d records, the last %v", len(rs), last.Err)
	}
	if _, err := Elements([]byte("[" + strings.Repeat("1,", MaxRecords) + "1]")); fault.Of(err) != fault.TooLarge {
		t.Errorf("an array of one too many: %v", err)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{`[{"a":1},{"b"`, "{\"a\":\n{\"b\":2}", `[1,,2]`, "[\n[\n", `"`, `]`, "\xff", `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range SplitValues(body) {
			if r.Err == nil && r.Raw.Kind() == '{' && r.Fields == nil {
				t.Errorf("%q has a record without members or error: %q", body, r.Raw)
			}
			_ = SplitArray(r)
		}
	})
}
