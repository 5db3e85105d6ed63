package events

import "embed"

// Schemas holds a JSON Schema (draft 2020-12) for the data of each event type, named as in its dataschema.
//
//go:embed schemas/*.json
var Schemas embed.FS
