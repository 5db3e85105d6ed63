package cosmos

import (
	"strings"

	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// sqlQuery is a query whose conditions are made here.
type sqlQuery struct{ cosmosdb.Query }

// whereItems turns a filter into a condition on items: it holds for every item that may hold a row the filter holds
// for. "" is no condition. incidents gives the incidents whose rows are shown as that one's.
func (q *sqlQuery) whereItems(e query.Expr, incidents func(id string) []string) string {
	switch e := e.(type) {
	case query.And:
		return joinConditions(q.whereItems(e.Left, incidents), "AND", q.whereItems(e.Right, incidents))
	case query.Or:
		left, right := q.whereItems(e.Left, incidents), q.whereItems(e.Right, incidents)
		if left == "" || right == "" {
			return ""
		}
		return joinConditions(left, "OR", right)
	case query.Compare:
		if e.Field.IsTime() {
			return q.whereTime(e)
		}
		return q.whereText(e, incidents)
	}
	return "" // what is not so can be anywhere
}

func joinConditions(a, op, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + " " + op + " " + b + ")"
}

// spans are the properties of zone maps that tell a field's least and greatest time.
var spans = map[query.Field][2]string{
	query.Created:       {"c.cmin", "c.cmax"},
	query.Updated:       {"c.umin", "c.umax"},
	query.FirstActivity: {"c.fmin", "c.fmax"},
}

// whereTime compares a time. Ends are included always: zone maps are in microseconds, times are not.
func (q *sqlQuery) whereTime(e query.Compare) string {
	span, ok := spans[e.Field]
	if !ok || e.Null {
		return ""
	}
	at := unixMicro(e.Time)
	switch e.Op {
	case query.Gt, query.Ge:
		return span[1] + " >= " + q.BindParam(at)
	case query.Lt, query.Le:
		return span[0] + " <= " + q.BindParam(at)
	case query.Eq:
		p := q.BindParam(at)
		return "(" + span[0] + " <= " + p + " AND " + span[1] + " >= " + p + ")"
	}
	return ""
}

// whereText looks for a text among the terms.
func (q *sqlQuery) whereText(e query.Compare, incidents func(id string) []string) string {
	if e.Op != query.Eq {
		return ""
	}
	value := e.Text
	if e.Null {
		value = ""
	}
	if e.Field == query.IncidentID && incidents != nil {
		return q.whereIncidents(incidents(value))
	}
	for _, f := range indexedFields {
		if f == e.Field {
			return q.whereTerm(fieldTerm(f, value))
		}
	}
	return ""
}

func (q *sqlQuery) whereTerm(t string) string {
	return "ARRAY_CONTAINS(c.terms, " + q.BindParam(t) + ")"
}

// maxMerged is how many incidents a question names: a query has 512 KB at most, an incident takes some 60 bytes of it.
const maxMerged = 5000

// whereIncidents holds for items with rows of any of those incidents; more than a question can hold are not asked for.
func (q *sqlQuery) whereIncidents(incidents []string) string {
	if len(incidents) == 0 || len(incidents) > maxMerged {
		return ""
	}
	var all []string
	for _, id := range incidents {
		all = append(all, q.whereTerm(fieldTerm(query.IncidentID, id)))
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

// whereIDs holds for items with any of the names among their ids, each as a term.
func (q *sqlQuery) whereIDs(names []string, term func(string) string) string {
	var any []string
	for _, name := range names {
		any = append(any, "ARRAY_CONTAINS(c.ids, "+q.BindParam(term(name))+")")
	}
	return strings.Join(any, " OR ")
}
