package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSortKey(t *testing.T) {
	row := func(id string, f Field, v any) rowOf { return rowOf{ID: id, f: v} }
	for _, tt := range []struct {
		name          string
		before, after rowOf
		order         Order
	}{
		{"a nanosecond apart", row("b", Updated, t0), row("a", Updated, t0.Add(1)), Order{Field: Updated}},
		{"newest first", row("b", Updated, t0.Add(1)), row("a", Updated, t0), Order{Field: Updated, Desc: true}},
		{"a time that is not set", row("b", LastActivity, time.Time{}), row("a", LastActivity, time.Unix(0, 0)), Order{Field: LastActivity}},
		{"one instant in two zones", row("a", Created, t0), row("b", Created, t0.In(time.FixedZone("", 3600))), Order{Field: Created, Desc: true}},
		{"severity by rank", row("b", Severity, "low"), row("a", Severity, "high"), Order{Field: Severity}},
		{"a severity nobody knows", row("b", Severity, "odd"), row("a", Severity, "informational"), Order{Field: Severity}},
		{"text without case", row("b", Title, "Alpha"), row("a", Title, "beta"), Order{Field: Title}},
		{"equal rows by id, also descending", row("a", Title, "x"), row("b", Title, "X"), Order{Field: Title, Desc: true}},
	} {
		order := []Order{tt.order}
		a, b := SortKeyOf(tt.before, order), SortKeyOf(tt.after, order)
		if a.Compare(b, order) >= 0 || b.Compare(a, order) <= 0 || a.Compare(a, order) != 0 {
			t.Errorf("%s: %d, %d", tt.name, a.Compare(b, order), b.Compare(a, order))
		}
	}
}

func TestTop(t *testing.T) {
	var all []string
	for n := range 300 {
		all = append(all, fmt.Sprintf("%03d", n))
	}
	order := []Order{{Field: Title, Desc: true}} // three rows of each title, by id
	title := func(id string) string { return string('a' + rune(id[1]-'0')) }
	sorted := slices.SortedFunc(slices.Values(all), func(a, b string) int {
		if title(a) != title(b) {
			return strings.Compare(title(b), title(a))
		}
		return strings.Compare(a, b)
	})
	for _, tt := range []struct{ skip, top int }{{0, 1}, {0, 7}, {3, 4}, {290, 9}, {290, 10}, {290, 20}, {400, 5}} {
		top := NewTop[string](Query{Order: order, Skip: tt.skip, Top: tt.top})
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(all)) {
			top.Offer(rowOf{ID: all[i], Title: title(all[i])}, all[i])
		}
		page, more := top.Page()
		end := min(tt.skip+tt.top, len(sorted))
		if want := sorted[min(tt.skip, end):end]; !slices.Equal(page, want) || more != (end < len(sorted)) || top.Matched() != 300 {
			t.Errorf("%+v: got %v, more %v, matched %d; want %v", tt, page, more, top.Matched(), want)
		}
	}
}
