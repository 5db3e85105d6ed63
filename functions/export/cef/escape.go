package cef

import "strings"

// escapeHeader escapes a field of the header; lines end it.
func escapeHeader(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "\r", " ", "\n", " ").Replace(s)
}

var extensionEscapes = strings.NewReplacer(`\`, `\\`, "=", `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// extension is CEF's list of key=value.
type extension struct {
	b    strings.Builder
	keys map[string]bool
}

// addField appends a field; an empty one is left out.
func (e *extension) addField(key, v string) {
	if v == "" {
		return
	}
	if e.keys == nil {
		e.keys = map[string]bool{}
	}
	if e.b.Len() > 0 {
		e.b.WriteByte(' ')
	}
	e.keys[key] = true
	e.b.WriteString(key + "=" + extensionEscapes.Replace(v))
}

// addFirst is add, for the first value of a key.
func (e *extension) addFirst(key, v string) {
	if !e.keys[key] {
		e.addField(key, v)
	}
}

func (e *extension) String() string { return e.b.String() }
