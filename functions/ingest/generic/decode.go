package generic

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// message is the generic alert as sent.
type message struct {
	ID          word    `json:"id"`
	Tenant      word    `json:"tenant"`
	Time        word    `json:"time"`
	Delivered   word    `json:"delivered"`
	Source      word    `json:"source"`
	Type        word    `json:"type"`
	Title       word    `json:"title"`
	Severity    word    `json:"severity"`
	Tactics     words   `json:"tactics"`
	Techniques  words   `json:"techniques"`
	ProviderID  word    `json:"provider_id"`
	Status      word    `json:"status"`
	Description word    `json:"description"`
	URL         word    `json:"url"`
	Entities    []entry `json:"entities"`
}

// entry is an entity as sent. Name, attributes and aliases extend the contract.
type entry struct {
	Kind       word            `json:"kind"`
	Value      word            `json:"value"`
	Role       word            `json:"role"`
	Name       word            `json:"name"`
	Attributes map[string]word `json:"attributes"`
	Aliases    []struct {
		Kind  word `json:"kind"`
		Value word `json:"value"`
	} `json:"aliases"`
}

// word is text that a sender may also write as a number or a boolean; null is "".
type word string

// UnmarshalJSONFrom refuses objects and arrays.
func (w *word) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{', '[':
		return errNotText
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == 'n' {
		*w = ""
		return nil
	}
	*w = word(strings.TrimSpace(tok.String()))
	return nil
}

// words is a list that a sender may write as one word.
type words []word

// UnmarshalJSONFrom accepts an array of words, one word, or null.
func (l *words) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '[' {
		return json.UnmarshalDecode(dec, (*[]word)(l))
	}
	var one word
	if err := json.UnmarshalDecode(dec, &one); err != nil {
		return err
	}
	if one != "" {
		*l = words{one}
	}
	return nil
}

// describeError names the field in the spelling of the contract: "entities[3].value".
func describeError(err error) string {
	var sem *json.SemanticError
	if !errors.As(err, &sem) {
		return ingest.DescribeJSONError(err)
	}
	var path strings.Builder
	for token := range sem.JSONPointer.Tokens() {
		if _, err := strconv.Atoi(token); err == nil && path.Len() > 0 {
			path.WriteString("[" + token + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(token)
	}
	reason := "of the wrong type"
	if errors.Is(err, errNotText) {
		reason = errNotText.Error()
	}
	return cmp.Or(path.String(), "the record") + ": " + reason
}
