package ingest

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// Collector keeps the entities that a finding names while a provider walks it. An entity named twice is kept twice;
// alert.MergeEvidence makes them one. The zero value is empty.
type Collector struct {
	Found []alert.Evidence
	Extra map[string]string // further facts; nil when there are none
}

// AddEntity keeps an entity, with attributes as pairs of name and value, and returns it for more to be set until the
// next Add. A placeholder is dropped: what is then set on the returned evidence is lost.
func (g *Collector) AddEntity(role alert.Role, kind entity.Kind, value Text, attributes ...string) *alert.Evidence {
	v := strings.TrimSpace(string(value))
	if IsBlank(v) {
		return &alert.Evidence{}
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

// AddFact keeps a further fact of the finding for alert.Extra. The first value of a name wins; placeholders are
// dropped.
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

// AddAlias gives an entity another name, unless that is a placeholder or it has maxNames already.
func AddAlias(e *alert.Evidence, kind entity.Kind, value Text) {
	if v := strings.TrimSpace(string(value)); !IsBlank(v) && len(e.Aliases) < maxNames {
		e.Entity = e.WithAlias(kind, v)
	}
}

// IsBlank reports whether v is one of the spellings of "nothing" in findings: those of IsPlaceholder, and empty JSON.
func IsBlank(v string) bool { return v == "{}" || v == "[]" || IsPlaceholder(v) }

// LastSegment is what follows the last slash of an ARN or a path: a product's own short id. Where nothing does, it is
// id as it is.
func LastSegment(id string) string {
	if s := id[strings.LastIndexByte(id, '/')+1:]; s != "" {
		return s
	}
	return id
}
