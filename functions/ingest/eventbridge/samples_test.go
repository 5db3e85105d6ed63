package eventbridge_test

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/eventbridge"
	"github.com/onepane/onepane/functions/ingest/guardduty"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/securityhub"
)

func TestSamples(t *testing.T) {
	providers := []ingest.Provider{guardduty.Provider{}, securityhub.Provider{}}
	ingesttest.Samples(t, eventbridge.Envelope{}, providers, "aws/guardduty", "aws/securityhub", "aws/edge")
}
