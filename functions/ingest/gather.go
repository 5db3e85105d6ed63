package ingest

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// Collector collects what a finding names while a provider walks it. A thing named twice is kept twice: alert.MergeEvidence
// makes them one. The zero value is empty.
type Collector struct {
	Found []alert.Evidence
	Extra map[string]string // further facts; nil when there are none
}

// AddEntity keeps an entity that names something, with attributes as pairs of name and value. The answer may be described
// further until the next Add; of a placeholder it leads nowhere.
func (g *Collector) AddEntity(role alert.Role, kind entity.Kind, value Text, attributes ...string) *alert.Evidence {
	v := strings.TrimSpace(string(value))
	if IsBlank(v) {
		return &alert.Evidence{} // so that callers may go on describing what is not kept
	}
	e := entity.Entity{Kind: kind, Value: v}
	for i := 0; i+1 < len(attributes); i += 2 {
		if !IsBlank(attributes[i+1]) {
			e = e.WithAttr(attributes[i], attributes[i+1])
		}
	}
	g.Found = append(g.Found, alert.Evidence{Entity: e, Role: role})
	return &g.Found[len(g.Found)-1]
}

// AddFact keeps a further fact of the finding, the first of a name.
func (g *Collector) AddFact(name string, value Text) {
	v := strings.TrimSpace(string(value))
	if IsBlank(v) || g.Extra[name] != "" {
		return
	}
	if g.Extra == nil {
		g.Extra = map[string]string{}
	}
	g.Extra[name] = v
}

// maxNames bounds the other names of one entity; a node of a large cluster has several hundred addresses.
const maxNames = 1000

// AddAlias gives an entity another name, unless that is a placeholder.
func AddAlias(e *alert.Evidence, kind entity.Kind, value Text) {
	if v := strings.TrimSpace(string(value)); !IsBlank(v) && len(e.Aliases) < maxNames {
		e.Entity = e.WithAlias(kind, v)
	}
}

// IsBlank reports the spellings of "nothing" that findings contain: those of Placeholder, and empty JSON.
func IsBlank(v string) bool { return v == "{}" || v == "[]" || IsPlaceholder(v) }
