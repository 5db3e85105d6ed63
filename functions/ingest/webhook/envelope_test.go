package webhook

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

const one = `{"id":"a1","time":"2026-03-03T00:07:33Z","title":"t"}`

func eventBody(rest string) string {
	return `{"specversion":"1.0","id":"e1","source":"/acme","type":"acme.alert","tenant":"contoso"` + rest + `}`
}

func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		headers    map[string]string
		alerts     int
		event      string // the ce-id of every record
	}{
		{"object", one, nil, 1, ""},
		{"array", "[" + one + "," + one + "]", nil, 2, ""},
		{"NDJSON", one + "\n" + one + "\n", nil, 2, ""},
		{"structured", eventBody(`,"data":` + one), nil, 1, "e1"},
		{"structured with text", eventBody(`,"data":"{\"id\":\"a1\"}"`), nil, 1, "e1"},
		{"structured with several", eventBody(`,"data":[` + one + `,` + one + `]`), nil, 2, "e1"},
		{"structured with base64", eventBody(`,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(one)) + `"`), nil, 1, "e1"},
		{"batch", "[" + eventBody(`,"data":`+one) + "," + eventBody(`,"data":`+one) + "]", map[string]string{"content-type": "application/cloudevents-batch+json"}, 2, "e1"},
		{"binary", one, map[string]string{"ce-specversion": "1.0", "ce-id": "e2", "content-type": "application/json"}, 1, "e2"},
		{"binary headers on a structured body", eventBody(`,"data":` + one), map[string]string{"ce-specversion": "1.0", "content-type": "application/cloudevents+json; charset=utf-8"}, 1, "e1"},
	} {
		records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(tt.body), Headers: tt.headers})
		if err != nil || len(records) != tt.alerts {
			t.Errorf("%s: %d records, error %v; want %d", tt.name, len(records), err, tt.alerts)
		}
		for _, r := range records {
			if r.Err != nil || r.Ignored != "" || r.Text("id") != "a1" || r.Context["ce-id"] != tt.event {
				t.Errorf("%s: error %v, ignored %q, id %q, event %q", tt.name, r.Err, r.Ignored, r.Text("id"), r.Context["ce-id"])
			}
		}
	}
}

func TestTenantExtension(t *testing.T) {
	records, _ := Envelope{}.Open(ingest.Delivery{Body: []byte(eventBody(`,"data":` + one))})
	if got := records[0].Context["ce-tenant"]; got != "contoso" {
		t.Errorf("ce-tenant %q, want contoso", got)
	}
}

func TestEventsWithoutUsableDataNameTheField(t *testing.T) {
	for body, want := range map[string]string{
		eventBody(``):                                   "data: missing",
		eventBody(`,"data":null`):                       "data: missing",
		eventBody(`,"data":"hello"`):                    "data: text",
		eventBody(`,"data_base64":"%%%"`):               "data_base64: illegal",
		eventBody(`,"data_base64":""`):                  "data_base64: empty",
		`{"specversion":"0.3","data":{}}`:               `specversion: "0.3" is not 1.0`,
		`{"specversion":"1.0","id":"e","data":{"a":1}}`: "source: missing",
	} {
		records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(body)})
		if err != nil || len(records) != 1 || records[0].Err == nil || !strings.HasPrefix(records[0].Err.Error(), want) || fault.Of(records[0].Err) != fault.Invalid {
			t.Errorf("%s\n gave %+v, %v; want %s", body, records, err, want)
		}
	}
	if _, err := (Envelope{}).Open(ingest.Delivery{Body: []byte(one), Headers: map[string]string{"ce-specversion": "2.0"}}); fault.Of(err) != fault.Invalid {
		t.Errorf("a binary event of another version gave %v", err)
	}
}

func TestControlMessagesAreIgnored(t *testing.T) {
	for _, body := range []string{
		`{"Type":"SubscriptionConfirmation","MessageId":"m","Token":"t","TopicArn":"arn:aws:sns:eu-west-1:111122223333:x","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?x"}`,
		`{"type":"heartbeat"}`, `{"challenge":"abc"}`, `{}`, `[]`,
	} {
		records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(body)})
		if err != nil || len(records) != 1 || records[0].Ignored == "" {
			t.Errorf("%s gave %+v, %v; want one ignored record", body, records, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(one), "")
	f.Add([]byte(eventBody(`,"data_base64":"e30="`)), "1.0")
	f.Fuzz(func(_ *testing.T, body []byte, version string) {
		_, _ = Envelope{}.Open(ingest.Delivery{Body: body, Headers: map[string]string{"ce-specversion": version}})
	})
}
