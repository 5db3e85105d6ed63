package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// MaxDepth is how deep a delivery may nest. Real findings stay below 40.
const MaxDepth = 200

// Decode reads a finding into v, a pointer to the provider's own struct: names match without case, unknown members
// are skipped, repeated names are refused. The error is fault.Invalid and names the field.
func Decode(raw jsontext.Value, v any) error {
	if err := json.Unmarshal(raw, v, json.MatchCaseInsensitiveNames(true)); err != nil {
		return fault.Errorf(fault.Invalid, "%s", DescribeJSONError(err))
	}
	return nil
}

// DescribeJSONError says what is wrong with JSON in words that name the field, without the library's prefixes.
func DescribeJSONError(err error) string {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		at := cmp.Or(fieldPath(sem.JSONPointer), "the record")
		if sem.Err != nil {
			return fmt.Sprintf("%s: %v", at, sem.Err)
		}
		return fmt.Sprintf("%s: a JSON %s where %s was expected", at, kindName(sem.JSONKind), sem.GoType)
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		at := fieldPath(syn.JSONPointer)
		switch {
		case errors.Is(syn.Err, jsontext.ErrDuplicateName):
			return fmt.Sprintf("%s: malformed JSON: the name is there twice", at)
		case at != "":
			at += ": "
		}
		return fmt.Sprintf("%smalformed JSON at byte %d: %s", at, syn.ByteOffset, syn.Err)
	}
	return err.Error()
}

// fieldPath is a JSON pointer with dots, at most 60 bytes: "detail.service.count".
func fieldPath(p jsontext.Pointer) string {
	return clipText(strings.ToValidUTF8(strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", "."), "\ufffd"))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	}
	return "null"
}

// Text is a string that some senders write as a number, a boolean or null. An array gives its elements joined by
// ", ", an object its JSON.
type Text string

// UnmarshalJSONFrom accepts any JSON value.
func (t *Text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n', '"':
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		*t = ""
		if tok.Kind() == '"' {
			*t = Text(tok.String())
		}
		return nil
	case '[':
		var list []string
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		for dec.PeekKind() != ']' {
			var e Text
			if err := e.UnmarshalJSONFrom(dec); err != nil {
				return err
			}
			list = append(list, string(e))
		}
		*t = Text(strings.Join(list, ", "))
		_, err := dec.ReadToken()
		return err
	}
	v, err := dec.ReadValue()
	*t = Text(v)
	return err
}

// Number is a number that some senders write as a string. Set is false when it was absent, null or no number.
type Number struct {
	Value float64
	Set   bool
}

// UnmarshalJSONFrom accepts a number or a string that spells one; null and empty strings are "not set".
func (n *Number) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	b, err := dec.ReadValue()
	if err != nil {
		return err
	}
	s := strings.Trim(string(b), `" `)
	if s == "" || s == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("%s is not a number", clipText(string(b)))
	}
	*n = Number{f, true}
	return nil
}

// Bool is a boolean that some senders write as a string.
type Bool bool

// UnmarshalJSON accepts true, "True", "1"; everything else is false.
func (v *Bool) UnmarshalJSON(b []byte) error {
	s := strings.ToLower(strings.Trim(string(b), `" `))
	*v = Bool(s == "true" || s == "1" || s == "yes")
	return nil
}

// List is an array that some senders write as its only element, or as null.
type List[T any] []T

// UnmarshalJSONFrom accepts an array, one element, or null.
func (l *List[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	opt := json.MatchCaseInsensitiveNames(true)
	switch dec.PeekKind() {
	case 'n':
		_, err := dec.ReadToken()
		return err
	case '[':
		var list []T
		if err := json.UnmarshalDecode(dec, &list, opt); err != nil {
			return err
		}
		*l = list
		return nil
	}
	var one T
	if err := json.UnmarshalDecode(dec, &one, opt); err != nil {
		return err
	}
	*l = List[T]{one}
	return nil
}

// Time is an instant in any of the spellings that providers use. Zero when absent or "not set" (the epoch and year 1).
type Time struct{ time.Time }

// UnmarshalJSON accepts what ParseTime does, and numbers: seconds, milliseconds, microseconds or nanoseconds since
// 1970, told apart by size.
func (t *Time) UnmarshalJSON(b []byte) error {
	v := jsontext.Value(b)
	switch v.Kind() {
	case 'n':
		return nil
	case '0':
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return fmt.Errorf("%s is not a time", clipText(string(b)))
		}
		t.Time = EpochTime(f)
		return nil
	case '"':
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return err
		}
		t.Time, err = ParseTime(string(s))
		return err
	}
	return fmt.Errorf("a JSON %s is not a time", kindName(v.Kind()))
}

// layouts are the spellings seen in recorded deliveries, the common ones first.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999-0700", // Wazuh
	"2006-01-02T15:04:05.999999999-07.00",
	"2006-01-02 15:04:05.999999999 -0700 MST",
	"2006-01-02 15:04:05.999999999 UTC",
	"2006-01-02 15:04:05 (UTC-0700)",
	"2006-01-02 15:04:05 (UTC)",       // Thinkst
	"Mon Jan 2 15:04:05.999 MST 2006", // Inspector
	"Mon Jan 2 15:04:05 MST 2006",
	time.RFC1123Z, time.RFC1123,
	"Jan 2, 2006 3:04:05 PM",
	"1/2/2006 3:04:05 PM",
	"2006-01-02",
}

// ParseTime reads an instant. A spelling without zone is UTC. The empty string, the epoch and years before 1971
// mean "not set" and give the zero time; a word that is no time is an error.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "-" || strings.EqualFold(s, "null") || strings.EqualFold(s, "N/A") {
		return time.Time{}, nil
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return validTime(t), nil
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return EpochTime(f), nil
	}
	return time.Time{}, fmt.Errorf("%s is not a time", clipText(strconv.Quote(s)))
}

// EpochTime reads a time since 1970 in seconds, milliseconds, microseconds or nanoseconds, told apart by size.
func EpochTime(f float64) time.Time {
	switch {
	case f >= 1e17:
		return validTime(time.Unix(0, int64(f)))
	case f >= 1e14:
		return validTime(time.UnixMicro(int64(f)))
	case f >= 1e11:
		return validTime(time.UnixMilli(int64(f)))
	}
	return validTime(time.UnixMicro(int64(f * 1e6)))
}

// validTime is t in UTC; zero for years before 1971 and after 9999, which mean "not set".
func validTime(t time.Time) time.Time {
	if t.Year() < 1971 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// clipText bounds s to 60 bytes, for a reason.
func clipText(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:57], "") + "…"
	}
	return s
}

// Earliest is the earliest of the times that are set; zero when none is.
func Earliest(ts ...Time) time.Time {
	var out time.Time
	for _, t := range ts {
		if !t.IsZero() && (out.IsZero() || t.Before(out)) {
			out = t.Time
		}
	}
	return out
}

// FirstSet is the first of the times that is set; zero when none is.
func FirstSet(ts ...Time) time.Time {
	for _, t := range ts {
		if !t.IsZero() {
			return t.Time
		}
	}
	return time.Time{}
}
