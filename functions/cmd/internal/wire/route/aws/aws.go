// Package aws is the ingest route of AWS: the same on Lambda as everywhere else.
package aws

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/eventbridge"
	"github.com/onepane/onepane/functions/ingest/guardduty"
	"github.com/onepane/onepane/functions/ingest/inspector"
	"github.com/onepane/onepane/functions/ingest/macie"
	"github.com/onepane/onepane/functions/ingest/ocsf"
	"github.com/onepane/onepane/functions/ingest/securityhub"
)

// Function reads deliveries of the route; it publishes nothing yet.
func Function() *ingest.Function {
	return &ingest.Function{Route: "aws", Envelope: eventbridge.Envelope{}, Providers: []ingest.Provider{
		guardduty.Provider{}, securityhub.Provider{}, inspector.Provider{}, macie.Provider{}, ocsf.Provider{}}}
}
