package eventbridge_test

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/eventbridge"
	"github.com/onepane/onepane/functions/ingest/guardduty"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/inspector"
	"github.com/onepane/onepane/functions/ingest/macie"
	"github.com/onepane/onepane/functions/ingest/ocsf"
	"github.com/onepane/onepane/functions/ingest/securityhub"
)

func TestSamples(t *testing.T) {
	providers := []ingest.Provider{
		guardduty.Provider{}, securityhub.Provider{},
		inspector.Provider{}, macie.Provider{}, ocsf.Provider{},
	}
	ingesttest.RunSamples(t, eventbridge.Envelope{}, providers, "aws", "external/ocsf")
}
