package sql

import "maps"

// IDBound narrows ids: they are at least Lo and, unless Open, below Hi. It is a sieve: the filter itself still decides.
type IDBound struct {
	Lo, Hi string
	Open   bool
}

// idBoundsOf finds what the conjunction at the top says about id.
func idBoundsOf(e expression) []IDBound {
	switch e := e.(type) {
	case andExpr:
		return append(idBoundsOf(e.left), idBoundsOf(e.right)...)
	case compareExpr:
		if v, ok := idAgainst(e.left, e.right); ok {
			switch e.op {
			case "=":
				return []IDBound{{Lo: v, Hi: v + "\x00"}}
			case ">", ">=":
				return []IDBound{{Lo: v, Open: true}}
			case "<", "<=":
				return []IDBound{{Hi: v + "\x00"}}
			}
		}
	case callExpr:
		if len(e.args) == 2 && e.name == "STARTSWITH" {
			if v, ok := idAgainst(e.args[0], e.args[1]); ok {
				return []IDBound{{Lo: v, Hi: v + "\xff"}}
			}
		}
	}
	return nil
}

// idAgainst is the text that id is held against.
func idAgainst(left, right operand) (string, bool) {
	p, text, ok := textAtPath(left, right)
	return text, ok && len(p) == 1 && p[0] == "id"
}

// Narrow finds rows among which are all that the query's filter is true for. Find gives the rows that have a text at a
// path, as a map of its own; ok is false when no index covers the path, and then Narrow cannot tell either.
func Narrow[R comparable](q *Query, find func(p Path, text string) (rows map[R]bool, ok bool)) (rows map[R]bool, ok bool) {
	return narrowBy(q.where, find)
}

func narrowBy[R comparable](e expression, find func(Path, string) (map[R]bool, bool)) (map[R]bool, bool) {
	switch e := e.(type) {
	case andExpr:
		left, ok := narrowBy(e.left, find)
		right, ok2 := narrowBy(e.right, find)
		if !ok || ok2 && len(right) < len(left) {
			return right, ok2
		}
		return left, true
	case orExpr:
		left, ok := narrowBy(e.left, find)
		if !ok {
			return nil, false
		}
		right, ok := narrowBy(e.right, find)
		maps.Copy(left, right)
		return left, ok
	case compareExpr:
		if p, text, ok := textAtPath(e.left, e.right); ok && e.op == "=" {
			return find(p, text)
		}
	case callExpr:
		if e.name == "ARRAY_CONTAINS" {
			if p, text, ok := textAtPath(e.args[0], e.args[1]); ok {
				return find(append(append(Path{}, p...), "[]"), text)
			}
		}
	}
	return nil, false
}

// textAtPath takes a path and a text that it is held against.
func textAtPath(left, right operand) (p Path, text string, ok bool) {
	p, isPath := left.(Path)
	l, isLiteral := right.(literal)
	if !isPath || !isLiteral {
		return nil, "", false
	}
	text, ok = l.value.(string)
	return p, text, ok
}
