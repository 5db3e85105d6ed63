// Package webhook is the ingest route of everyone else without product mappings: formats that are read by code.
package webhook

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/alertmanager"
	"github.com/onepane/onepane/functions/ingest/falco"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/ocsf"
	"github.com/onepane/onepane/functions/ingest/wazuh"
	"github.com/onepane/onepane/functions/ingest/webhook"
)

// Function reads deliveries of the route; it publishes nothing yet. The providers given come before the generic alert,
// which recognizes so much that it must be the last.
func Function(more ...ingest.Provider) *ingest.Function {
	ps := append([]ingest.Provider{falco.Provider{}, wazuh.Provider{}, alertmanager.Provider{}, ocsf.Provider{}}, more...)
	return &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: append(ps, generic.Provider{})}
}
