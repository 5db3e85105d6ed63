package odata

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/query"
)

// timePrecision is the precision that times are shown with. A client takes a shown time as its cursor, so filters must
// compare what is shown and not the nanoseconds below it.
const timePrecision = 100 * time.Nanosecond

// parseComparison makes the condition "property op value" and checks that they fit.
func (p *parser) parseComparison(prop Property, op query.Op, v token) query.Expr {
	if p.err != nil {
		return nil
	}
	if p.terms++; p.terms > maxTerms {
		p.failAtf(v, "more than %d comparisons", maxTerms)
		return nil
	}
	switch {
	case v.isWord("null"):
		if op != query.Eq && op != query.Ne {
			p.failAtf(v, "null can only be compared with eq and ne")
		}
		return query.Compare{Field: prop.Field, Op: op, Null: true}
	case prop.Field.IsTime():
		return p.compareTime(prop, op, v)
	case prop.Field.IsNumber():
		return p.compareNumber(prop, op, v)
	case v.kind != quoted:
		p.failAtf(v, "'%s' is compared with text, which is written in single quotes", prop.Field)
		return nil
	case prop.Enum != nil:
		return p.compareEnum(prop, op, v)
	}
	return query.Compare{Field: prop.Field, Op: op, Text: v.text}
}

// compareNumber compares with a whole number, written without quotes.
func (p *parser) compareNumber(prop Property, op query.Op, v token) query.Expr {
	n, err := strconv.ParseUint(v.text, 10, 9)
	if v.kind == quoted || err != nil {
		p.failAtf(v, "'%s' is compared with a number such as 85", prop.Field)
		return nil
	}
	return query.Compare{Field: prop.Field, Op: op, Text: query.Number(int(n))}
}

// compareTime compares at the precision of a tick: gt is beyond the whole tick, eq is within it.
func (p *parser) compareTime(prop Property, op query.Op, v token) query.Expr {
	t, ok := parseTime(v.text)
	if v.kind == quoted {
		p.failAtf(v, "'%s' is compared with a time, which is written without quotes", prop.Field)
		return nil
	}
	if !ok {
		p.failAtf(v, "'%s' is not a time such as 2026-03-03T00:07:33Z", clipText(v.text))
		return nil
	}
	first := t.Truncate(timePrecision)
	last := first.Add(timePrecision - 1)
	at := func(op query.Op, t time.Time) query.Expr { return query.Compare{Field: prop.Field, Op: op, Time: t} }
	switch op {
	case query.Gt, query.Le:
		return at(op, last)
	case query.Ge, query.Lt:
		return at(op, first)
	case query.Eq:
		return query.And{Left: at(query.Ge, first), Right: at(query.Le, last)}
	}
	return query.Or{Left: at(query.Lt, first), Right: at(query.Gt, last)}
}

// compareEnum compares by the enum's own order. "unknown" and not set are one thing to a client.
func (p *parser) compareEnum(prop Property, op query.Op, v token) query.Expr {
	m := prop.Enum.Parse(v.text)
	if m == "" {
		p.failAtf(v, "'%s' is not a member of %s (%s)", clipText(v.text), prop.Enum.Name, strings.Join(prop.Enum.Members, ", "))
		return nil
	}
	var in []string
	switch at := slices.Index(prop.Enum.Members, m); {
	case m == futureMember:
		in = prop.Enum.lateMembers()
	case op == query.Eq || op == query.Ne:
		in = []string{m}
	case op == query.Gt:
		in = prop.Enum.Members[at+1:]
	case op == query.Ge:
		in = prop.Enum.Members[at:]
	case op == query.Lt:
		in = prop.Enum.Members[:at]
	case op == query.Le:
		in = prop.Enum.Members[:at+1]
	}
	if op == query.Ne {
		return query.Not{X: anyOf(prop.Field, in)}
	}
	return anyOf(prop.Field, in)
}

// anyOf holds when the field is one of the members; of none, never.
func anyOf(f query.Field, members []string) query.Expr {
	var e query.Expr
	or := func(c query.Expr) {
		if e == nil {
			e = c
		} else {
			e = query.Or{Left: e, Right: c}
		}
	}
	for _, m := range members {
		if or(query.Compare{Field: f, Op: query.Eq, Text: m}); m == "unknown" {
			or(query.Compare{Field: f, Op: query.Eq, Null: true})
		}
	}
	if e == nil {
		return query.And{Left: query.Compare{Field: f, Op: query.Eq, Null: true}, Right: query.Compare{Field: f, Op: query.Ne, Null: true}}
	}
	return e
}

var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02"}

// parseTime reads an OData time literal; one without zone is UTC.
func parseTime(s string) (time.Time, bool) {
	for _, l := range layouts {
		if t, err := time.Parse(l, strings.ToUpper(s)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// zoneLost reports whether next is the zone of time t whose "+" was sent bare and so arrived as a space.
func zoneLost(t, next token) bool {
	return next.kind == word && len(next.text) == 5 && next.text[2] == ':' && next.at == t.at+len(t.text)+1 &&
		strings.ContainsAny(t.text, "Tt") && t.text[0] >= '0' && t.text[0] <= '9'
}
