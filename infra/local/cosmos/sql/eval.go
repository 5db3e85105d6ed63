package sql

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Undefined is the value at a path that an item does not have.
type Undefined struct{}

// Row is an item as a query sees it.
type Row interface {
	// Value is what is at a path: Undefined{}, nil, bool, float64, string, []any or map[string]any.
	Value(Path) any
}

// operand gives a value for a row, one of those that Row.Value gives.
type operand interface{ valueFor(row Row) any }

func (p Path) valueFor(row Row) any { return row.Value(p) }

type literal struct{ value any }

func (l literal) valueFor(Row) any { return l.value }

// expression is true, false or Undefined{} for an item; only what is true matches.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/logical-operators, the tables with Undefined.
type expression interface{ truthFor(row Row) any }

type andExpr struct{ left, right expression }

func (e andExpr) truthFor(row Row) any {
	l := e.left.truthFor(row)
	if l == false {
		return false
	}
	r := e.right.truthFor(row)
	if r == false || l == true {
		return r
	}
	return Undefined{}
}

type orExpr struct{ left, right expression }

func (e orExpr) truthFor(row Row) any {
	l := e.left.truthFor(row)
	if l == true {
		return true
	}
	r := e.right.truthFor(row)
	if r == true || l == false {
		return r
	}
	return Undefined{}
}

type notExpr struct{ e expression }

func (e notExpr) truthFor(row Row) any {
	if v, ok := e.e.truthFor(row).(bool); ok {
		return !v
	}
	return Undefined{}
}

// compareExpr is Undefined for values of two types, and for an order between values that have none.
type compareExpr struct {
	op          string
	left, right operand
}

func (e compareExpr) truthFor(row Row) any {
	l, r := e.left.valueFor(row), e.right.valueFor(row)
	if typeRank(l) != typeRank(r) || l == (Undefined{}) {
		return Undefined{}
	}
	if e.op == "=" || e.op == "!=" {
		return reflect.DeepEqual(l, r) == (e.op == "=")
	}
	if typeRank(l) > typeRank("") || l == nil {
		return Undefined{}
	}
	c := CompareValues(l, r)
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

func (e inExpr) truthFor(row Row) any {
	found := any(Undefined{})
	for _, o := range e.list {
		switch (compareExpr{"=", e.left, o}).truthFor(row) {
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

func (e callExpr) truthFor(row Row) any {
	first := e.args[0].valueFor(row)
	switch e.name {
	case "IS_DEFINED":
		return first != (Undefined{})
	case "IS_NULL":
		return first == nil
	}
	second := e.args[1].valueFor(row)
	if e.name == "ARRAY_CONTAINS" {
		list, ok := first.([]any)
		if !ok || second == (Undefined{}) {
			return Undefined{}
		}
		return slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(v, second) })
	}
	whole, ok1 := first.(string)
	part, ok2 := second.(string)
	if !ok1 || !ok2 {
		return Undefined{}
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
	case Undefined:
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

// CompareValues orders two values of any types; arrays and objects among themselves have no order.
func CompareValues(a, b any) int {
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
