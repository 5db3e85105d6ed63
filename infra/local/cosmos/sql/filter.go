package sql

import "strings"

func (p *parser) parseOr() expression {
	e := p.parseAnd()
	for p.acceptToken("OR") {
		e = orExpr{e, p.parseAnd()}
	}
	return e
}

func (p *parser) parseAnd() expression {
	e := p.parseNot()
	for p.acceptToken("AND") {
		e = andExpr{e, p.parseNot()}
	}
	return e
}

func (p *parser) parseNot() expression {
	if p.acceptToken("NOT") {
		return notExpr{p.parseNot()}
	}
	return p.parseTest()
}

// functions are the boolean ones, with how many operands they take.
var functions = map[string]int{"IS_DEFINED": 1, "IS_NULL": 1, "STARTSWITH": 2, "CONTAINS": 2, "ARRAY_CONTAINS": 2}

func (p *parser) parseTest() expression {
	if p.acceptToken("(") {
		e := p.parseOr()
		p.requireToken(")")
		return e
	}
	name := strings.ToUpper(p.token.text)
	if n, known := functions[name]; known && p.token.kind == word {
		return p.parseCall(name, n)
	}
	left := p.parseOperand()
	if p.acceptToken("NOT") {
		return notExpr{p.parseRange(left)}
	}
	switch op := p.token.text; op {
	case "=", "!=", "<>", "<", "<=", ">", ">=":
		p.nextToken()
		if op == "<>" {
			op = "!="
		}
		return compareExpr{op, left, p.parseOperand()}
	}
	return p.parseRange(left)
}

// parseRange is IN or BETWEEN.
func (p *parser) parseRange(left operand) expression {
	switch {
	case p.acceptToken("BETWEEN"):
		lo := p.parseOperand()
		p.requireToken("AND")
		return andExpr{compareExpr{">=", left, lo}, compareExpr{"<=", left, p.parseOperand()}}
	case p.acceptToken("IN"):
		p.requireToken("(")
		in := inExpr{left: left}
		for {
			in.list = append(in.list, p.parseOperand())
			if !p.acceptToken(",") {
				break
			}
		}
		p.requireToken(")")
		return in
	}
	p.failAt("a comparison is missing")
	return nil
}

func (p *parser) parseCall(name string, n int) expression {
	p.nextToken()
	p.requireToken("(")
	var args []operand
	for range n {
		if len(args) > 0 {
			p.requireToken(",")
		}
		args = append(args, p.parseOperand())
	}
	p.requireToken(")")
	if _, isPath := args[0].(Path); !isPath && n == 1 {
		p.failAt(name + " takes a path")
	}
	return callExpr{name, args}
}

func (p *parser) parseOperand() operand {
	t := p.token
	switch t.kind {
	case text:
		p.nextToken()
		return literal{t.value}
	case number:
		p.nextToken()
		return literal{t.value}
	case parameter:
		return literal{p.parseParameter()}
	}
	switch {
	case strings.EqualFold(t.text, "true"), strings.EqualFold(t.text, "false"):
		p.nextToken()
		return literal{strings.EqualFold(t.text, "true")}
	case strings.EqualFold(t.text, "null"):
		p.failAt("comparing with null is not served here: use IS_NULL or IS_DEFINED")
	}
	return p.parsePath()
}

func (p *parser) parseParameter() any {
	v, given := p.parameters[p.token.text]
	if !given {
		p.failAt("parameter " + p.token.text + " is not given")
	}
	if v == nil {
		p.failAt("parameter " + p.token.text + " is null: use IS_NULL or IS_DEFINED")
	}
	p.nextToken()
	return v
}
