package pubsub_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/functions/ingest/mapping"
	"github.com/onepane/onepane/functions/ingest/pubsub"
	"github.com/onepane/onepane/functions/ingest/scc"
	"github.com/onepane/onepane/shared/alert"
)

func providers(t *testing.T) []ingest.Provider {
	t.Helper()
	mappings, err := mapping.Load(mapping.BuiltinProducts())
	if err != nil {
		t.Fatal(err)
	}
	return append([]ingest.Provider{scc.Provider{}}, mappings...)
}

func TestSamples(t *testing.T) {
	ingesttest.RunSamples(t, pubsub.Envelope{}, providers(t), "gcp/edge", "gcp/cloud-monitoring")
}

// contradicted are samples whose stated kind is "alert" although the first is byte for byte
// sra_iamscanner_nonorgmemberfinding.json, stated as posture, and the second differs in its marks only. All are
// findings of the old IAM scanner: posture.
var contradicted = map[string]bool{"gcp/scc/non_org_iam_member.json": true, "gcp/scc/non_org_iam_member_marked.json": true}

func TestSecurityCommandCenterSamples(t *testing.T) {
	all := providers(t)
	for file, want := range ingesttest.LoadSamples(t, "gcp/scc") {
		t.Run(file, func(t *testing.T) {
			if contradicted[file] {
				want.Kind = "posture"
			}
			body, err := os.ReadFile(filepath.Join(ingesttest.SampleDir(), file))
			if err != nil {
				t.Fatal(err)
			}
			fn := &ingest.Function{Envelope: pubsub.Envelope{}, Providers: all, Tenants: oneTenant{}}
			got, receipt, err := fn.Read(ingest.Delivery{Body: body, Received: time.Now()})
			ingesttest.CheckSample(t, want, got, receipt, err)
		})
	}
}

type oneTenant struct{}

func (oneTenant) Tenant(alert.Account, string) (string, error) { return "default", nil }
