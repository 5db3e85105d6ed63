package cosmos

import (
	"strings"

	"github.com/onepane/onepane/shared/query"
)

// narrow turns a filter into a condition on items: it holds for every item that may hold a row the filter holds for. "" is
// no condition. incidents gives the incidents whose rows are shown as that one's.
func (q *question) narrow(e query.Expr, incidents func(id string) []string) string {
	switch e := e.(type) {
	case query.And:
		return both(q.narrow(e.Left, incidents), "AND", q.narrow(e.Right, incidents))
	case query.Or:
		left, right := q.narrow(e.Left, incidents), q.narrow(e.Right, incidents)
		if left == "" || right == "" {
			return ""
		}
		return both(left, "OR", right)
	case query.Compare:
		if e.Field.IsTime() {
			return q.within(e)
		}
		return q.has(e, incidents)
	}
	return "" // what is not so can be anywhere
}

func both(a, op, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + " " + op + " " + b + ")"
}

// spans are the properties of zones that tell a field's least and greatest time.
var spans = map[query.Field][2]string{
	query.Created:       {"c.cmin", "c.cmax"},
	query.Updated:       {"c.umin", "c.umax"},
	query.FirstActivity: {"c.fmin", "c.fmax"},
}

// within compares a time. Ends are included always: zones are in microseconds, times are not.
func (q *question) within(e query.Compare) string {
	span, ok := spans[e.Field]
	if !ok || e.Null {
		return ""
	}
	at := unixMicro(e.Time)
	switch e.Op {
	case query.Gt, query.Ge:
		return span[1] + " >= " + q.bind(at)
	case query.Lt, query.Le:
		return span[0] + " <= " + q.bind(at)
	case query.Eq:
		p := q.bind(at)
		return "(" + span[0] + " <= " + p + " AND " + span[1] + " >= " + p + ")"
	}
	return ""
}

// has looks for a text among the terms.
func (q *question) has(e query.Compare, incidents func(id string) []string) string {
	if e.Op != query.Eq {
		return ""
	}
	value := e.Text
	if e.Null {
		value = ""
	}
	if e.Field == query.IncidentID && incidents != nil {
		return q.any(incidents(value))
	}
	for _, f := range zoned {
		if f == e.Field {
			return q.term(fieldTerm(f, value))
		}
	}
	return ""
}

func (q *question) term(t string) string { return "ARRAY_CONTAINS(c.terms, " + q.bind(t) + ")" }

// maxMerged is how many incidents a question names: a query has 512 KB at most, an incident takes some 60 bytes of it.
const maxMerged = 5000

// any holds for items with rows of any of those incidents; more than a question can hold are not asked for.
func (q *question) any(incidents []string) string {
	if len(incidents) == 0 || len(incidents) > maxMerged {
		return ""
	}
	var all []string
	for _, id := range incidents {
		all = append(all, q.term(fieldTerm(query.IncidentID, id)))
	}
	return "(" + strings.Join(all, " OR ") + ")"
}
