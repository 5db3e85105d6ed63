package ingest

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// A delivery is checked once, as a whole (Values). What lies inside it is cut out by brackets and quotes alone, and
// shares its bytes: opening four wrappers around a finding decodes and copies nothing.

// Member is one top-level member of an object.
type Member struct {
	Name  string
	Value jsontext.Value
}

// objectMembers reads the top-level members of a well-formed object, and its nesting in levels. Nil when raw is no
// object.
func objectMembers(raw jsontext.Value) ([]Member, int) {
	c := cutter{b: raw}
	if c.nextByte() != '{' {
		return nil, 0
	}
	out := make([]Member, 0, 16)
	c.at++
	for c.nextByte() == '"' {
		name, _ := jsontext.AppendUnquote(nil, c.cutValue()) // broken UTF-8 in a name is for the finding's provider to refuse
		if c.nextByte() != ':' {
			return nil, 0
		}
		c.at++
		out = append(out, Member{string(name), c.cutValue()})
		if c.nextByte() == ',' {
			c.at++
		}
	}
	if c.nextByte() != '}' {
		return nil, 0
	}
	return slices.Clip(out), c.deepest + 1
}

// Elements returns the elements of a well-formed JSON array; null has none. More than MaxRecords are
// fault.TooLarge.
func Elements(raw jsontext.Value) ([]jsontext.Value, error) {
	c := cutter{b: raw}
	switch kind := raw.Kind(); {
	case kind == 'n':
		return nil, nil
	case kind != '[':
		return nil, fault.Errorf(fault.Invalid, "the record: a JSON %s where an array was expected", kindName(kind))
	}
	out := []jsontext.Value{}
	c.nextByte()
	c.at++
	for c.nextByte() != ']' {
		v := c.cutValue()
		if len(v) == 0 {
			return nil, fault.Errorf(fault.Invalid, "malformed JSON at byte %d: an array that does not end", c.at)
		}
		if len(out) == MaxRecords {
			return nil, tooManyRecords()
		}
		out = append(out, v)
		if c.nextByte() == ',' {
			c.at++
		}
	}
	return out, nil
}

// cutter slices well-formed JSON. On anything else it stops early, and never reads beyond the end.
type cutter struct {
	b       []byte
	at      int
	deepest int // nesting in levels that cutValue met
}

// nextByte skips white space and returns the next byte without taking it, 0 at the end.
func (c *cutter) nextByte() byte {
	for ; c.at < len(c.b); c.at++ {
		switch b := c.b[c.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// cutValue takes the value that begins here, empty at the end. Its capacity ends with it: appending copies.
func (c *cutter) cutValue() jsontext.Value {
	depth := 0
	c.nextByte()
	start := c.at
	for c.at < len(c.b) {
		switch c.b[c.at] {
		case '"':
			c.skipString()
		case '{', '[':
			depth++
			c.deepest = max(c.deepest, depth)
			c.at++
			continue
		case '}', ']':
			if depth == 0 { // the end of what holds a number or a word
				return c.bytesSince(start)
			}
			depth--
			c.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return c.bytesSince(start)
			}
			c.at++
			continue
		default:
			c.at++
			continue
		}
		if depth == 0 {
			return c.bytesSince(start)
		}
	}
	return c.bytesSince(start)
}

func (c *cutter) bytesSince(start int) jsontext.Value { return c.b[start:c.at:c.at] }

// skipString moves behind the string that begins here.
func (c *cutter) skipString() {
	for c.at++; c.at < len(c.b); {
		i := bytes.IndexByte(c.b[c.at:], '"')
		if i < 0 {
			break
		}
		c.at += i + 1
		escapes := 0
		for k := c.at - 2; c.b[k] == '\\'; k-- { // ends at the opening quote at the latest
			escapes++
		}
		if escapes%2 == 0 {
			return
		}
	}
	c.at = len(c.b)
}

// nestingDepth is the nesting of v in levels.
func nestingDepth(v []byte) int {
	c := cutter{b: v}
	c.cutValue()
	return c.deepest
}
