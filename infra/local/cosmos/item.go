package cosmos

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// The limits of one item.
// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Per-item limits".
const (
	maxItem = 2 << 20 // bytes of its JSON
	maxID   = 1023    // bytes
)

// systemProperties are the service's own; what a caller sends under these names is replaced.
var systemProperties = []string{"_rid", "_self", "_etag", "_attachments", "_ts", "_lsn"}

// document is a JSON object as a caller gave it, in canonical form: numbers are IEEE 754 doubles, as in the service, so
// that an integer above 2^53 does not come back as it went in.
type document struct {
	members    []memberValue
	size       int64
	remembered map[string]any
}

type memberValue struct {
	name string
	raw  jsontext.Value
}

// parseDocument reads a body. Anything but an object, and an object that names a member twice, is refused.
func parseDocument(body []byte) (*document, error) {
	raw := jsontext.Value(slices.Clone(body))
	if err := raw.Canonicalize(); err != nil {
		return nil, refuseBadRequest("The input content is invalid: %v", err)
	}
	if raw.Kind() != '{' {
		return nil, refuseBadRequest("The input content is invalid: an item is a JSON object")
	}
	d := &document{}
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	dec.ReadToken() // the brace; raw is valid
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, refuseBadRequest("The input content is invalid: %v", err)
		}
		text := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, refuseBadRequest("The input content is invalid: %v", err)
		}
		if !slices.Contains(systemProperties, text) {
			d.members = append(d.members, memberValue{text, value.Clone()})
		}
	}
	d.size = int64(len(d.encodeJSON()))
	return d, nil
}

// encodeJSON writes the object, without the service's properties.
func (d *document) encodeJSON() []byte {
	out := []byte{'{'}
	for i, m := range d.members {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.name) // names were read from valid JSON
		out = append(append(out, ':'), m.raw...)
	}
	return append(out, '}')
}

// valueAt gives the value at a path: sql.Undefined{}, nil, bool, float64, string, []any or map[string]any.
func (d *document) valueAt(p sql.Path) any {
	name := rememberedName(p)
	if v, ok := d.remembered[name]; ok {
		return v
	}
	v := d.findValue(p)
	if d.remembered == nil {
		d.remembered = map[string]any{}
	}
	if !isLarge(v) { // what is large is seldom asked for
		d.remembered[name] = v
	}
	return v
}

// Value is sql.Row: valueAt, which remembers large values until forgetLarge, for a filter asks for the same one many
// times.
func (it *item) Value(p sql.Path) any {
	v := it.valueAt(p)
	if isLarge(v) {
		it.remembered[rememberedName(p)] = v
	}
	return v
}

func (it *item) forgetLarge() {
	maps.DeleteFunc(it.remembered, func(_ string, v any) bool { return isLarge(v) })
}

// isLarge reports whether v is an array or an object.
func isLarge(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func rememberedName(p sql.Path) string { return strings.Join(p, "\x00") }

func (d *document) findValue(p sql.Path) any {
	for _, m := range d.members {
		if m.name == p[0] {
			var v any
			if json.Unmarshal(m.raw, &v) != nil {
				return sql.Undefined{}
			}
			return descendTo(v, p[1:])
		}
	}
	return sql.Undefined{}
}

// descendTo follows names into a value.
func descendTo(v any, p sql.Path) any {
	for _, name := range p {
		object, ok := v.(map[string]any)
		if !ok {
			return sql.Undefined{}
		}
		if v, ok = object[name]; !ok {
			return sql.Undefined{}
		}
	}
	return v
}

// item is one stored version of a document. Only gone changes, once.
type item struct {
	document
	id      string
	key     key
	etag    string
	rid     string
	ts      int64 // seconds
	lsn     int64
	system  []byte // the service's properties, as they close the body
	terms   []term
	expires time.Time // zero for never
	gone    bool      // replaced, deleted or expired
}

// encodeBody is the item as it is answered.
func (it *item) encodeBody() []byte {
	out := it.encodeJSON()
	if len(it.members) == 0 {
		return append([]byte{'{'}, it.system...)
	}
	return append(append(out[:len(out)-1], ','), it.system...)
}

// addSystemProperties gives the item what the service adds to it.
func (it *item) addSystemProperties(rid, etag string, ts int64) {
	it.rid, it.etag, it.ts = rid, etag, ts
	system, err := json.Marshal(map[string]any{"_rid": rid, "_self": "docs/" + rid + "/", "_etag": etag,
		"_attachments": "attachments/", "_ts": ts}, json.Deterministic(true))
	if err != nil { // text and numbers of our own making
		panic(err)
	}
	it.system = system[1:]
}

// valueAt adds the service's properties to those of the document.
func (it *item) valueAt(p sql.Path) any {
	if len(p) == 1 {
		switch p[0] {
		case "_ts":
			return float64(it.ts)
		case "_etag":
			return it.etag
		case "_rid":
			return it.rid
		}
	}
	return it.document.valueAt(p)
}

// checkID refuses ids that no path could name, and those that are too long.
// Source: learn.microsoft.com/rest/api/cosmos-db/create-a-document ("The id property must not contain / \ ? #").
func checkID(id string) error {
	switch {
	case id == "":
		return refuseBadRequest("The input content is invalid because the required properties - 'id; ' - are missing")
	case len(id) > maxID:
		return refuseBadRequest("an id of %d bytes is longer than %d", len(id), maxID)
	case strings.ContainsAny(id, `/\?#`):
		return refuseBadRequest(`id %q holds one of / \ ? #`, id)
	}
	return nil
}

// sortedItems are a partition's items in the order of their ids.
type sortedItems []*item

func (s sortedItems) findID(id string) (int, bool) {
	return slices.BinarySearchFunc(s, id, func(it *item, id string) int { return cmp.Compare(it.id, id) })
}

func (s *sortedItems) putItem(it *item) {
	if i, found := s.findID(it.id); found {
		(*s)[i] = it
	} else {
		*s = slices.Insert(*s, i, it)
	}
}

func (s *sortedItems) removeID(id string) {
	if i, found := s.findID(id); found {
		*s = slices.Delete(*s, i, i+1)
	}
}

// withinBounds cuts sorted items down to the bounds.
func (s sortedItems) withinBounds(list []sql.IDBound) sortedItems {
	lo, hi := 0, len(s)
	for _, b := range list {
		from, _ := s.findID(b.Lo)
		lo = max(lo, from)
		if !b.Open {
			to, _ := s.findID(b.Hi)
			hi = min(hi, to)
		}
	}
	if lo >= hi {
		return nil
	}
	return s[lo:hi]
}
