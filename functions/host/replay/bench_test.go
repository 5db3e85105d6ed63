package replay

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/testdata/attacks"
)

// own takes each alert's tenant at its word.
type own struct{}

func (own) Tenant(_ alert.Account, claimed string) (string, error) { return claimed, nil }

// BenchmarkDecide measures the decision alone, on alerts that are decoded already.
func BenchmarkDecide(b *testing.B) {
	fn := &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}, Tenants: own{}}
	var alerts []alert.Alert
	for _, l := range attacks.Generate(attacks.Options{Seed: 900, Noise: attacks.High}).Alerts {
		body, err := json.Marshal(l.Alert)
		if err != nil {
			b.Fatal(err)
		}
		as, _, err := fn.Read(ingest.Delivery{Body: bytes.TrimSpace(body)})
		if err != nil {
			b.Fatal(err)
		}
		alerts = append(alerts, as...)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r := &Replay{tenants: map[string]*tenant{}}
		for i := 0; i < len(alerts); i += batchSize {
			waiting := map[string][]*correlation.Report{}
			for _, a := range alerts[i:min(i+batchSize, len(alerts))] {
				waiting[a.Tenant] = append(waiting[a.Tenant], correlation.NewReport(a))
			}
			for id, as := range waiting {
				r.applyReports(id, as)
			}
		}
		n += len(alerts)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "alerts/s")
	b.ReportMetric(0, "ns/op")
}
