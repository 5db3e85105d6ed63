package cef

import "strings"

// head escapes a field of the header; lines end it.
func head(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "\r", " ", "\n", " ").Replace(s)
}

var value = strings.NewReplacer(`\`, `\\`, "=", `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// extension is CEF's list of key=value.
type extension struct {
	b    strings.Builder
	keys map[string]bool
}

// add appends a field; an empty one is left out.
func (e *extension) add(key, v string) {
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
	e.b.WriteString(key + "=" + value.Replace(v))
}

// once is add, for the first value of a key.
func (e *extension) once(key, v string) {
	if !e.keys[key] {
		e.add(key, v)
	}
}

func (e *extension) String() string { return e.b.String() }
