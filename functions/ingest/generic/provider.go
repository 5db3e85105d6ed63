// Package generic reads the alert that custom senders write (design contract, section 4), from the webhook and in
// replay. It is the strict one: the format is ours, so what is wrong is said exactly, with the field's name.
//
//	{"id","time","title",…,"entities":[{"kind","value","role"}]} ──▶ alert
package generic

import (
	"errors"

	"github.com/onepane/onepane/functions/ingest"
)

// Provider reads generic alerts. It recognizes so much that it must be the last provider of its route.
type Provider struct{}

// Name is "custom", the origin of alerts whose sender names no source.
func (Provider) Name() string { return "custom" }

// Recognize accepts what is meant as a generic alert, even where a required field is missing: Normalize says which.
func (Provider) Recognize(r ingest.Record) bool {
	n := 0
	for _, m := range r.Fields {
		switch m.Name {
		case "id", "time", "title", "type", "entities", "severity":
			n++
		}
	}
	return n >= 2
}

var errNotText = errors.New("must be text")
