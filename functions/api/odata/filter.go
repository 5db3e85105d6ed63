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

// ParseFilter reads a $filter expression: eq ne gt ge lt le in, and or not, parentheses; strings in single quotes, a
// quote inside them written twice; times bare; null. Errors are fault.Invalid around *Error and name the column.
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = "not" not | "(" or ")" | term
//	term = property op value | value op property | property "in" "(" value { "," value } ")"
func ParseFilter(text string, s Schema) (query.Expr, error) {
	if len(text) > MaxFilter {
		return nil, invalidOption(&Error{Option: "$filter", Message: fmt.Sprintf("$filter is %d bytes long, at most %d are read.", len(text), MaxFilter)})
	}
	p := &parser{schema: s, lexer: lexer{text: text}}
	p.nextToken()
	e := p.parseOr(0)
	if p.err == nil && p.tok.kind != end {
		p.failAtf(p.tok, "expected 'and', 'or' or the end, not %s", p.tok)
	}
	if p.err != nil {
		return nil, invalidOption(p.err)
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

func (p *parser) nextToken() {
	p.tok = p.lexer.scanToken()
	if p.tok.kind == broken {
		p.failAtf(p.tok, "%s", p.tok.text)
	}
}

func (p *parser) failAtf(at token, format string, args ...any) {
	if p.err == nil {
		col := columnOf(p.text, at.at)
		p.err = &Error{Option: "$filter", Column: col, Message: fmt.Sprintf("Invalid filter clause, column %d: ", col) + fmt.Sprintf(format, args...) + "."}
	}
	p.tok = token{kind: end, at: at.at}
}

func (p *parser) parseOr(depth int) query.Expr {
	e := p.parseAnd(depth)
	for p.err == nil && p.tok.isWord("or") {
		p.nextToken()
		e = query.Or{Left: e, Right: p.parseAnd(depth)}
	}
	return e
}

func (p *parser) parseAnd(depth int) query.Expr {
	e := p.parseNot(depth)
	for p.err == nil && p.tok.isWord("and") {
		p.nextToken()
		e = query.And{Left: e, Right: p.parseNot(depth)}
	}
	return e
}

func (p *parser) parseNot(depth int) query.Expr {
	if depth > maxDepth {
		p.failAtf(p.tok, "nested more than %d deep", maxDepth)
		return nil
	}
	switch {
	case p.err != nil:
		return nil
	case p.tok.isWord("not"):
		p.nextToken()
		return query.Not{X: p.parseNot(depth + 1)}
	case p.tok.kind == open:
		p.nextToken()
		e := p.parseOr(depth + 1)
		p.expectKind(closed, "')'")
		return e
	}
	return p.parseTerm()
}

func (p *parser) expectKind(k kind, what string) {
	if p.err != nil {
		return
	}
	if p.tok.kind != k {
		p.failAtf(p.tok, "expected %s, not %s", what, p.tok)
		return
	}
	p.nextToken()
}

var swappedOps = map[query.Op]query.Op{
	query.Eq: query.Eq, query.Ne: query.Ne, query.Gt: query.Lt, query.Lt: query.Gt, query.Ge: query.Le, query.Le: query.Ge,
}

// parseTerm reads one comparison, with the property on either side.
func (p *parser) parseTerm() query.Expr {
	left := p.parseOperand()
	if p.err != nil {
		return nil
	}
	op := query.Op(strings.ToLower(p.tok.text))
	if p.tok.isWord("in") {
		p.nextToken()
		return p.parseIn(left)
	}
	if _, ok := swappedOps[op]; !ok || p.tok.kind != word {
		if p.tok.kind == open {
			p.failAtf(left, "the function '%s' is not supported", clipText(left.text))
		} else {
			p.failAtf(p.tok, "expected eq, ne, gt, ge, lt, le or in, not %s", p.tok)
		}
		return nil
	}
	p.nextToken()
	right := p.parseOperand()
	if p.err != nil {
		return nil
	}
	if left.isLiteral() {
		left, right, op = right, left, swappedOps[op]
	}
	prop, ok := p.findProperty(left)
	if !ok {
		return nil
	}
	return p.parseComparison(prop, op, right)
}

// parseIn reads the list of an in: any of its values.
func (p *parser) parseIn(left token) query.Expr {
	prop, ok := p.findProperty(left)
	p.expectKind(open, "'('")
	var e query.Expr
	for ok && p.err == nil {
		c := p.parseComparison(prop, query.Eq, p.parseOperand())
		if e == nil {
			e = c
		} else {
			e = query.Or{Left: e, Right: c}
		}
		if p.tok.kind != comma {
			break
		}
		p.nextToken()
	}
	p.expectKind(closed, "',' or ')'")
	return e
}

// parseOperand takes one property name or literal.
func (p *parser) parseOperand() token {
	t := p.tok
	if t.kind != word && t.kind != quoted {
		p.failAtf(t, "expected a property or a value, not %s", t)
		return t
	}
	p.nextToken()
	if t.kind == word && zoneLost(t, p.tok) {
		t.text += "+" + p.tok.text
		p.nextToken()
	}
	return t
}

func (p *parser) findProperty(t token) (Property, bool) {
	if p.err != nil {
		return Property{}, false
	}
	prop, ok := p.schema.propertyNamed(t.text)
	if t.kind != word || !ok {
		p.failAtf(t, "'%s' is not a property of %s that can be filtered by", clipText(t.text), p.schema.Type)
	}
	return prop, ok && p.err == nil
}
