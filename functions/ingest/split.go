package ingest

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// MaxRecords is how many records one delivery may hold.
const MaxRecords = 100_000

// SplitValues splits a body into its JSON values: one value, several on lines of their own (NDJSON) or simply one after
// another. What is no JSON becomes a Record with Err; the lines after it, and the elements of an array beside it, are
// still read. What json refuses only deep inside (a name that is there twice, broken UTF-8) is left to whoever meets
// it, so that it spoils no other finding of its wrapper. What lies beyond MaxRecords is one Record with Err. Use Array
// to go on into an array. Records share the bytes of body. It takes time in proportion to the body, whatever is in it.
func SplitValues(body []byte) []Record {
	body = bytes.TrimSpace(body)
	if v := jsontext.Value(body); v.IsValid() { // nearly always: one value
		return []Record{NewRecord(v[:len(v):len(v)], nil)}
	}
	var out []Record
	budget := 4 * len(body) // bytes that may be scanned in vain for the end of a value on later lines
	for rest := trimLeftSpace(body); len(rest) > 0 && len(out) <= MaxRecords; rest = trimLeftSpace(rest) {
		n := valueEnd(firstLine(rest))
		if n < 0 && budget > 0 {
			if n = valueEnd(rest); n < 0 {
				budget -= len(rest)
			}
		}
		switch {
		case len(out) == MaxRecords:
			n = len(rest)
			out = append(out, Record{Raw: rest, Err: tooManyRecords()})
		case n < 0 && rest[0] == '[' && budget > 0: // broken off: its whole elements are good
			n = len(rest)
			out = append(out, readFlawedArray(rest)...)
		default:
			if n < 0 {
				n = resumeIndex(rest)
			} else if v := jsontext.Value(rest[:n]); rest[0] != '{' && rest[0] != '[' && !v.IsValid() {
				n = len(firstLine(rest)) // words
			}
			out = append(out, readFlawedValue(bytes.TrimSpace(rest[:n:n]))...)
		}
		rest = rest[n:]
	}
	return out
}

// SplitArray turns the record of a JSON array into one record per element; any other record stays alone.
func SplitArray(r Record) []Record {
	if r.Err != nil || r.Raw.Kind() != '[' {
		return []Record{r}
	}
	vs, err := Elements(r.Raw)
	if err != nil {
		return []Record{{Raw: r.Raw, Err: err}}
	}
	out := make([]Record, len(vs))
	for i, v := range vs {
		out[i] = NewRecord(v, r.Context)
	}
	return out
}

func tooManyRecords() error {
	return fault.Errorf(fault.TooLarge, "body: more than %d records, send them in parts", MaxRecords)
}

// readFlawedValue reads what can be read of a value that json refuses somewhere.
func readFlawedValue(v jsontext.Value) []Record {
	if v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		r := NewRecord(v, nil)
		if name, ok := repeatedName(r.Fields); ok { // nobody can know which was meant
			r.Err = fault.Errorf(fault.Invalid, "%s: malformed JSON: the name is there twice", clipText(name))
		} else if v.Kind() == '{' && r.Fields == nil {
			r.Err = malformedError(v)
		}
		return []Record{r}
	}
	if v.Kind() == '[' {
		return readFlawedArray(v)
	}
	return []Record{{Raw: v, Err: malformedError(v)}}
}

// repeatedName is the first name that is there twice.
func repeatedName(ms []Member) (string, bool) {
	seen := make(map[string]bool, len(ms))
	for _, m := range ms {
		if seen[m.Name] {
			return m.Name, true
		}
		seen[m.Name] = true
	}
	return "", false
}

// readFlawedArray reads what can be read of an array that is no JSON as a whole, element by element.
func readFlawedArray(v jsontext.Value) []Record {
	var out []Record
	for rest := trimLeftSpace(v[1:]); ; rest = trimLeftSpace(rest) {
		n := separatorIndex(rest)
		piece := jsontext.Value(bytes.TrimSpace(rest[:n:n]))
		last := n == len(rest) || rest[n] == ']'
		switch {
		case last && len(piece) == 0 && len(rest) == 0 && len(out) > 0: // broken off behind a comma
			return append(out, Record{Raw: v[len(v):], Err: fault.Errorf(fault.Invalid, "malformed JSON: the array does not end")})
		case last && len(piece) == 0 && len(out) == 0:
			return []Record{{Raw: v, Err: malformedError(v)}}
		case len(out) == MaxRecords:
			return append(out, Record{Raw: jsontext.Value(rest), Err: tooManyRecords()})
		case piece.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) && piece.Kind() != '[':
			out = append(out, readFlawedValue(piece)...)
		default:
			out = append(out, Record{Raw: piece, Err: malformedError(piece)})
		}
		if last {
			return out
		}
		rest = rest[n+1:]
	}
}

// malformedError says what is wrong with v: its nesting, else where json fails.
func malformedError(v jsontext.Value) error {
	if d := nestingDepth(v); d > MaxDepth {
		return fault.Errorf(fault.Invalid, "body: nested %d deep, at most %d is read", d, MaxDepth)
	}
	var into jsontext.Value
	if err := json.Unmarshal(v, &into); err != nil {
		return fault.Errorf(fault.Invalid, "%s", DescribeJSONError(err))
	}
	return fault.Errorf(fault.Invalid, "malformed JSON")
}

// trimLeftSpace drops the JSON white space before a value.
func trimLeftSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

func firstLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i]
	}
	return b
}

// valueEnd is the offset behind the value that b begins with, by its brackets and quotes; -1 when it does not end. A
// string ends on its line.
func valueEnd(b []byte) int {
	switch b[0] {
	case '{', '[':
	case '"':
		return stringLength(b)
	default:
		if i := bytes.IndexAny(b, " \t\r\n{[\""); i > 0 {
			return i
		}
		return len(b)
	}
	deep := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringLength(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '{', '[':
			deep++
		case '}', ']':
			if deep--; deep == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// stringLength is the offset behind the string that b begins with; -1 when it does not end on its line.
func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return -1
		}
	}
	return -1
}

// separatorIndex is the offset of the comma or bracket that ends the element at the start of b; len(b) when there is
// none.
func separatorIndex(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case ',', ']':
			return i
		case '{', '[', '"':
			n := valueEnd(b[i:])
			if n < 0 {
				return len(b)
			}
			i += n - 1
		}
	}
	return len(b)
}

// resumeIndex is where reading goes on behind a value that does not end: at the next line; behind an object, at the
// next line that begins an object or array.
func resumeIndex(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return len(b)
		}
		at += i + 1
		if b[0] != '{' || at < len(b) && (b[at] == '{' || b[at] == '[') {
			return at
		}
	}
}
