package generic

import (
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/fault"
)

func TestConformance(t *testing.T) { ingesttest.Run(t, Provider{}, "testdata") }

func FuzzNormalize(f *testing.F) { ingesttest.Fuzz(f, Provider{}, "testdata") }

func TestErrorsNameTheField(t *testing.T) {
	const rest = `"id":"a","time":"2026-03-03T00:07:33Z","title":"t"`
	for body, want := range map[string]string{
		`{"time":"2026-03-03T00:07:33Z","title":"t"}`:                                    "id: missing",
		`{"id":"a","title":"t"}`:                                                         "time: missing",
		`{"id":"a","time":null,"title":"t"}`:                                             "time: missing",
		`{"id":"a","time":"soon","title":"t"}`:                                           `time: "soon" is not a time`,
		`{"id":"a","time":"2026-03-03T00:07:33Z"}`:                                       "title: missing, and no type stands in for it",
		`{` + rest + `,"severity":{}}`:                                                   "severity: must be text",
		`{` + rest + `,"entities":[{"kind":"ip","value":"x"},{"kind":"ip","value":[]}]}`: "entities[1].value: must be text",
		`{` + rest + `,"entities":[{"value":"x"}]}`:                                      "entities[0].kind: missing",
		`{` + rest + `,"entities":["x"]}`:                                                "entities[0]: of the wrong type",
		`{` + rest + `,"delivered":"later"}`:                                             `delivered: "later" is not a time`,
	} {
		_, err := Provider{}.Normalize(ingest.NewRecord([]byte(body), nil))
		if err == nil || err.Error() != want || fault.Of(err) != fault.Invalid {
			t.Errorf("%s\n gave %v, want %s", body, err, want)
		}
	}
}

func TestTenantOfTheCloudEvent(t *testing.T) {
	body := []byte(`{"id":"a","time":"2026-03-03T00:07:33Z","title":"t"}`)
	a, err := Provider{}.Normalize(ingest.NewRecord(body, map[string]string{"ce-tenant": "fabrikam"}))
	if err != nil || a.Tenant != "fabrikam" {
		t.Errorf("tenant %q, error %v; want the event's", a.Tenant, err)
	}
}

func BenchmarkNormalize(b *testing.B) {
	r := ingest.NewRecord([]byte(`{"id":"a1","tenant":"contoso","time":"2026-03-03T00:07:33Z","source":"acme.edr","type":"CredentialDump","title":"LSASS memory read","severity":"high","tactics":["CredentialAccess"],"techniques":["T1003.001"],"provider_id":"det-8841","entities":[{"kind":"host","value":"fin-lt057.contoso.example"},{"kind":"user","value":"CONTOSO\\dora"},{"kind":"resource","value":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0abcdef1234567890"}]}`), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Provider{}).Normalize(r); err != nil {
			b.Fatal(err)
		}
	}
}
