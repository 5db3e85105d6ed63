package cosmos

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

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) next() {
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
	case letter(c):
		l.while(func(c byte) bool { return letter(c) || digit(c) })
		l.token.kind = word
	case c == '@':
		l.at++
		l.while(func(c byte) bool { return letter(c) || digit(c) })
		l.token.kind = parameter
	case digit(c) || c == '-' && start+1 < len(l.text) && digit(l.text[start+1]):
		l.number()
		return
	case c == '\'' || c == '"':
		l.quoted(c)
		return
	default:
		l.sign()
	}
	l.token.text = l.text[start:l.at]
}

func (l *lexer) while(fits func(byte) bool) {
	for l.at < len(l.text) && fits(l.text[l.at]) {
		l.at++
	}
}

func (l *lexer) number() {
	start := l.at
	l.at++
	l.while(func(c byte) bool { return digit(c) || c == '.' || c == 'e' || c == 'E' })
	l.token.kind, l.token.text = number, l.text[start:l.at]
	v, err := strconv.ParseFloat(l.token.text, 64)
	if err != nil {
		panic(syntaxError{l.token.column, "not a number: " + l.token.text})
	}
	l.token.value = v
}

// quoted reads a text in either kind of quotes, with JSON's escapes and \'.
func (l *lexer) quoted(quote byte) {
	start := l.at
	inner := []byte{'"'}
	for l.at++; ; l.at++ {
		if l.at >= len(l.text) {
			panic(syntaxError{l.token.column, "the text does not end"})
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
		panic(syntaxError{l.token.column, "the text is malformed"})
	}
	l.token.kind, l.token.text, l.token.value = text, l.text[start:l.at], v
}

func (l *lexer) sign() {
	l.token.kind = sign
	for _, two := range []string{"!=", "<>", "<=", ">="} {
		if strings.HasPrefix(l.text[l.at:], two) {
			l.at += 2
			return
		}
	}
	if strings.IndexByte("()[],.*=<>", l.text[l.at]) < 0 {
		panic(syntaxError{l.token.column, "unexpected " + strconv.QuoteToASCII(l.text[l.at:l.at+1])})
	}
	l.at++
}
