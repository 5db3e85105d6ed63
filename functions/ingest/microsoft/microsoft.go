// Package microsoft reads what Defender for Cloud, Sentinel and Defender XDR write alike: the list of entities that
// refer to each other by "$id" and "$ref", tactics in several spellings, free properties, Azure resource ids.
//
//	Entities text ─Unquote─▶ list ─walk─▶ every entity, nested or not ─resolve refs─▶ EvidenceSet
package microsoft

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/attack"
)

// AddEntities adds what an entity list names to set: list is an array, one entity, or JSON text of either.
// It returns the ids of alerts that the list names as members. What cannot be read in it is skipped, and so is the
// rest of a list that was cut off (Log Analytics cuts a row at 32 KB).
func AddEntities(list jsontext.Value, set *ingest.EvidenceSet) (members []string) {
	g := entityGraph{byID: map[string][]*entityRecord{}, owned: map[*entityRecord]bool{}}
	for _, v := range splitElements(UnquoteJSON(list)) {
		e := new(entityRecord)
		if json.Unmarshal(v, e, lenientJSON) == nil {
			g.addEntity(e, "", 0)
		}
	}
	g.claimHashes()
	for _, e := range g.all {
		g.addTo(e, set)
	}
	return g.members
}

// lenientJSON forgive what the products do: any case, and a member repeated in another case.
var lenientJSON = json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// UnquoteJSON returns the JSON inside a JSON string, and any other value as it is. Text that is no JSON gives nil.
func UnquoteJSON(v jsontext.Value) jsontext.Value {
	if v.Kind() != '"' {
		return v
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if s = bytes.TrimSpace(s); err != nil || len(s) == 0 || s[0] != '{' && s[0] != '[' {
		return nil
	}
	return s
}

// splitElements splits a list as far as it goes; a lone object is a list of one.
func splitElements(v jsontext.Value) []jsontext.Value {
	switch v.Kind() {
	case '{':
		return []jsontext.Value{v}
	case '[':
	default:
		return nil
	}
	var out []jsontext.Value
	dec := jsontext.NewDecoder(bytes.NewReader(v), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	for dec.PeekKind() != ']' {
		e, err := dec.ReadValue()
		if err != nil {
			break
		}
		out = append(out, e.Clone())
	}
	return out
}

// ParseTactics reads tactics as the products list them: one word, several with commas, or JSON text of an array.
func ParseTactics(source attack.Source, lists ...string) []attack.Tactic {
	var out []attack.Tactic
	for _, list := range lists {
		for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(`,;[]"`, r) }) {
			if t := attack.Parse(source, word); t != "" {
				out = append(out, t)
			}
		}
	}
	return attack.SortTactics(out)
}

// ParseTexts returns the texts of a list that may be written as JSON text of a list; empty ones are left out.
func ParseTexts(list ingest.List[ingest.Text]) []string {
	var out []string
	for _, t := range list {
		var in ingest.List[ingest.Text]
		if v := UnquoteJSON(jsontext.Value(t)); len(t) > 0 && t[0] == '[' && json.Unmarshal(v, &in) == nil {
			out = append(out, ParseTexts(in)...)
		} else if s := strings.TrimSpace(string(t)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// The bounds of free properties that are kept as Extra.
const (
	maxProperties = 50
	maxProperty   = 2 << 10 // bytes
)

// ParseProperties reads free properties (an object, or JSON text of one) as facts: at most 50, of at most 2 KB each.
func ParseProperties(raw jsontext.Value) map[string]string {
	var all orderedTexts
	if v := UnquoteJSON(raw); v.Kind() != '{' || json.Unmarshal(v, &all, lenientJSON) != nil {
		return nil
	}
	out := make(map[string]string, min(len(all), maxProperties))
	for _, p := range all {
		if _, has := out[p.name]; !has && (len(out) == maxProperties || p.value == "") {
			continue
		}
		out[p.name] = ClipText(p.value, maxProperty)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// WithFact adds a fact to facts, which may be nil; a placeholder is left out.
func WithFact(facts map[string]string, key, value string) map[string]string {
	if ingest.IsPlaceholder(value) {
		return facts
	}
	if facts == nil {
		facts = map[string]string{}
	}
	facts[key] = value
	return facts
}

// ClipText shortens s to at most n bytes without breaking a character.
func ClipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}

// orderedTexts are an object's members in their order, so that which of too many are kept is always the same.
type orderedTexts []struct{ name, value string }

// UnmarshalJSONFrom reads an object whose values may be anything.
func (o *orderedTexts) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		n := name.String()
		var value ingest.Text
		if err := json.UnmarshalDecode(dec, &value); err != nil {
			return err
		}
		*o = append(*o, struct{ name, value string }{n, string(value)})
	}
	_, err := dec.ReadToken()
	return err
}

// AzureSubscription is the subscription in an Azure resource id, "" when there is none.
func AzureSubscription(id string) string {
	const prefix = "/subscriptions/"
	if len(id) <= len(prefix) || !strings.EqualFold(id[:len(prefix)], prefix) {
		return ""
	}
	sub, _, _ := strings.Cut(id[len(prefix):], "/")
	if ingest.IsPlaceholder(sub) {
		return ""
	}
	return sub
}
