package cosmos

import "strings"

func (p *parser) or() expression {
	e := p.and()
	for p.accept("OR") {
		e = either{e, p.and()}
	}
	return e
}

func (p *parser) and() expression {
	e := p.not()
	for p.accept("AND") {
		e = both{e, p.not()}
	}
	return e
}

func (p *parser) not() expression {
	if p.accept("NOT") {
		return negated{p.not()}
	}
	return p.test()
}

// functions are the boolean ones, with how many operands they take.
var functions = map[string]int{"IS_DEFINED": 1, "IS_NULL": 1, "STARTSWITH": 2, "CONTAINS": 2, "ARRAY_CONTAINS": 2}

func (p *parser) test() expression {
	if p.accept("(") {
		e := p.or()
		p.need(")")
		return e
	}
	name := strings.ToUpper(p.token.text)
	if n, known := functions[name]; known && p.token.kind == word {
		return p.call(name, n)
	}
	left := p.operand()
	if p.accept("NOT") {
		return negated{p.range_(left)}
	}
	switch op := p.token.text; op {
	case "=", "!=", "<>", "<", "<=", ">", ">=":
		p.next()
		if op == "<>" {
			op = "!="
		}
		return compared{op, left, p.operand()}
	}
	return p.range_(left)
}

// range_ is IN or BETWEEN.
func (p *parser) range_(left operand) expression {
	switch {
	case p.accept("BETWEEN"):
		lo := p.operand()
		p.need("AND")
		return both{compared{">=", left, lo}, compared{"<=", left, p.operand()}}
	case p.accept("IN"):
		p.need("(")
		in := among{left: left}
		for {
			in.list = append(in.list, p.operand())
			if !p.accept(",") {
				break
			}
		}
		p.need(")")
		return in
	}
	p.fail("a comparison is missing")
	return nil
}

func (p *parser) call(name string, n int) expression {
	p.next()
	p.need("(")
	var args []operand
	for range n {
		if len(args) > 0 {
			p.need(",")
		}
		args = append(args, p.operand())
	}
	p.need(")")
	if _, isPath := args[0].(path); !isPath && n == 1 {
		p.fail(name + " takes a path")
	}
	return called{name, args}
}

func (p *parser) operand() operand {
	t := p.token
	switch t.kind {
	case text:
		p.next()
		return literal{t.value}
	case number:
		p.next()
		return literal{t.value}
	case parameter:
		return literal{p.parameter()}
	}
	switch {
	case strings.EqualFold(t.text, "true"), strings.EqualFold(t.text, "false"):
		p.next()
		return literal{strings.EqualFold(t.text, "true")}
	case strings.EqualFold(t.text, "null"):
		p.fail("comparing with null is not served here: use IS_NULL or IS_DEFINED")
	}
	return p.path()
}

func (p *parser) parameter() any {
	v, given := p.parameters[p.token.text]
	if !given {
		p.fail("parameter " + p.token.text + " is not given")
	}
	if v == nil {
		p.fail("parameter " + p.token.text + " is null: use IS_NULL or IS_DEFINED")
	}
	p.next()
	return v
}
