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
	members []member
	size    int64
	memo    map[string]any
}

type member struct {
	name string
	raw  jsontext.Value
}

// parseDocument reads a body. It refuses what is no object or names a member twice.
func parseDocument(body []byte) (*document, error) {
	raw := jsontext.Value(slices.Clone(body))
	if err := raw.Canonicalize(); err != nil {
		return nil, badRequest("The input content is invalid: %v", err)
	}
	if raw.Kind() != '{' {
		return nil, badRequest("The input content is invalid: an item is a JSON object")
	}
	d := &document{}
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	dec.ReadToken() // the brace; raw is valid
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, badRequest("The input content is invalid: %v", err)
		}
		text := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, badRequest("The input content is invalid: %v", err)
		}
		if !slices.Contains(systemProperties, text) {
			d.members = append(d.members, member{text, value.Clone()})
		}
	}
	d.size = int64(len(d.encode()))
	return d, nil
}

// encode writes the object, without the service's properties.
func (d *document) encode() []byte {
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

// at gives the value at a path: undefined{}, nil, bool, float64, string, []any or map[string]any.
func (d *document) at(p path) any {
	name := memoName(p)
	if v, ok := d.memo[name]; ok {
		return v
	}
	v := d.find(p)
	if d.memo == nil {
		d.memo = map[string]any{}
	}
	if rank(v) <= rank("") { // what is large is seldom asked for
		d.memo[name] = v
	}
	return v
}

// hold is at, and remembers large values until forget: a filter asks for the same one many times.
func (it *item) hold(p path) any {
	v := it.at(p)
	if rank(v) > rank("") {
		it.memo[memoName(p)] = v
	}
	return v
}

func (it *item) forget() {
	maps.DeleteFunc(it.memo, func(_ string, v any) bool { return rank(v) > rank("") })
}

func memoName(p path) string { return strings.Join(p, "\x00") }

func (d *document) find(p path) any {
	for _, m := range d.members {
		if m.name == p[0] {
			var v any
			if json.Unmarshal(m.raw, &v) != nil {
				return undefined{}
			}
			return descend(v, p[1:])
		}
	}
	return undefined{}
}

// descend follows names into a value.
func descend(v any, p path) any {
	for _, name := range p {
		object, ok := v.(map[string]any)
		if !ok {
			return undefined{}
		}
		if v, ok = object[name]; !ok {
			return undefined{}
		}
	}
	return v
}

// item is one stored version of a document. It never changes but for gone.
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

// body is the item as it is answered.
func (it *item) body() []byte {
	out := it.encode()
	if len(it.members) == 0 {
		return append([]byte{'{'}, it.system...)
	}
	return append(append(out[:len(out)-1], ','), it.system...)
}

// stamp gives the item what the service adds to it.
func (it *item) stamp(rid, etag string, ts int64) {
	it.rid, it.etag, it.ts = rid, etag, ts
	system, err := json.Marshal(map[string]any{"_rid": rid, "_self": "docs/" + rid + "/", "_etag": etag,
		"_attachments": "attachments/", "_ts": ts}, json.Deterministic(true))
	if err != nil { // text and numbers of our own making
		panic(err)
	}
	it.system = system[1:]
}

// at adds the service's properties to those of the document.
func (it *item) at(p path) any {
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
	return it.document.at(p)
}

// checkID refuses ids that no path could name, and those that are too long.
// Source: learn.microsoft.com/rest/api/cosmos-db/create-a-document ("The id property must not contain / \ ? #").
func checkID(id string) error {
	switch {
	case id == "":
		return badRequest("The input content is invalid because the required properties - 'id; ' - are missing")
	case len(id) > maxID:
		return badRequest("an id of %d bytes is longer than %d", len(id), maxID)
	case strings.ContainsAny(id, `/\?#`):
		return badRequest(`id %q holds one of / \ ? #`, id)
	}
	return nil
}

// sortedItems are a partition's items in the order of their ids.
type sortedItems []*item

func (s sortedItems) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s, id, func(it *item, id string) int { return cmp.Compare(it.id, id) })
}

func (s *sortedItems) put(it *item) {
	if i, found := s.find(it.id); found {
		(*s)[i] = it
	} else {
		*s = slices.Insert(*s, i, it)
	}
}

func (s *sortedItems) remove(id string) {
	if i, found := s.find(id); found {
		*s = slices.Delete(*s, i, i+1)
	}
}
