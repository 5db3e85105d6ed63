// Package azure is the ingest route of Azure and Microsoft's own products.
package azure

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/defender"
	"github.com/onepane/onepane/functions/ingest/eventhubs"
	"github.com/onepane/onepane/functions/ingest/sentinel"
	"github.com/onepane/onepane/functions/ingest/xdr"
)

// Function reads deliveries of the route; it publishes nothing yet.
func Function() *ingest.Function {
	return &ingest.Function{Route: "azure", Envelope: eventhubs.Envelope{}, Providers: []ingest.Provider{
		defender.Provider{}, sentinel.Provider{}, xdr.Provider{}}}
}
