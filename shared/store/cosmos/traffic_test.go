package cosmos_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/testdata/attacks"
)

const tenant = "contoso"

// traffic is an endless stream of one tenant's alert events, as generated attacks among everyday noise give them,
// scenario after scenario. What the generator leaves out of an alert, the provider's record of it, is made up to
// the size that alerts have in the cost model: 2.2 KB a stored alert.
type traffic struct {
	reader *ingest.Function
	noise  attacks.Noise
	seed   uint64
	after  time.Time // scenarios follow each other
	ready  []cloudevent.Event
	dice   *rand.Rand
}

func newTraffic(noise attacks.Noise) *traffic {
	return &traffic{
		reader: &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}, Tenants: single{}},
		noise:  noise, after: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), dice: rand.New(rand.NewPCG(7, 7)),
	}
}

// single is a deployment of one tenant.
type single struct{}

func (single) Tenant(alert.Account, string) (string, error) { return tenant, nil }

// take gives the next n events.
func (tr *traffic) take(t testing.TB, n int) []cloudevent.Event {
	t.Helper()
	for len(tr.ready) < n {
		tr.scenario(t)
	}
	out := tr.ready[:n:n]
	tr.ready = tr.ready[n:]
	return out
}

func (tr *traffic) scenario(t testing.TB) {
	t.Helper()
	tr.seed++
	s := attacks.Generate(attacks.Options{Seed: tr.seed, Noise: tr.noise, Tenants: 1})
	shift := tr.after.Sub(s.Alerts[0].Alert.Delivered)
	for _, l := range s.Alerts {
		a := l.Alert
		a.Tenant, a.ID = tenant, fmt.Sprintf("s%d-%s", tr.seed, a.ID)
		if a.ProviderID != "" {
			a.ProviderID = fmt.Sprintf("s%d-%s", tr.seed, a.ProviderID)
		}
		a.Time, a.Delivered = a.Time.Add(shift), a.Delivered.Add(shift)
		tr.after = a.Delivered
		tr.ready = append(tr.ready, tr.event(t, a))
	}
}

func (tr *traffic) event(t testing.TB, a attacks.Alert) cloudevent.Event {
	t.Helper()
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	alerts, receipt, err := tr.reader.Read(ingest.Delivery{Body: body})
	if err != nil || len(alerts) != 1 {
		t.Fatalf("read %s: %+v, %v", body, receipt, err)
	}
	alerts[0].Raw = tr.record(t, alerts[0].Raw)
	e, err := events.NewAlert(alerts[0], "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// record is a provider's record about what was sent: flows and details, half of it the same in every record.
func (tr *traffic) record(t testing.TB, sent jsontext.Value) jsontext.Value {
	t.Helper()
	type flow struct {
		Address  string `json:"remoteIpAddress"`
		Port     int    `json:"remotePort"`
		Protocol string `json:"protocol"`
		Country  string `json:"countryName"`
		Bytes    int    `json:"bytesOut"`
		Blocked  bool   `json:"blocked"`
	}
	var flows []flow
	for range 5 {
		flows = append(flows, flow{fmt.Sprintf("203.0.113.%d", tr.dice.IntN(256)), tr.dice.IntN(65536), "TCP", "Ruritania", tr.dice.IntN(1 << 30), false})
	}
	out, err := json.Marshal(map[string]any{
		"sent": sent, "flows": flows, "trace": fmt.Sprintf("%016x%016x", tr.dice.Uint64(), tr.dice.Uint64()),
		"detector": map[string]any{"version": "2026.3", "confidence": tr.dice.IntN(100), "archived": false, "service": strings.Repeat("policy/", 12)},
	}, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
