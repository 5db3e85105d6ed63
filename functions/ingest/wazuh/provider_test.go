package wazuh

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/alert"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }

func TestSeverity(t *testing.T) {
	for level, want := range map[float64]alert.Severity{
		0: alert.Informational, 3: alert.Informational, 4: alert.Low, 6: alert.Low, 7: alert.Medium, 11: alert.Medium,
		12: alert.High, 14: alert.High, 15: alert.Critical, 16: alert.Critical, -1: alert.Unknown,
	} {
		if got := severityOf(level); got != want {
			t.Errorf("severity(%v) = %s, want %s", level, got, want)
		}
	}
}
