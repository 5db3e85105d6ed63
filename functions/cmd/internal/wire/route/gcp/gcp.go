// Package gcp is the ingest route of Google Cloud without product mappings, whose expression language would be most
// of a cold start: what infra/gcp has pushed, findings of Security Command Center, needs none.
package gcp

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/pubsub"
	"github.com/onepane/onepane/functions/ingest/scc"
)

// Function reads deliveries of the route; it publishes nothing yet.
func Function() *ingest.Function {
	return &ingest.Function{Route: "gcp", Envelope: pubsub.Envelope{}, Providers: []ingest.Provider{scc.Provider{}}}
}
