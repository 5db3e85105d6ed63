package pubsub_test

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/pubsub"
	"github.com/onepane/onepane/functions/ingest/scc"
)

func TestSamples(t *testing.T) {
	ingesttest.Samples(t, pubsub.Envelope{}, []ingest.Provider{scc.Provider{}}, "gcp")
}
