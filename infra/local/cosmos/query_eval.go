package cosmos

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// operand gives a value for an item: undefined{}, nil, bool, float64, string, []any or map[string]any.
type operand interface{ of(it *item) any }

func (p path) of(it *item) any { return it.hold(p) }

type literal struct{ value any }

func (l literal) of(*item) any { return l.value }

// expression is true, false or undefined{} for an item; only what is true matches.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/logical-operators, the tables with Undefined.
type expression interface{ eval(it *item) any }

type both struct{ left, right expression }

func (e both) eval(it *item) any {
	l := e.left.eval(it)
	if l == false {
		return false
	}
	r := e.right.eval(it)
	if r == false || l == true {
		return r
	}
	return undefined{}
}

type either struct{ left, right expression }

func (e either) eval(it *item) any {
	l := e.left.eval(it)
	if l == true {
		return true
	}
	r := e.right.eval(it)
	if r == true || l == false {
		return r
	}
	return undefined{}
}

type negated struct{ e expression }

func (e negated) eval(it *item) any {
	if v, ok := e.e.eval(it).(bool); ok {
		return !v
	}
	return undefined{}
}

// compared is undefined for values of two types, and for an order between values that have none.
type compared struct {
	op          string
	left, right operand
}

func (e compared) eval(it *item) any {
	l, r := e.left.of(it), e.right.of(it)
	if rank(l) != rank(r) || l == (undefined{}) {
		return undefined{}
	}
	if e.op == "=" || e.op == "!=" {
		return reflect.DeepEqual(l, r) == (e.op == "=")
	}
	if rank(l) > rank("") || l == nil {
		return undefined{}
	}
	c := compareValues(l, r)
	switch e.op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

type among struct {
	left operand
	list []operand
}

func (e among) eval(it *item) any {
	found := any(undefined{})
	for _, o := range e.list {
		switch (compared{"=", e.left, o}).eval(it) {
		case true:
			return true
		case false:
			found = false
		}
	}
	return found
}

type called struct {
	name string
	args []operand
}

func (e called) eval(it *item) any {
	first := e.args[0].of(it)
	switch e.name {
	case "IS_DEFINED":
		return first != (undefined{})
	case "IS_NULL":
		return first == nil
	}
	second := e.args[1].of(it)
	if e.name == "ARRAY_CONTAINS" {
		list, ok := first.([]any)
		if !ok || second == (undefined{}) {
			return undefined{}
		}
		return slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(v, second) })
	}
	whole, ok1 := first.(string)
	part, ok2 := second.(string)
	if !ok1 || !ok2 {
		return undefined{}
	}
	if e.name == "CONTAINS" {
		return strings.Contains(whole, part)
	}
	return strings.HasPrefix(whole, part)
}

// rank is the order of types: what is not there, null, booleans, numbers, texts, arrays, objects.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/order-by, "ordering of mixed types".
func rank(v any) int {
	switch v.(type) {
	case undefined:
		return 0
	case nil:
		return 1
	case bool:
		return 2
	case float64:
		return 3
	case string:
		return 4
	case []any:
		return 5
	}
	return 6
}

// compareValues orders two values of any types; arrays and objects among themselves have no order.
func compareValues(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(truth(a), truth(b.(bool)))
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return cmp.Compare(a, b.(string))
	}
	return 0
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bound narrows ids: they are at least lo and, unless open, below hi. Both are only a first sieve; the filter itself
// still decides.
type bound struct {
	lo, hi string
	open   bool
}

// bounds finds what the conjunction at the top says about id.
func bounds(e expression) []bound {
	switch e := e.(type) {
	case both:
		return append(bounds(e.left), bounds(e.right)...)
	case compared:
		if v, ok := idAgainst(e.left, e.right); ok {
			switch e.op {
			case "=":
				return []bound{{lo: v, hi: v + "\x00"}}
			case ">", ">=":
				return []bound{{lo: v, open: true}}
			case "<", "<=":
				return []bound{{hi: v + "\x00"}}
			}
		}
	case called:
		if len(e.args) == 2 && e.name == "STARTSWITH" {
			if v, ok := idAgainst(e.args[0], e.args[1]); ok {
				return []bound{{lo: v, hi: v + "\xff"}}
			}
		}
	}
	return nil
}

func idAgainst(left, right operand) (string, bool) {
	p, isPath := left.(path)
	l, isLiteral := right.(literal)
	if !isPath || !isLiteral || len(p) != 1 || p[0] != "id" {
		return "", false
	}
	v, isText := l.value.(string)
	return v, isText
}

// within cuts sorted items down to the bounds.
func (s sortedItems) within(list []bound) sortedItems {
	lo, hi := 0, len(s)
	for _, b := range list {
		from, _ := s.find(b.lo)
		lo = max(lo, from)
		if !b.open {
			to, _ := s.find(b.hi)
			hi = min(hi, to)
		}
	}
	if lo >= hi {
		return nil
	}
	return s[lo:hi]
}
