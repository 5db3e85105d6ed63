package eventbridge

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

const (
	bare    = `{"accountId":"111122223333","id":"f1","type":"T"}`
	event   = `{"version":"0","id":"e1","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"444455556666","time":"2026-03-03T00:12:01Z","region":"eu-west-1","resources":[],"detail":` + bare + `}`
	hub     = `{"detail-type":"Security Hub Findings - Custom Action","source":"aws.securityhub","detail":{"actionName":"send","findings":[{"Id":"a"},{"Id":"b"}]}}`
	forged  = `{"detail-type":"GuardDuty Finding","source":"custom.app","detail":` + bare + `}`
	confirm = `{"Type":"SubscriptionConfirmation","MessageId":"m","TopicArn":"arn:aws:sns:eu-west-1:111122223333:t","Message":"You have chosen to subscribe","SubscribeURL":"https://198.51.100.1/"}`
)

// TestOpen says for every wrapper what comes out of it: the ids of findings, "ignored", or the start of an error.
func TestOpen(t *testing.T) {
	logs := `{"awslogs":{"data":"` + pack(`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":`+strconv.Quote(event)+`},{"id":"2","message":"no JSON"}]}`) + `"}}`
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"bare finding", bare, []string{"f1"}},
		{"array", "[" + bare + "," + bare + "]", []string{"f1", "f1"}},
		{"NDJSON with a broken line", bare + "\n{\"id\":\n" + bare, []string{"f1", "error", "f1"}},
		{"event", event, []string{"f1"}},
		{"several findings in an event", hub, []string{"a", "b"}},
		{"GetFindings page", `{"Findings":[{"Id":"a"}],"NextToken":"x"}`, []string{"a"}},
		{"empty page", `{"findings":[]}`, []string{"ignored"}},
		{"SQS batch, one body broken", `{"Records":[{"messageId":"1","body":` + strconv.Quote(event) + `},{"body":"{"},{"body":""},{"body":` + strconv.Quote(hub) + `}]}`, []string{"f1", "error", "error", "a", "b"}},
		{"SQS around SNS around event", `{"Records":[{"body":` + strconv.Quote(`{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":`+strconv.Quote(event)+`}`) + `}]}`, []string{"f1"}},
		{"SNS to Lambda", `{"Records":[{"EventSource":"aws:sns","Sns":{"Type":"Notification","MessageId":"m","Message":` + strconv.Quote(event) + `}}]}`, []string{"f1"}},
		{"SNS confirmation", confirm, []string{"ignored"}},
		{"CloudWatch Logs", logs, []string{"f1", "error"}},
		{"CloudWatch Logs control message", `{"awslogs":{"data":"` + pack(`{"messageType":"CONTROL_MESSAGE","logEvents":[]}`) + `"}}`, []string{"ignored"}},
		{"bad base64", `{"awslogs":{"data":"%%%"}}`, []string{"data: base64"}},
		{"bad gzip", `{"awslogs":{"data":"` + base64.StdEncoding.EncodeToString([]byte("\x1f\x8bnope")) + `"}}`, []string{"data: gzip"}},
		{"Firehose", `{"records":[{"recordId":"1","data":"` + base64.StdEncoding.EncodeToString([]byte(event)) + `"}]}`, []string{"f1"}},
		{"S3 export kept as text", pack(bare + "\n" + bare), []string{"f1", "f1"}},
		{"S3 notice", `{"Records":[{"eventSource":"aws:s3","s3":{"object":{"key":"k"}}}]}`, []string{"ignored"}},
		{"forged source", forged, []string{`source: "custom.app"`}},
		{"source missing", `{"detail-type":"GuardDuty Finding","detail":{}}`, []string{"source: missing"}},
		{"detail-type missing", `{"source":"aws.guardduty","detail":{}}`, []string{"detail-type: missing"}},
		{"detail missing", `{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":null}`, []string{"detail: missing"}},
		{"insight results", `{"detail-type":"Security Hub Insight Results","source":"aws.securityhub","detail":{}}`, []string{"ignored"}},
		{"wrapped without end", strings.Repeat(`[`, 30) + bare + strings.Repeat(`]`, 30), []string{"body: more than"}},
		{"one bad event among good ones", "[" + event + "," + forged + "]", []string{"f1", "source:"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			if len(records) != len(tt.want) {
				t.Fatalf("got %d records, want %d: %+v", len(records), len(tt.want), records)
			}
			for i, r := range records {
				check(t, i, r, tt.want[i])
			}
		})
	}
}

func check(t *testing.T, i int, r ingest.Record, want string) {
	t.Helper()
	switch {
	case want == "ignored":
		if r.Ignored == "" {
			t.Errorf("record %d: want ignored, got %+v", i, r)
		}
	case r.Err != nil:
		if want != "error" && !strings.HasPrefix(r.Err.Error(), want) {
			t.Errorf("record %d: error %q, want %q", i, r.Err, want)
		}
		if fault.Of(r.Err) != fault.Invalid {
			t.Errorf("record %d: fault %v, want invalid", i, fault.Of(r.Err))
		}
	case r.Text("id") != want:
		t.Errorf("record %d: id %q, want %q", i, r.Text("id"), want)
	}
}

func TestContext(t *testing.T) {
	records, _ := Envelope{}.Open(ingest.Delivery{Body: []byte(event)})
	got := records[0].Context
	for name, want := range map[string]string{
		"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "account": "444455556666",
		"region": "eu-west-1", "time": "2026-03-03T00:12:01Z", "event-id": "e1",
	} {
		if got[name] != want {
			t.Errorf("context %s = %q, want %q", name, got[name], want)
		}
	}
}

// TestBombs: what little text may decompress to is bounded for the whole delivery, not only for each part.
func TestBombs(t *testing.T) {
	part := `{"data":"` + pack(`["`+strings.Repeat("a", ingest.MaxBody-100)+`"]`) + `"}`
	body := `{"records":[` + strings.TrimSuffix(strings.Repeat(part+",", 6), ",") + `]}`
	records, err := Envelope{}.Open(ingest.Delivery{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	if last := records[len(records)-1]; fault.Of(last.Err) != fault.TooLarge {
		t.Errorf("the sixth part of 20 MB: %v, want too large", last.Err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range []string{bare, event, hub, forged, confirm, `{"Records":[{"body":"{}"}]}`, `{"awslogs":{"data":"` + pack(`{"logEvents":[]}`) + `"}}`, pack(bare)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := Envelope{}.Open(ingest.Delivery{Body: body})
		if err != nil && !fault.Permanent(err) {
			t.Errorf("fault %v of %v: a body never gets better", fault.Of(err), err)
		}
		for _, r := range records {
			if r.Err != nil && !fault.Permanent(r.Err) {
				t.Errorf("fault %v of %v: a record never gets better", fault.Of(r.Err), r.Err)
			}
		}
	})
}

func pack(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
