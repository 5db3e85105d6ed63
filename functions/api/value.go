package api

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// nullable is text that is null on the wire when it is empty.
type nullable string

// MarshalJSONTo writes the text or null.
func (n nullable) MarshalJSONTo(enc *jsontext.Encoder) error {
	if n == "" {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.String(string(n)))
}

// stamp is an instant as the Graph writes it: UTC with Z, up to seven digits of a second, null when not set.
type stamp time.Time

const stampLayout = "2006-01-02T15:04:05.9999999Z"

// MarshalJSONTo writes the instant or null.
func (s stamp) MarshalJSONTo(enc *jsontext.Encoder) error {
	if time.Time(s).IsZero() {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.String(time.Time(s).UTC().Format(stampLayout)))
}

// some is list, never nil: an empty collection is [] on the wire.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
