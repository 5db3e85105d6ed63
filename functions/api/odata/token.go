package odata

import (
	"strings"
	"unicode/utf8"
)

// kind is what sort of token a piece of the filter is.
type kind uint8

const (
	end    kind = iota
	word        // a name, an operator, a bare literal
	quoted      // 'text'
	open        // (
	closed      // )
	comma       // ,
	broken      // nothing; text says why
)

// token is one piece of a filter. Text of a quoted one is without its quotes.
type token struct {
	kind kind
	text string
	at   int // byte offset
}

// isWord reports whether t is the given operator, whatever its case.
func (t token) isWord(op string) bool { return t.kind == word && strings.EqualFold(t.text, op) }

// isLiteral reports whether t is a value for certain: quoted, a number or time, null.
func (t token) isLiteral() bool {
	return t.kind == quoted || t.kind == word && (t.text[0] >= '0' && t.text[0] <= '9' || t.text[0] == '-' || t.isWord("null"))
}

// String is t as a message shows it.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return "'" + clipText(t.text) + "'"
}

// lexer cuts a filter into tokens.
type lexer struct {
	text string
	pos  int
}

func (l *lexer) scanToken() token {
	for l.pos < len(l.text) && isSpace(l.text[l.pos]) {
		l.pos++
	}
	at := l.pos
	if at == len(l.text) {
		return token{kind: end, at: at}
	}
	switch c := l.text[at]; c {
	case '(', ')', ',':
		l.pos++
		return token{map[byte]kind{'(': open, ')': closed, ',': comma}[c], string(c), at}
	case '\'':
		return l.scanQuoted()
	case '"':
		l.pos = len(l.text)
		return token{broken, `strings are quoted with ', not with "`, at}
	}
	for l.pos < len(l.text) && !isSpace(l.text[l.pos]) && !strings.ContainsRune(`(),'"`, rune(l.text[l.pos])) {
		l.pos++
	}
	return token{word, l.text[at:l.pos], at}
}

// scanQuoted reads a string; a doubled quote inside is one quote.
func (l *lexer) scanQuoted() token {
	at := l.pos
	var b strings.Builder
	for i := at + 1; i < len(l.text); i++ {
		if l.text[i] != '\'' {
			b.WriteByte(l.text[i])
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		l.pos = i + 1
		return token{quoted, b.String(), at}
	}
	l.pos = len(l.text)
	return token{broken, "the string has no closing quote", at}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// columnOf is the place of a byte offset in characters from 1.
func columnOf(text string, at int) int {
	return utf8.RuneCountInString(text[:min(max(at, 0), len(text))]) + 1
}
