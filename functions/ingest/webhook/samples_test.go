package webhook_test

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/alertmanager"
	"github.com/onepane/onepane/functions/ingest/falco"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/mapping"
	"github.com/onepane/onepane/functions/ingest/ocsf"
	"github.com/onepane/onepane/functions/ingest/wazuh"
	"github.com/onepane/onepane/functions/ingest/webhook"
)

func TestSamples(t *testing.T) {
	mappings, err := mapping.Load(mapping.BuiltinProducts())
	if err != nil {
		t.Fatal(err)
	}
	providers := append([]ingest.Provider{falco.Provider{}, wazuh.Provider{}, alertmanager.Provider{}, ocsf.Provider{}}, mappings...)
	ingesttest.RunSamples(t, webhook.Envelope{}, append(providers, generic.Provider{}),
		"external/alertmanager", "external/cloudevents", "external/crowdstrike", "external/edge", "external/falco", "external/harfanglab",
		"external/lacework", "external/ocsf", "external/sentinelone", "external/sentinelone-identity", "external/thinkst-canary", "external/trellix-edr",
		"external/wazuh", "external/wiz")
}
