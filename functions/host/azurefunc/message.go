package azurefunc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// Message is one message of a trigger, decoded.
type Message struct {
	Body        []byte
	ContentType string
	ID          string
	Session     string
	Deliveries  int // how often it was delivered, this time included; 0 when the trigger does not say
}

// maxLayers is how often a value may be written as JSON inside a JSON string.
const maxLayers = 3

// Messages returns the messages under a binding, of a trigger with cardinality one or many; fault.Invalid when there
// is no such binding. The Functions host passes an object as it is, any other value as a string that holds its JSON;
// a message taken as a string is encoded once more, a binary one is base64. (Azure Functions host source,
// HttpScriptInvocationContext.)
func (in Invocation) Messages(binding string) ([]Message, error) {
	v, ok := in.Data[binding]
	if !ok {
		return nil, fault.Errorf(fault.Invalid, "Data has no %q: does the binding's name in function.json agree?", binding)
	}
	v = unwrapJSON(v)
	if v.Kind() != '[' {
		return []Message{{
			Body: messageBody(v), ContentType: in.metadataText("ContentType"), ID: in.metadataText("MessageId"), Session: in.metadataText("SessionId"),
			Deliveries: parseCount(in.metadataText("DeliveryCount")),
		}}, nil
	}
	var elements []jsontext.Value
	if err := json.Unmarshal(v, &elements); err != nil {
		return nil, fault.Errorf(fault.Invalid, "Data.%s: %w", binding, err)
	}
	types, ids, sessions, counts := in.metadataTexts("ContentTypeArray"), in.metadataTexts("MessageIdArray"), in.metadataTexts("SessionIdArray"), in.metadataTexts("DeliveryCountArray")
	out := make([]Message, len(elements))
	for i, e := range elements {
		out[i] = Message{Body: messageBody(unwrapJSON(e)), ContentType: elementAt(types, i), ID: elementAt(ids, i), Session: elementAt(sessions, i), Deliveries: parseCount(elementAt(counts, i))}
	}
	return out, nil
}

// unwrapJSON takes JSON out of the strings that hold it, at most maxLayers of them. A string that holds no JSON stays.
func unwrapJSON(v jsontext.Value) jsontext.Value {
	for range maxLayers {
		if v.Kind() != '"' {
			return v
		}
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return v
		}
		in := jsontext.Value(strings.TrimSpace(string(s)))
		if k := in.Kind(); k != '{' && k != '[' && k != '"' || !in.IsValid() {
			return v
		}
		v = in
	}
	return v
}

// messageBody returns a message's bytes: of an object or array its JSON, of a string the base64 or the text in it.
func messageBody(v jsontext.Value) []byte {
	if v.Kind() != '"' {
		return v
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return v
	}
	if raw, err := base64.StdEncoding.DecodeString(string(s)); err == nil && len(raw) > 0 {
		return raw
	}
	return s
}

// metadataText returns a value of the metadata, whatever its encoding; "" when there is none.
func (in Invocation) metadataText(name string) string { return unquotedText(in.Metadata[name]) }

// metadataTexts returns the values of an array of the metadata, one a message; nil when there is none.
func (in Invocation) metadataTexts(name string) []string {
	var elements []jsontext.Value
	if err := json.Unmarshal(unwrapJSON(in.Metadata[name]), &elements); err != nil {
		return nil
	}
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i] = unquotedText(e)
	}
	return out
}

// unquotedText returns a string without its quotes, or a number; "" for any other value.
func unquotedText(v jsontext.Value) string {
	v = unwrapJSON(v)
	switch v.Kind() {
	case '"':
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil || string(s) == "null" {
			return ""
		}
		return string(s)
	case '0':
		return string(v)
	}
	return ""
}

// parseCount returns a number, 0 for text that is none.
func parseCount(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// elementAt returns element i, "" when there are fewer.
func elementAt(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}
