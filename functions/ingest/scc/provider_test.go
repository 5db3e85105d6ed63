package scc

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/alert"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }

func TestIdentityIsTheSameInEveryName(t *testing.T) {
	for _, name := range []string{
		"organizations/1/sources/42/findings/f", "organizations/1/sources/42/locations/global/findings/f", "projects/9/sources/42/findings/f",
		"projects/9/sources/42/locations/eu/findings/f", "folders/7/sources/42/findings/f/",
	} {
		if id, ok := findingID(name); !ok || id != "42/f" {
			t.Errorf("identity(%q) = %q, %v; want 42/f", name, id, ok)
		}
	}
	for _, name := range []string{"", "organizations/1/sources/42", "organizations/1/findings/f", "sources//findings/f", "sources/1/findings/"} {
		if id, ok := findingID(name); ok {
			t.Errorf("identity(%q) = %q, want none", name, id)
		}
	}
}

func TestClass(t *testing.T) {
	for body, want := range map[string]alert.Class{
		`"findingClass":"THREAT"`: alert.Threat, `"findingClass":"OBSERVATION"`: alert.Threat, `"findingClass":"VULNERABILITY"`: alert.Exposure,
		`"findingClass":"POSTURE_VIOLATION"`: alert.Exposure, `"findingClass":"TOXIC_COMBINATION"`: alert.Exposure, `"findingClass":"CHOKEPOINT"`: alert.Exposure,
		`"findingClass":"SENSITIVE_DATA_RISK"`: alert.Exposure, `"findingClass":"SCC_ERROR"`: alert.Exposure,
		`"category":"C2: Bad IP"`: alert.Threat, `"category":"OPEN_FIREWALL"`: alert.Exposure, `"category":"XSS"`: alert.Exposure,
		`"category":"CRYPTOMINING"`: alert.Threat, `"category":"leaked_credentials"`: alert.Threat, `"sourceProperties":{"ScannerName":"IAM_SCANNER"}`: alert.Exposure,
		`"category":"X","sourceProperties":{"detectionCategory":{"ruleName":"r"}}`: alert.Threat, `"findingClass":"FINDING_CLASS_UNSPECIFIED","category":"OPEN_SSH_PORT"`: alert.Exposure,
	} {
		a := normalize(t, body)
		if a.Class != want {
			t.Errorf("%s is %q, want %q", body, a.Class, want)
		}
	}
}

func TestSeverityAndStatus(t *testing.T) {
	for _, tt := range []struct {
		body     string
		severity alert.Severity
		status   alert.Status
	}{
		{`"severity":"CRITICAL","state":"ACTIVE"`, alert.Critical, alert.StatusNew},
		{`"severity":"LOW","state":"INACTIVE"`, alert.Low, alert.StatusResolved},
		{`"severity":"HIGH","state":"ACTIVE","mute":"MUTED"`, alert.High, alert.StatusResolved},
		{`"severity":"SEVERITY_UNSPECIFIED","mute":"UNDEFINED"`, alert.Unknown, alert.StatusNew},
		{`"sourceProperties":{"SeverityLevel":"High"}`, alert.Unknown, alert.StatusNew},
		{`"findingClass":"OBSERVATION"`, alert.Informational, alert.StatusNew},
	} {
		if a := normalize(t, tt.body); a.Severity != tt.severity || a.Status != tt.status {
			t.Errorf("%s: %s %s, want %s %s", tt.body, a.Severity, a.Status, tt.severity, tt.status)
		}
	}
}

func normalize(t *testing.T, members string) alert.Alert {
	t.Helper()
	a, err := Provider{}.Normalize(ingest.NewRecord([]byte(`{"finding":{"name":"organizations/1/sources/2/findings/3",`+members+`}}`), nil))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return a
}

func BenchmarkNormalize(b *testing.B) {
	r := ingest.NewRecord([]byte(`{"finding":{"name":"organizations/1/sources/2/findings/3","category":"C2: Bad IP","findingClass":"THREAT","severity":"HIGH","state":"ACTIVE","eventTime":"2026-03-03T10:05:00Z","resourceName":"//compute.googleapis.com/projects/p/zones/z/instances/i","indicator":{"ipAddresses":["198.51.100.9"]}}}`), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Provider{}).Normalize(r); err != nil {
			b.Fatal(err)
		}
	}
}
