package graph

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Nullable is text that is null on the wire when it is empty.
type Nullable string

// MarshalJSONTo writes the text or null.
func (n Nullable) MarshalJSONTo(enc *jsontext.Encoder) error {
	if n == "" {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.String(string(n)))
}

// Timestamp is an instant as the Graph writes it: UTC with Z, up to seven digits of a second, null when not set.
type Timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.9999999Z"

// MarshalJSONTo writes the instant or null.
func (s Timestamp) MarshalJSONTo(enc *jsontext.Encoder) error {
	if time.Time(s).IsZero() {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.String(time.Time(s).UTC().Format(timestampLayout)))
}

// NonNil is list, never nil: an empty collection is [] on the wire.
func NonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (s *Timestamp) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var t *time.Time
	err := json.UnmarshalDecode(dec, &t)
	if t != nil {
		*s = Timestamp(*t)
	}
	return err
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (n *Nullable) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var text *string
	err := json.UnmarshalDecode(dec, &text)
	if text != nil {
		*n = Nullable(*text)
	}
	return err
}
