package graph

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EncodeSelected encodes an item with only the selected members; all of them when none are named. Annotations and
// what was expanded stay.
func EncodeSelected(item any, names []string) (jsontext.Value, error) {
	b, err := json.Marshal(item, Encoding)
	if err != nil || names == nil {
		return b, err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(b, &members, jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, err
	}
	for name := range members {
		if !slices.Contains(names, name) && !strings.Contains(name, "@odata") && name != "alerts" {
			delete(members, name)
		}
	}
	return json.Marshal(members, Encoding)
}

// Encoding writes maps in one order and passes on what providers wrote wrongly as replacement characters.
var Encoding = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
