package sql

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// tokenKind is what a token is.
type tokenKind int

const (
	end tokenKind = iota
	word
	text
	number
	parameter
	sign
)

type token struct {
	kind   tokenKind
	text   string
	value  any
	column int // from 1
}

// lexer cuts a query into tokens.
type lexer struct {
	text  string
	at    int
	token token
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) nextToken() {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	start := l.at
	l.token = token{column: start + 1}
	if start == len(l.text) {
		return
	}
	c := l.text[start]
	switch {
	case isLetter(c):
		l.skipWhile(func(c byte) bool { return isLetter(c) || isDigit(c) })
		l.token.kind = word
	case c == '@':
		l.at++
		l.skipWhile(func(c byte) bool { return isLetter(c) || isDigit(c) })
		l.token.kind = parameter
	case isDigit(c) || c == '-' && start+1 < len(l.text) && isDigit(l.text[start+1]):
		l.lexNumber()
		return
	case c == '\'' || c == '"':
		l.lexQuoted(c)
		return
	default:
		l.lexSign()
	}
	l.token.text = l.text[start:l.at]
}

func (l *lexer) skipWhile(fits func(byte) bool) {
	for l.at < len(l.text) && fits(l.text[l.at]) {
		l.at++
	}
}

func (l *lexer) lexNumber() {
	start := l.at
	l.at++
	l.skipWhile(func(c byte) bool { return isDigit(c) || c == '.' || c == 'e' || c == 'E' })
	l.token.kind, l.token.text = number, l.text[start:l.at]
	v, err := strconv.ParseFloat(l.token.text, 64)
	if err != nil {
		panic(&SyntaxError{l.token.column, "not a number: " + l.token.text})
	}
	l.token.value = v
}

// lexQuoted reads a text in either kind of quotes, with JSON's escapes and \'.
func (l *lexer) lexQuoted(quote byte) {
	start := l.at
	inner := []byte{'"'}
	for l.at++; ; l.at++ {
		if l.at >= len(l.text) {
			panic(&SyntaxError{l.token.column, "the text does not end"})
		}
		c := l.text[l.at]
		if c == quote {
			break
		}
		switch {
		case c == '\\' && l.at+1 < len(l.text):
			l.at++
			if l.text[l.at] == '\'' {
				inner = append(inner, '\'')
				continue
			}
			inner = append(inner, '\\', l.text[l.at])
		case c == '"':
			inner = append(inner, '\\', '"')
		default:
			inner = append(inner, c)
		}
	}
	l.at++
	var v string
	if err := json.Unmarshal(append(inner, '"'), &v); err != nil {
		panic(&SyntaxError{l.token.column, "the text is malformed"})
	}
	l.token.kind, l.token.text, l.token.value = text, l.text[start:l.at], v
}

func (l *lexer) lexSign() {
	l.token.kind = sign
	for _, two := range []string{"!=", "<>", "<=", ">="} {
		if strings.HasPrefix(l.text[l.at:], two) {
			l.at += 2
			return
		}
	}
	if strings.IndexByte("()[],.*=<>", l.text[l.at]) < 0 {
		panic(&SyntaxError{l.token.column, "unexpected " + strconv.QuoteToASCII(l.text[l.at:l.at+1])})
	}
	l.at++
}
