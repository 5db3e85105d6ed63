package cosmos

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// operand gives a value for an item: undefined{}, nil, bool, float64, string, []any or map[string]any.
type operand interface{ valueFor(it *item) any }

func (p path) valueFor(it *item) any { return it.holdValue(p) }

type literal struct{ value any }

func (l literal) valueFor(*item) any { return l.value }

// expression is true, false or undefined{} for an item; only what is true matches.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/logical-operators, the tables with Undefined.
type expression interface{ evaluate(it *item) any }

type andExpr struct{ left, right expression }

func (e andExpr) evaluate(it *item) any {
	l := e.left.evaluate(it)
	if l == false {
		return false
	}
	r := e.right.evaluate(it)
	if r == false || l == true {
		return r
	}
	return undefined{}
}

type orExpr struct{ left, right expression }

func (e orExpr) evaluate(it *item) any {
	l := e.left.evaluate(it)
	if l == true {
		return true
	}
	r := e.right.evaluate(it)
	if r == true || l == false {
		return r
	}
	return undefined{}
}

type notExpr struct{ e expression }

func (e notExpr) evaluate(it *item) any {
	if v, ok := e.e.evaluate(it).(bool); ok {
		return !v
	}
	return undefined{}
}

// compareExpr is undefined for values of two types, and for an order between values that have none.
type compareExpr struct {
	op          string
	left, right operand
}

func (e compareExpr) evaluate(it *item) any {
	l, r := e.left.valueFor(it), e.right.valueFor(it)
	if typeRank(l) != typeRank(r) || l == (undefined{}) {
		return undefined{}
	}
	if e.op == "=" || e.op == "!=" {
		return reflect.DeepEqual(l, r) == (e.op == "=")
	}
	if typeRank(l) > typeRank("") || l == nil {
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

type inExpr struct {
	left operand
	list []operand
}

func (e inExpr) evaluate(it *item) any {
	found := any(undefined{})
	for _, o := range e.list {
		switch (compareExpr{"=", e.left, o}).evaluate(it) {
		case true:
			return true
		case false:
			found = false
		}
	}
	return found
}

type callExpr struct {
	name string
	args []operand
}

func (e callExpr) evaluate(it *item) any {
	first := e.args[0].valueFor(it)
	switch e.name {
	case "IS_DEFINED":
		return first != (undefined{})
	case "IS_NULL":
		return first == nil
	}
	second := e.args[1].valueFor(it)
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

// typeRank is the order of types: what is not there, null, booleans, numbers, texts, arrays, objects.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/order-by, "ordering of mixed types".
func typeRank(v any) int {
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
	if c := cmp.Compare(typeRank(a), typeRank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(boolRank(a), boolRank(b.(bool)))
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return cmp.Compare(a, b.(string))
	}
	return 0
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// idBound narrows ids: they are at least lo and, unless open, below hi. Both are only a first sieve; the filter itself
// still decides.
type idBound struct {
	lo, hi string
	open   bool
}

// idBoundsOf finds what the conjunction at the top says about id.
func idBoundsOf(e expression) []idBound {
	switch e := e.(type) {
	case andExpr:
		return append(idBoundsOf(e.left), idBoundsOf(e.right)...)
	case compareExpr:
		if v, ok := idAgainst(e.left, e.right); ok {
			switch e.op {
			case "=":
				return []idBound{{lo: v, hi: v + "\x00"}}
			case ">", ">=":
				return []idBound{{lo: v, open: true}}
			case "<", "<=":
				return []idBound{{hi: v + "\x00"}}
			}
		}
	case callExpr:
		if len(e.args) == 2 && e.name == "STARTSWITH" {
			if v, ok := idAgainst(e.args[0], e.args[1]); ok {
				return []idBound{{lo: v, hi: v + "\xff"}}
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

// withinBounds cuts sorted items down to the bounds.
func (s sortedItems) withinBounds(list []idBound) sortedItems {
	lo, hi := 0, len(s)
	for _, b := range list {
		from, _ := s.findID(b.lo)
		lo = max(lo, from)
		if !b.open {
			to, _ := s.findID(b.hi)
			hi = min(hi, to)
		}
	}
	if lo >= hi {
		return nil
	}
	return s[lo:hi]
}
