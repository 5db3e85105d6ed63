package cosmos

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// maxPatches is how many operations one patch has at most.
// Source: learn.microsoft.com/azure/cosmos-db/partial-document-update-faq ("maximum of 10 patch operations").
const maxPatches = 10

// patchBody is a patch as it comes over the wire.
type patchBody struct {
	Condition  string       `json:"condition"`
	Operations []patchEntry `json:"operations"`
}

type patchEntry struct {
	Op    string         `json:"op"`
	Path  string         `json:"path"`
	From  string         `json:"from"`
	Value jsontext.Value `json:"value"`
}

// patchItem changes parts of an item: all of the patch's operations are applied or none.
func (t *transaction) patchItem(op operation) (int, *item, error) {
	found := t.findItem(op.id)
	if found == nil {
		return t.chargeRefused(nil, refuseMissingItem())
	}
	if err := checkPrecondition(op, found); err != nil {
		return t.chargeRefused(found, err)
	}
	var p patchBody
	if err := json.Unmarshal(op.body, &p, json.RejectUnknownMembers(true)); err != nil {
		return t.chargeRefused(found, refuseBadRequest("the patch is not understood: %v", err))
	}
	if len(p.Operations) == 0 || len(p.Operations) > maxPatches {
		return t.chargeRefused(found, refuseBadRequest("The number of patch operations can't exceed %d and is %d", maxPatches, len(p.Operations)))
	}
	if p.Condition != "" {
		holds, err := conditionHolds(p.Condition, found)
		if err != nil {
			return t.chargeRefused(found, err)
		}
		if !holds {
			return t.chargeRefused(found, refusePrecondition())
		}
	}
	doc, err := t.applyPatches(found, p.Operations)
	if err != nil {
		return t.chargeRefused(found, err)
	}
	status, it, err := t.putItem(found, doc, found.id)
	if err == nil {
		t.charge += patchCharge * float64(len(p.Operations))
	}
	return status, it, err
}

// conditionHolds evaluates a patch's filter, "from c where …", on the item as it is.
func conditionHolds(condition string, it *item) (bool, error) {
	q, err := sql.Parse("SELECT * "+condition, nil)
	if err != nil {
		return false, refuseBadRequest("%v", err)
	}
	return q.Matches(it), nil
}

// applyPatches applies the operations to a copy and holds it against what every item must be.
func (t *transaction) applyPatches(found *item, ops []patchEntry) (*document, error) {
	var root map[string]any
	if err := json.Unmarshal(found.encodeJSON(), &root); err != nil {
		return nil, err
	}
	for _, o := range ops {
		if err := applyPatch(root, o); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(root)
	if err != nil {
		return nil, refuseBadRequest("the patched item is no JSON: %v", err)
	}
	doc, err := parseDocument(raw)
	if err != nil {
		return nil, err
	}
	id, _ := doc.valueAt(sql.Path{"id"}).(string)
	return doc, t.checkDocument(operation{id: found.id}, doc, id)
}

func applyPatch(root map[string]any, o patchEntry) error {
	p, err := parsePointer(o.Path)
	if err != nil {
		return err
	}
	if slices.Contains(systemProperties, p[0]) || len(p) == 1 && p[0] == "id" {
		return refuseBadRequest("%s cannot be patched", o.Path)
	}
	var value any
	switch o.Op {
	case "add", "set", "replace", "incr", "increment":
		if o.Value == nil {
			return refuseBadRequest("patch operation %s of %s has no value", o.Op, o.Path)
		}
		if err := json.Unmarshal(o.Value, &value); err != nil {
			return refuseBadRequest("patch value of %s: %v", o.Path, err)
		}
	case "remove":
	default:
		return refuseBadRequest("patch operation %q is not known here", o.Op)
	}
	_, err = changeValue(root, p, o, value)
	return err
}

func parsePointer(text string) ([]string, error) {
	if !strings.HasPrefix(text, "/") || len(text) < 2 {
		return nil, refuseBadRequest("patch path %q does not begin with /", text)
	}
	p := strings.Split(text[1:], "/")
	for i := range p {
		p[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p[i])
	}
	return p, nil
}

// changeValue applies one operation at p below v, whose parents must all be there, and gives what v has become.
func changeValue(v any, p []string, o patchEntry, value any) (any, error) {
	name, last := p[0], len(p) == 1
	switch v := v.(type) {
	case map[string]any:
		below, there := v[name]
		if !last && there {
			changed, err := changeValue(below, p[1:], o, value)
			v[name] = changed
			return v, err
		}
		if !last {
			break
		}
		return v, changeMember(v, name, o, value)
	case []any:
		at, err := strconv.Atoi(name)
		if name == "-" && last && (o.Op == "add" || o.Op == "set") {
			return append(v, value), nil
		}
		if err != nil || at < 0 || at > len(v) || at == len(v) && !(last && o.Op == "add") {
			break
		}
		if !last {
			v[at], err = changeValue(v[at], p[1:], o, value)
			return v, err
		}
		return changeElement(v, at, o, value)
	}
	return v, refuseBadRequest("For %s operation, the path %s: %q has no parent there", o.Op, o.Path, name)
}

func changeMember(v map[string]any, name string, o patchEntry, value any) error {
	before, there := v[name]
	switch o.Op {
	case "remove", "replace":
		if !there {
			return refuseBadRequest("For %s operation, the path %s does not exist", o.Op, o.Path)
		}
		if o.Op == "remove" {
			delete(v, name)
			return nil
		}
	case "incr", "increment":
		sum, err := addNumber(before, there, o, value)
		if err != nil {
			return err
		}
		value = sum
	}
	v[name] = value
	return nil
}

// changeElement changes one element of an array; add puts a new one before it, set and replace take its place.
func changeElement(v []any, at int, o patchEntry, value any) (any, error) {
	switch o.Op {
	case "add":
		return slices.Insert(v, at, value), nil
	case "remove":
		return slices.Delete(v, at, at+1), nil
	case "incr", "increment":
		sum, err := addNumber(v[at], true, o, value)
		if err != nil {
			return v, err
		}
		value = sum
	}
	v[at] = value
	return v, nil
}

// addNumber adds to a number; a missing property becomes the value.
func addNumber(before any, there bool, o patchEntry, value any) (any, error) {
	by, ok := value.(float64)
	if !ok {
		return nil, refuseBadRequest("patch operation %s of %s: the value is no number", o.Op, o.Path)
	}
	if !there {
		return by, nil
	}
	number, ok := before.(float64)
	if !ok || math.IsInf(number+by, 0) {
		return nil, refuseBadRequest("patch operation %s of %s: there is no number there", o.Op, o.Path)
	}
	return number + by, nil
}
