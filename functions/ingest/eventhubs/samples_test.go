package eventhubs

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/defender"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/sentinel"
	"github.com/onepane/onepane/functions/ingest/xdr"
)

// TestSamples reads the real payloads of all three products through the route.
func TestSamples(t *testing.T) {
	ingesttest.RunSamples(t, Envelope{}, []ingest.Provider{defender.Provider{}, sentinel.Provider{}, xdr.Provider{}}, "azure")
}
