package odata

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
)

var schema = Schema{
	Type: "thing",
	Properties: []Property{
		{Field: query.Severity, Enum: &Enum{Name: "severity", Members: []string{"unknown", "low", "high", "unknownFutureValue", "later"}}},
		{Field: query.Title}, {Field: query.Created},
	},
}

// row is a thing with a title, a severity and a time.
type row struct {
	title, severity string
	created         time.Time
}

func (r row) Text(f query.Field) string {
	return map[query.Field]string{query.Title: r.title, query.Severity: r.severity}[f]
}
func (r row) Time(query.Field) time.Time { return r.created }

func TestPrecedence(t *testing.T) {
	for filter, want := range map[string]bool{
		"title eq 'b' and title eq 'b' or title eq 'a'":   true,
		"title eq 'a' or title eq 'b' and title eq 'b'":   true,
		"(title eq 'a' or title eq 'b') and title eq 'b'": false,
		"not title eq 'b' and title eq 'a'":               true,
		"not not title eq 'a'":                            true,
		"NOT(title EQ 'A')":                               false,
		"severity in ('low','later')":                     false,
		"severity gt 'low'":                               true,
		"severity gt 'later'":                             false,
		"'low' lt severity":                               true,
		"title gt 'A' or title le ''":                     false,
	} {
		e, err := ParseFilter(filter, schema)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := query.Match(e, row{title: "a", severity: "high"}); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

func TestErrorsPointAtTheColumn(t *testing.T) {
	for filter, column := range map[string]int{
		"":                            1,
		"title":                       6,
		"title eq":                    9,
		"title eq 'x":                 10,
		`title eq "x"`:                10,
		"titel eq 'x'":                1,
		"title eq 'ü' and titel eq 1": 18,
		"severity eq 'grave'":         13,
		"created":                     8,
		"createdDateTime gt 2026-13-01T00:00:00Z": 20,
		"createdDateTime gt null":                 20,
		"(title eq 'x'":                           14,
		"title eq 'x')":                           13,
		"title in ()":                             11,
		"title in ('x',)":                         15,
		"title eq 'x' title eq 'y'":               14,
		"'x' eq 'y'":                              8,
	} {
		_, err := ParseFilter(filter, schema)
		var e *Error
		if !errors.As(err, &e) || fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", filter, err)
			continue
		}
		if e.Column != column {
			t.Errorf("%q: column %d, want %d (%s)", filter, e.Column, column, e.Message)
		}
	}
}

func TestBounds(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat("title eq 'x' or ", 300), " or ")
	for _, filter := range []string{
		strings.Repeat("x", MaxFilter+1), strings.Repeat("(", 100) + "title eq 'x'" + strings.Repeat(")", 100),
		strings.Repeat("not ", 1000) + "title eq 'x'", many, "title in ('x'" + strings.Repeat(",'x'", 300) + ")",
	} {
		if _, err := ParseFilter(filter, schema); fault.Of(err) != fault.Invalid {
			t.Errorf("%.40s…: %v", filter, err)
		}
	}
	deep := strings.Repeat("(", 40) + "title eq 'x'" + strings.Repeat(")", 40)
	if _, err := ParseFilter(deep, schema); err != nil {
		t.Errorf("40 deep: %v", err)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{
		"title eq 'it''s' and not (severity in ('low','high') or createdDateTime ge 2026-03-03T00:07:33Z)",
		"createdDateTime gt 2026-03-03T00:07:33 01:00", "null ne title", "((", "'", "severity lt 'unknown'", "title eq 'ü'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		e, err := ParseFilter(filter, schema)
		if err != nil {
			var o *Error
			if !errors.As(err, &o) || fault.Of(err) != fault.Invalid || o.Column > len(filter)+1 {
				t.Fatalf("%q: %v", filter, err)
			}
			return
		}
		query.Match(e, row{title: "a", severity: "high"})
	})
}
