package odata

import (
	"fmt"
	"strings"

	"github.com/onepane/onepane/shared/query"
)

// The bounds of a filter. They keep what a request can make us do small, far above what people write.
const (
	MaxFilter = 8 << 10 // bytes
	maxDepth  = 50      // of parentheses and not
	maxTerms  = 250     // comparisons, each value of an in list counted
)

// ParseFilter reads a $filter expression: eq ne gt ge lt le in, and or not, parentheses; strings in single quotes, a quote
// inside them written twice; times bare; null. Errors are fault.Invalid around *Error and name the column.
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = "not" not | "(" or ")" | term
//	term = property op value | value op property | property "in" "(" value { "," value } ")"
func ParseFilter(text string, s Schema) (query.Expr, error) {
	if len(text) > MaxFilter {
		return nil, invalid(&Error{Option: "$filter", Message: fmt.Sprintf("$filter is %d bytes long, at most %d are read.", len(text), MaxFilter)})
	}
	p := &parser{schema: s, lexer: lexer{text: text}}
	p.next()
	e := p.or(0)
	if p.err == nil && p.tok.kind != end {
		p.failf(p.tok, "expected 'and', 'or' or the end, not %s", p.tok)
	}
	if p.err != nil {
		return nil, invalid(p.err)
	}
	return e, nil
}

// parser is a recursive descent over tok. The first error stays; after it every step returns at once.
type parser struct {
	lexer
	schema Schema
	tok    token
	terms  int
	err    *Error
}

func (p *parser) next() {
	p.tok = p.lexer.next()
	if p.tok.kind == broken {
		p.failf(p.tok, "%s", p.tok.text)
	}
}

func (p *parser) failf(at token, format string, args ...any) {
	if p.err == nil {
		col := column(p.text, at.at)
		p.err = &Error{Option: "$filter", Column: col, Message: fmt.Sprintf("Invalid filter clause, column %d: ", col) + fmt.Sprintf(format, args...) + "."}
	}
	p.tok = token{kind: end, at: at.at}
}

func (p *parser) or(depth int) query.Expr {
	e := p.and(depth)
	for p.err == nil && p.tok.is("or") {
		p.next()
		e = query.Or{Left: e, Right: p.and(depth)}
	}
	return e
}

func (p *parser) and(depth int) query.Expr {
	e := p.not(depth)
	for p.err == nil && p.tok.is("and") {
		p.next()
		e = query.And{Left: e, Right: p.not(depth)}
	}
	return e
}

func (p *parser) not(depth int) query.Expr {
	if depth > maxDepth {
		p.failf(p.tok, "nested more than %d deep", maxDepth)
		return nil
	}
	switch {
	case p.err != nil:
		return nil
	case p.tok.is("not"):
		p.next()
		return query.Not{X: p.not(depth + 1)}
	case p.tok.kind == open:
		p.next()
		e := p.or(depth + 1)
		p.expect(closed, "')'")
		return e
	}
	return p.term()
}

func (p *parser) expect(k kind, what string) {
	if p.err != nil {
		return
	}
	if p.tok.kind != k {
		p.failf(p.tok, "expected %s, not %s", what, p.tok)
		return
	}
	p.next()
}

var flipped = map[query.Op]query.Op{
	query.Eq: query.Eq, query.Ne: query.Ne, query.Gt: query.Lt, query.Lt: query.Gt, query.Ge: query.Le, query.Le: query.Ge,
}

// term reads one comparison, with the property on either side.
func (p *parser) term() query.Expr {
	left := p.operand()
	if p.err != nil {
		return nil
	}
	op := query.Op(strings.ToLower(p.tok.text))
	if p.tok.is("in") {
		p.next()
		return p.in(left)
	}
	if _, ok := flipped[op]; !ok || p.tok.kind != word {
		if p.tok.kind == open {
			p.failf(left, "the function '%s' is not supported", clip(left.text))
		} else {
			p.failf(p.tok, "expected eq, ne, gt, ge, lt, le or in, not %s", p.tok)
		}
		return nil
	}
	p.next()
	right := p.operand()
	if p.err != nil {
		return nil
	}
	if left.literal() {
		left, right, op = right, left, flipped[op]
	}
	prop, ok := p.property(left)
	if !ok {
		return nil
	}
	return p.compare(prop, op, right)
}

// in reads the list of an in: any of its values.
func (p *parser) in(left token) query.Expr {
	prop, ok := p.property(left)
	p.expect(open, "'('")
	var e query.Expr
	for ok && p.err == nil {
		c := p.compare(prop, query.Eq, p.operand())
		if e == nil {
			e = c
		} else {
			e = query.Or{Left: e, Right: c}
		}
		if p.tok.kind != comma {
			break
		}
		p.next()
	}
	p.expect(closed, "',' or ')'")
	return e
}

// operand takes one property name or literal.
func (p *parser) operand() token {
	t := p.tok
	if t.kind != word && t.kind != quoted {
		p.failf(t, "expected a property or a value, not %s", t)
		return t
	}
	p.next()
	if t.kind == word && zoneLost(t, p.tok) {
		t.text += "+" + p.tok.text
		p.next()
	}
	return t
}

func (p *parser) property(t token) (Property, bool) {
	if p.err != nil {
		return Property{}, false
	}
	prop, ok := p.schema.property(t.text)
	if t.kind != word || !ok {
		p.failf(t, "'%s' is not a property of %s that can be filtered by", clip(t.text), p.schema.Type)
	}
	return prop, ok && p.err == nil
}
