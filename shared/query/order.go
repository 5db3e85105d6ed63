package query

import (
	"cmp"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// NewestFirst is the order of a listing whose query has none.
var NewestFirst = []Order{{Field: Created, Desc: true}}

// SortKey is a row's place in an order: one value for each term, then the row's id.
type SortKey struct {
	values []sortValue
	id     string
}

// sortValue is one value to order by; the members that its field does not use are zero.
type sortValue struct {
	time time.Time
	rank int
	text string
}

// SortKeyOf is the place of a row in an order. Times count as instants, to the nanosecond, and one that is not set
// comes before all others; severities count by rank; everything else as text without case.
func SortKeyOf(row Row, order []Order) SortKey {
	return SortKey{appendSortValues(make([]sortValue, 0, len(order)), row, order), row.Text(ID)}
}

func appendSortValues(values []sortValue, row Row, order []Order) []sortValue {
	for _, o := range order {
		var v sortValue
		switch {
		case o.Field.IsTime():
			v.time = row.Time(o.Field)
		case o.Field == Severity:
			v.rank = alert.ParseSeverity(row.Text(o.Field)).Rank()
		default:
			v.text = strings.ToLower(row.Text(o.Field))
		}
		values = append(values, v)
	}
	return values
}

// Compare is negative when k comes before other in the order that both were made for, positive when after. Rows that
// the order leaves equal come in the order of their ids, ascending whatever the directions of its terms.
func (k SortKey) Compare(other SortKey, order []Order) int {
	for i, o := range order {
		a, b := &k.values[i], &other.values[i]
		c := cmp.Or(a.time.Compare(b.time), cmp.Compare(a.rank, b.rank), strings.Compare(a.text, b.text))
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(k.id, other.id)
}
