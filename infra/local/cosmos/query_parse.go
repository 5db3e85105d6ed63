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
	ranged   []idBound
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
			q, err = nil, refuseBadRequest("Syntax error, column %d: %s", at.column, at.message)
		}
	}()
	p.alias = aliasOf(text)
	p.nextToken()
	p.parseSelect()
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

// failAt stops at the current token.
func (p *parser) failAt(message string) {
	panic(syntaxError{p.token.column, message})
}

// aliasOf finds the name that paths begin with before they are read: it comes after FROM.
func aliasOf(text string) string {
	l := lexer{text: text}
	last := ""
	defer func() { recover() }() // a text that cannot be split is reported by the parser proper
	for l.nextToken(); l.token.kind != end; l.nextToken() {
		if strings.EqualFold(last, "from") && l.token.kind == word {
			name := l.token.text
			l.nextToken()
			if strings.EqualFold(l.token.text, "as") {
				l.nextToken()
			}
			if l.token.kind == word && !isKeyword(l.token.text) {
				return l.token.text
			}
			return name
		}
		last = l.token.text
	}
	return ""
}

func isKeyword(text string) bool {
	switch strings.ToUpper(text) {
	case "WHERE", "ORDER", "OFFSET", "GROUP", "JOIN", "IN":
		return true
	}
	return false
}

func (p *parser) parseSelect() {
	p.requireToken("SELECT")
	if p.acceptToken("TOP") {
		p.top = p.parseCount()
	}
	switch {
	case p.acceptToken("*"):
	case p.acceptToken("VALUE"):
		if p.acceptToken("COUNT") {
			p.requireToken("(")
			p.requireToken("1")
			p.requireToken(")")
			p.count = true
		} else {
			p.value = true
			p.columns = []column{{path: p.parsePath()}}
		}
	default:
		p.parseColumns()
	}
	p.requireToken("FROM")
	p.parseFrom()
	if p.acceptToken("WHERE") {
		p.seen = nil
		p.where = p.parseOr()
		p.filtered, p.ranged = p.seen, idBoundsOf(p.where)
	}
	if p.acceptToken("ORDER") {
		p.requireToken("BY")
		p.parseOrder()
	}
	if p.acceptToken("OFFSET") {
		p.offset = p.parseCount()
		p.requireToken("LIMIT")
		p.limit = p.parseCount()
	}
	if p.token.kind != end {
		p.failAt("unexpected " + p.token.text)
	}
	if p.top >= 0 && p.limit >= 0 {
		p.failAt("TOP and OFFSET LIMIT exclude each other")
	}
}

func (p *parser) parseColumns() {
	seen := map[string]bool{}
	for {
		c := column{path: p.parsePath()}
		c.name = c.path[len(c.path)-1]
		if p.acceptToken("AS") {
			c.name = p.parseName()
		}
		if seen[c.name] {
			p.failAt("two columns are called " + c.name)
		}
		seen[c.name] = true
		p.columns = append(p.columns, c)
		if !p.acceptToken(",") {
			return
		}
	}
}

// parseFrom takes the container's name and alias; aliasOf has read them already.
func (p *parser) parseFrom() {
	if p.token.kind != word || isKeyword(p.token.text) {
		p.failAt("a name is missing after FROM")
	}
	p.nextToken()
	as := p.acceptToken("AS")
	if p.token.kind == word && !isKeyword(p.token.text) {
		p.nextToken()
	} else if as {
		p.failAt("an alias is missing after AS")
	}
}

func (p *parser) parseOrder() {
	for {
		o := orderBy{path: p.parsePath()}
		if p.acceptToken("DESC") {
			o.desc = true
		} else {
			p.acceptToken("ASC")
		}
		p.order = append(p.order, o)
		if !p.acceptToken(",") {
			return
		}
	}
}

// parsePath reads a property path and notes that it was seen.
func (p *parser) parsePath() path {
	if p.token.kind != word || p.token.text != p.alias {
		p.failAt("a path beginning with " + p.alias + " is missing, found " + p.token.text)
	}
	p.nextToken()
	var out path
	for {
		switch {
		case p.acceptToken("."):
			out = append(out, p.parseName())
		case p.acceptToken("["):
			if p.token.kind != text {
				p.failAt("a quoted name is missing")
			}
			out = append(out, p.token.value.(string))
			p.nextToken()
			p.requireToken("]")
		case len(out) == 0:
			p.failAt("the whole item is no operand here")
		default:
			p.seen = append(p.seen, out)
			return out
		}
	}
}

func (p *parser) parseName() string {
	if p.token.kind != word {
		p.failAt("a name is missing, found " + p.token.text)
	}
	name := p.token.text
	p.nextToken()
	return name
}

// parseCount is a number of items.
func (p *parser) parseCount() int {
	v := any(nil)
	switch p.token.kind {
	case number:
		v = p.token.value
		p.nextToken()
	case parameter:
		v = p.parseParameter()
	}
	n, ok := v.(float64)
	if !ok || n < 0 || n != float64(int(n)) {
		p.failAt("a number of items is missing")
	}
	return int(n)
}

func (p *parser) requireToken(t string) {
	if !p.acceptToken(t) {
		p.failAt(t + " is missing, found " + strconv.Quote(p.token.text))
	}
}

// acceptToken takes a keyword or sign if it is next.
func (p *parser) acceptToken(t string) bool {
	if p.token.kind == text || p.token.kind == end || !strings.EqualFold(p.token.text, t) {
		return false
	}
	p.nextToken()
	return true
}
