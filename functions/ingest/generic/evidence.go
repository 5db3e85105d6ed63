package generic

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// evidenceOf keeps every entity once, in the sender's order and spelling.
func evidenceOf(entries []entry) ([]alert.Evidence, error) {
	var set ingest.EvidenceSet
	for i, en := range entries {
		if en.Value == "" {
			return nil, fault.Errorf(fault.Invalid, "entities[%d].value: missing", i)
		}
		if en.Kind == "" {
			return nil, fault.Errorf(fault.Invalid, "entities[%d].kind: missing", i)
		}
		e := entity.Entity{Kind: entity.ParseKind(strings.ToLower(string(en.Kind))), Value: string(en.Value), Name: string(en.Name)}
		if len(en.Attributes) > 0 {
			e.Attributes = make(map[string]string, len(en.Attributes))
			for k, v := range en.Attributes {
				e.Attributes[k] = string(v)
			}
		}
		if e.Kind == entity.Other {
			e = e.WithAttr(entity.AttrKind, string(en.Kind))
		}
		for _, a := range en.Aliases {
			e = e.WithAlias(entity.ParseKind(strings.ToLower(string(a.Kind))), string(a.Value))
		}
		set.Add(alert.Evidence{Entity: e, Role: roleOf(en.Role)})
	}
	return set.List(), nil
}

// roleOf reads a role; a word that is none is no reason to lose the entity.
func roleOf(w word) alert.Role {
	switch r := alert.Role(strings.ToLower(string(w))); r {
	case alert.Attacker, alert.Victim, alert.Context:
		return r
	}
	return ""
}
