package pubsub

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

const finding = `{"finding":{"name":"organizations/123456789012/sources/42/findings/f1","category":"OPEN_FIREWALL"}}`

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func TestOpen(t *testing.T) {
	message := `{"data":"` + b64(finding) + `","messageId":"7","publishTime":"2026-03-03T00:00:00Z"}`
	for _, tt := range []struct {
		name, body string
		findings   int
		ignored    int
	}{
		{"bare notification", finding, 1, 0},
		{"bare finding", `{"name":"organizations/1/sources/2/findings/3","category":"X"}`, 1, 0},
		{"array", "[" + finding + "," + finding + "]", 2, 0},
		{"NDJSON", finding + "\n" + finding, 2, 0},
		{"push", `{"message":` + message + `,"subscription":"projects/p/subscriptions/s"}`, 1, 0},
		{"push with gzip", `{"message":{"data":"` + b64(zipped(finding)) + `"}}`, 1, 0},
		{"push without padding, URL alphabet", `{"message":{"data":"` + base64.RawURLEncoding.EncodeToString([]byte(finding)) + `"}}`, 1, 0},
		{"pull", `{"receivedMessages":[{"ackId":"a","message":` + message + `},{"ackId":"b","message":` + message + `}]}`, 2, 0},
		{"pull of nothing", `{"receivedMessages":[]}`, 0, 1},
		{"lone message", message, 1, 0},
		{"CloudEvent", `{"specversion":"1.0","id":"1","source":"//pubsub","type":"google.cloud.pubsub.topic.v1.messagePublished","data":{"message":` + message + `}}`, 1, 0},
		{"list page", `{"listFindingsResults":[` + finding + `],"readTime":"2026-03-03T00:00:00Z"}`, 1, 0},
		{"empty list page", `{"listFindingsResults":[],"readTime":"2026-03-03T00:00:00Z","totalSize":0}`, 0, 1},
		{"page that omits the empty list", `{"readTime":"2026-03-03T00:00:00Z"}`, 0, 1},
		{"findings list", `{"findings":[{"name":"organizations/1/sources/2/findings/3"}]}`, 1, 0},
		{"export row", `{"findings":{"name":"organizations/1/sources/2/findings/3"},"resource":{}}`, 1, 0},
	} {
		records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(tt.body)})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		findings, ignored := 0, 0
		for _, r := range records {
			switch {
			case r.Err != nil:
				t.Errorf("%s: %v", tt.name, r.Err)
			case r.Ignored != "":
				ignored++
			case strings.Contains(string(r.Raw), "/findings/"):
				findings++
			}
		}
		if findings != tt.findings || ignored != tt.ignored {
			t.Errorf("%s: %d findings and %d ignored, want %d and %d", tt.name, findings, ignored, tt.findings, tt.ignored)
		}
	}
}

func TestOneBadMessageSpoilsNoOther(t *testing.T) {
	body := `{"receivedMessages":[{"message":{"data":"%%%"}},{"message":{"data":"` + b64(finding) + `","messageId":"7"}},{"message":{"attributes":{}}}]}`
	records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(body)})
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, error %v; want 3", len(records), err)
	}
	for i, want := range []string{"message.data: illegal base64", "", "message.data: missing"} {
		got := records[i].Err
		if want == "" && got != nil || want != "" && (got == nil || !strings.HasPrefix(got.Error(), want) || fault.Of(got) != fault.Invalid) {
			t.Errorf("record %d: %v, want %q", i, got, want)
		}
	}
	if records[1].Context["message-id"] != "7" {
		t.Errorf("context %v, want the message id", records[1].Context)
	}
}

func TestWrappingIsBounded(t *testing.T) {
	body := finding
	for range 20 {
		body = `{"message":{"data":"` + b64(body) + `"}}`
	}
	records, _ := Envelope{}.Open(ingest.Delivery{Body: []byte(body)})
	if len(records) != 1 || fault.Of(records[0].Err) != fault.Invalid {
		t.Errorf("got %d records, want one refused", len(records))
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(finding))
	f.Add([]byte(`{"message":{"data":"` + b64(finding) + `"}}`))
	f.Add([]byte(`{"receivedMessages":[null,1,{"message":{"data":""}}],"specversion":"1.0","data":[]}`))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = Envelope{}.Open(ingest.Delivery{Body: body}) })
}
