package cosmos

import (
	"strconv"
	"strings"
)

// The queries this server understands. Everything else is refused with 400 and the column, although the service may
// know it: a query that the project issues belongs here, with its meaning tested.
//
//	query      = SELECT [TOP n] columns FROM name [[AS] alias] [WHERE or] [ORDER BY path [ASC|DESC] {, …}] [OFFSET n LIMIT n]
//	columns    = * | VALUE COUNT(1) | VALUE path | path [AS name] {, path [AS name]}
//	or         = and {OR and}            and = not {AND not}          not = [NOT] test
//	test       = ( or ) | function | operand (= | != | <> | < | <= | > | >=) operand
//	           | operand [NOT] IN ( operand {, operand} ) | operand [NOT] BETWEEN operand AND operand
//	function   = IS_DEFINED(path) | IS_NULL(path) | STARTSWITH(operand, operand) | CONTAINS(operand, operand)
//	           | ARRAY_CONTAINS(operand, operand)
//	operand    = path | @parameter | 'text' | "text" | number | true | false
//	path       = alias {.name | ["name"]}
//
// n is a number or a parameter. Comparing with null is refused: IS_NULL says what is meant.
type query struct {
	count   bool // VALUE COUNT(1)
	value   bool // VALUE path
	columns []column
	where   expression // nil for none
	order   []orderBy
	top     int // -1 for none
	offset  int
	limit   int // -1 for none
	alias   string
	// filtered are the paths that the filter names, ranged what its conjunction at the top says about id.
	filtered []path
	ranged   []bound
}

type column struct {
	path path
	name string
}

// parseQuery reads a query with its parameters.
func parseQuery(text string, parameters map[string]any) (q *query, err error) {
	p := &parser{lexer: lexer{text: text}, parameters: parameters, query: &query{top: -1, limit: -1}}
	defer func() {
		if r := recover(); r != nil {
			at, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			q, err = nil, badRequest("Syntax error, column %d: %s", at.column, at.message)
		}
	}()
	p.alias = aliasOf(text)
	p.next()
	p.selectClause()
	return p.query, nil
}

// syntaxError unwinds the parser.
type syntaxError struct {
	column  int
	message string
}

type parser struct {
	lexer
	*query
	parameters map[string]any
	seen       []path // by path
}

// fail stops at the current token.
func (p *parser) fail(message string) {
	panic(syntaxError{p.token.column, message})
}

// aliasOf finds the name that paths begin with before they are read: it comes after FROM.
func aliasOf(text string) string {
	l := lexer{text: text}
	last := ""
	defer func() { recover() }() // a text that cannot be split is reported by the parser proper
	for l.next(); l.token.kind != end; l.next() {
		if strings.EqualFold(last, "from") && l.token.kind == word {
			name := l.token.text
			l.next()
			if strings.EqualFold(l.token.text, "as") {
				l.next()
			}
			if l.token.kind == word && !keyword(l.token.text) {
				return l.token.text
			}
			return name
		}
		last = l.token.text
	}
	return ""
}

func keyword(text string) bool {
	switch strings.ToUpper(text) {
	case "WHERE", "ORDER", "OFFSET", "GROUP", "JOIN", "IN":
		return true
	}
	return false
}

func (p *parser) selectClause() {
	p.need("SELECT")
	if p.accept("TOP") {
		p.top = p.whole()
	}
	switch {
	case p.accept("*"):
	case p.accept("VALUE"):
		if p.accept("COUNT") {
			p.need("(")
			p.need("1")
			p.need(")")
			p.count = true
		} else {
			p.value = true
			p.columns = []column{{path: p.path()}}
		}
	default:
		p.columnList()
	}
	p.need("FROM")
	p.from()
	if p.accept("WHERE") {
		p.seen = nil
		p.where = p.or()
		p.filtered, p.ranged = p.seen, bounds(p.where)
	}
	if p.accept("ORDER") {
		p.need("BY")
		p.orderList()
	}
	if p.accept("OFFSET") {
		p.offset = p.whole()
		p.need("LIMIT")
		p.limit = p.whole()
	}
	if p.token.kind != end {
		p.fail("unexpected " + p.token.text)
	}
	if p.top >= 0 && p.limit >= 0 {
		p.fail("TOP and OFFSET LIMIT exclude each other")
	}
}

func (p *parser) columnList() {
	seen := map[string]bool{}
	for {
		c := column{path: p.path()}
		c.name = c.path[len(c.path)-1]
		if p.accept("AS") {
			c.name = p.name()
		}
		if seen[c.name] {
			p.fail("two columns are called " + c.name)
		}
		seen[c.name] = true
		p.columns = append(p.columns, c)
		if !p.accept(",") {
			return
		}
	}
}

// from takes the container's name and alias; aliasOf has read them already.
func (p *parser) from() {
	if p.token.kind != word || keyword(p.token.text) {
		p.fail("a name is missing after FROM")
	}
	p.next()
	as := p.accept("AS")
	if p.token.kind == word && !keyword(p.token.text) {
		p.next()
	} else if as {
		p.fail("an alias is missing after AS")
	}
}

func (p *parser) orderList() {
	for {
		o := orderBy{path: p.path()}
		if p.accept("DESC") {
			o.desc = true
		} else {
			p.accept("ASC")
		}
		p.order = append(p.order, o)
		if !p.accept(",") {
			return
		}
	}
}

// path reads a property path and notes that it was seen.
func (p *parser) path() path {
	if p.token.kind != word || p.token.text != p.alias {
		p.fail("a path beginning with " + p.alias + " is missing, found " + p.token.text)
	}
	p.next()
	var out path
	for {
		switch {
		case p.accept("."):
			out = append(out, p.name())
		case p.accept("["):
			if p.token.kind != text {
				p.fail("a quoted name is missing")
			}
			out = append(out, p.token.value.(string))
			p.next()
			p.need("]")
		case len(out) == 0:
			p.fail("the whole item is no operand here")
		default:
			p.seen = append(p.seen, out)
			return out
		}
	}
}

func (p *parser) name() string {
	if p.token.kind != word {
		p.fail("a name is missing, found " + p.token.text)
	}
	name := p.token.text
	p.next()
	return name
}

// whole is a number of items.
func (p *parser) whole() int {
	v := any(nil)
	switch p.token.kind {
	case number:
		v = p.token.value
		p.next()
	case parameter:
		v = p.parameter()
	}
	n, ok := v.(float64)
	if !ok || n < 0 || n != float64(int(n)) {
		p.fail("a number of items is missing")
	}
	return int(n)
}

func (p *parser) need(t string) {
	if !p.accept(t) {
		p.fail(t + " is missing, found " + strconv.Quote(p.token.text))
	}
}

// accept takes a keyword or sign if it is next.
func (p *parser) accept(t string) bool {
	if p.token.kind == text || p.token.kind == end || !strings.EqualFold(p.token.text, t) {
		return false
	}
	p.next()
	return true
}
