package sql

import (
	"fmt"
	"strconv"
	"strings"
)

// Query is a query with its parameters filled in.
type Query struct {
	Count     bool // VALUE COUNT(1)
	ValueOnly bool // VALUE path: the one column's values, not objects
	Columns   []Column
	Order     []OrderBy
	Top       int // rows at most; -1 for any number
	Offset    int
	Limit     int // rows at most after Offset; -1 for any number
	// Filtered are the paths that the filter names, IDBounds what its conjunction at the top says about id.
	Filtered []Path
	IDBounds []IDBound

	where expression // nil holds for every row
	alias string
}

// Column is one column of the rows; no columns are whole items.
type Column struct {
	Path Path
	Name string
}

// OrderBy is one column of an order.
type OrderBy struct {
	Path Path
	Desc bool
}

// Path is a property path: names from the item inwards, or a [] for every element of an array.
type Path []string

func (p Path) String() string { return "/" + strings.Join(p, "/") }

// Parse reads a query with its parameters, whose names begin with @. What it does not understand is a *SyntaxError.
func Parse(text string, parameters map[string]any) (q *Query, err error) {
	p := &parser{lexer: lexer{text: text}, parameters: parameters, Query: &Query{Top: -1, Limit: -1}}
	defer func() {
		if r := recover(); r != nil {
			refused, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			q, err = nil, refused
		}
	}()
	p.alias = aliasOf(text)
	p.nextToken()
	p.parseSelect()
	return p.Query, nil
}

// SyntaxError is why a query was not understood; it also unwinds the parser.
type SyntaxError struct {
	Column  int // in bytes, from 1
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Syntax error, column %d: %s", e.Column, e.Message)
}

// Matches reports whether the filter is true for a row.
func (q *Query) Matches(row Row) bool { return q.where == nil || q.where.truthFor(row) == true }

type parser struct {
	lexer
	*Query
	parameters map[string]any
	seen       []Path // by parsePath
}

// failAt stops at the current token.
func (p *parser) failAt(message string) {
	panic(&SyntaxError{p.token.column, message})
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
		p.Top = p.parseCount()
	}
	switch {
	case p.acceptToken("*"):
	case p.acceptToken("VALUE"):
		if p.acceptToken("COUNT") {
			p.requireToken("(")
			p.requireToken("1")
			p.requireToken(")")
			p.Count = true
		} else {
			p.ValueOnly = true
			p.Columns = []Column{{Path: p.parsePath()}}
		}
	default:
		p.parseColumns()
	}
	p.requireToken("FROM")
	p.parseFrom()
	if p.acceptToken("WHERE") {
		p.seen = nil
		p.where = p.parseOr()
		p.Filtered, p.IDBounds = p.seen, idBoundsOf(p.where)
	}
	if p.acceptToken("ORDER") {
		p.requireToken("BY")
		p.parseOrder()
	}
	if p.acceptToken("OFFSET") {
		p.Offset = p.parseCount()
		p.requireToken("LIMIT")
		p.Limit = p.parseCount()
	}
	if p.token.kind != end {
		p.failAt("unexpected " + p.token.text)
	}
	if p.Top >= 0 && p.Limit >= 0 {
		p.failAt("TOP and OFFSET LIMIT exclude each other")
	}
}

func (p *parser) parseColumns() {
	seen := map[string]bool{}
	for {
		c := Column{Path: p.parsePath()}
		c.Name = c.Path[len(c.Path)-1]
		if p.acceptToken("AS") {
			c.Name = p.parseName()
		}
		if seen[c.Name] {
			p.failAt("two columns are called " + c.Name)
		}
		seen[c.Name] = true
		p.Columns = append(p.Columns, c)
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
		o := OrderBy{Path: p.parsePath()}
		if p.acceptToken("DESC") {
			o.Desc = true
		} else {
			p.acceptToken("ASC")
		}
		p.Order = append(p.Order, o)
		if !p.acceptToken(",") {
			return
		}
	}
}

// parsePath reads a property path and notes that it was seen.
func (p *parser) parsePath() Path {
	if p.token.kind != word || p.token.text != p.alias {
		p.failAt("a path beginning with " + p.alias + " is missing, found " + p.token.text)
	}
	p.nextToken()
	var out Path
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
