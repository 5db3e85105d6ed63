package alertmanager

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }

func TestIdentityIsTheGroupsNeither(t *testing.T) {
	const one = `{"status":"firing","labels":{"alertname":"A","instance":"web-03:9100"},"startsAt":"2026-03-03T09:00:00Z","endsAt":"0001-01-01T00:00:00Z"}`
	var ids []string
	for _, group := range []string{`{"receiver":"soc","groupKey":"a","alerts":[` + one + `]}`, `{"receiver":"oncall","groupKey":"b","alerts":[` + one + `]}`} {
		parts, err := Provider{}.Split(ingest.NewRecord([]byte(group), nil))
		if err != nil || len(parts) != 1 {
			t.Fatalf("split: %v, %d parts", err, len(parts))
		}
		a, err := Provider{}.Normalize(parts[0])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.Origin.ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("one alert through two receivers got the ids %q", ids)
	}
}

func TestEmptyGroupIsIgnored(t *testing.T) {
	parts, err := Provider{}.Split(ingest.NewRecord([]byte(`{"receiver":"soc","alerts":[]}`), nil))
	if err != nil || len(parts) != 1 || parts[0].Ignored == "" {
		t.Errorf("got %v, %v; want one ignored record", parts, err)
	}
}
