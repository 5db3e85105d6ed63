package mapping

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeValue decodes JSON to what expressions see: maps, lists, text, float64, bool, nil. An integer too long for
// float64 stays text, because it is an id.
func decodeValue(raw jsontext.Value) any {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	v, err := decodeNext(dec)
	if err != nil {
		return nil
	}
	return v
}

func decodeNext(dec *jsontext.Decoder) (any, error) {
	switch dec.PeekKind() {
	case '{':
		return decodeObject(dec)
	case '[':
		return decodeArray(dec)
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case '"':
		return tok.String(), nil
	case '0':
		return parseNumber(tok.String()), nil
	case 't', 'f':
		return tok.Bool(), nil
	}
	return nil, nil
}

func decodeObject(dec *jsontext.Decoder) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		if out[key], err = decodeNext(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return out, err
}

func decodeArray(dec *jsontext.Decoder) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	out := []any{}
	for dec.PeekKind() != ']' {
		v, err := decodeNext(dec)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := dec.ReadToken()
	return out, err
}

func parseNumber(s string) any {
	const exact = 15 // decimal digits that float64 always keeps
	if len(s) > exact && !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return s
	}
	return f
}

// lookupPath is the value at a path of names and indexes below v, nil when there is none. A name that contains dots
// is found as well ("kibana.alert.uuid").
func lookupPath(v any, path string) any {
	switch holder := v.(type) {
	case map[string]any:
		if got, ok := holder[path]; ok {
			return got
		}
		for i := 0; i < len(path); i++ {
			if path[i] != '.' {
				continue
			}
			if sub, ok := holder[path[:i]]; ok {
				if got := lookupPath(sub, path[i+1:]); got != nil {
					return got
				}
			}
		}
	case []any:
		index, rest, more := strings.Cut(path, ".")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(holder) {
			return nil
		}
		if !more {
			return holder[i]
		}
		return lookupPath(holder[i], rest)
	}
	return nil
}

// nativeValue is the Go value of a CEL value, also of lists that expressions built.
func nativeValue(v ref.Val) any {
	switch n := v.Value().(type) {
	case map[string]any, []any, string, float64, bool, nil:
		return n
	case int64:
		return float64(n)
	case uint64:
		return float64(n)
	}
	if l, ok := v.(traits.Lister); ok {
		out := []any{}
		for it := l.Iterator(); it.HasNext().Value() == true; {
			out = append(out, nativeValue(it.Next()))
		}
		return out
	}
	return nil
}

// elementsOf of a list; nothing has none, and any other value is its own only element.
func elementsOf(v any) []any {
	switch l := v.(type) {
	case nil:
		return []any{}
	case []any:
		return l
	}
	return []any{v}
}

// textOf is the text of a value: numbers without exponent, lists joined by ", ", objects as JSON, nothing as "".
func textOf(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case []any:
		parts := make([]string, len(x))
		for i, p := range x {
			parts[i] = textOf(p)
		}
		return strings.Join(parts, ", ")
	}
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return ""
	}
	return string(b)
}

// numberOf is the number in a value, 0 where there is none.
func numberOf(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(x), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
	return 0
}
