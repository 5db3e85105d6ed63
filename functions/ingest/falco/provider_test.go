package falco

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/alert"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }

func TestSeverity(t *testing.T) {
	for priority, want := range map[string]alert.Severity{
		"Emergency": alert.Critical, "Alert": alert.Critical, "Critical": alert.Critical, "Error": alert.High, "Warning": alert.Medium,
		"Notice": alert.Low, "Informational": alert.Informational, "Debug": alert.Informational, "": alert.Unknown, "Loud": alert.Unknown,
	} {
		if got := severityOf(priority); got != want {
			t.Errorf("severity(%q) = %s, want %s", priority, got, want)
		}
	}
}

func TestDerivedIDTellsRepeatsFromOthers(t *testing.T) {
	id := func(body string) string {
		a, err := Provider{}.Normalize(ingest.NewRecord([]byte(body), nil))
		if err != nil {
			t.Fatal(err)
		}
		return a.Origin.ID
	}
	const one = `{"rule":"R","priority":"Error","output":"o","hostname":"h","time":"2026-03-03T10:17:00Z"`
	if id(one+`}`) != id(one+`,"output_fields":{"a":1}}`) {
		t.Error("a re-delivery got another id")
	}
	if id(one+`}`) == id(`{"rule":"R","priority":"Error","output":"o","hostname":"h2","time":"2026-03-03T10:17:00Z"}`) {
		t.Error("two hosts share an id")
	}
}
