// Package demo is the story that `make run` plays: one stolen identity in three clouds, a port probe and a shell in a
// container that have nothing to do with it. The deliveries are made up, in the providers' own shapes.
package demo

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.json
var files embed.FS

// Delivery is one recorded delivery and the ingest route it is meant for.
type Delivery struct {
	Name, Route string
	Body        []byte
}

// StoryDeliveries lists the deliveries in order.
func StoryDeliveries() []Delivery {
	names, err := fs.Glob(files, "*.json") // sorted
	if err != nil {
		panic(err) // the pattern is constant
	}
	out := make([]Delivery, len(names))
	for i, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		out[i] = Delivery{Name: name, Route: strings.Split(name, "-")[1], Body: body}
	}
	return out
}
