package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestMetricsOfEachStage delivers one of each fate and finds it counted.
func TestMetricsOfEachStage(t *testing.T) {
	s := start(t, t.TempDir())
	defer s.kill()
	good := `{"id":"detection-0001","time":"2026-03-03T00:00:00Z","source":"edr","title":"Dump of LSASS memory","entities":[{"kind":"host","value":"h1.example"}]}`
	copied := strings.Replace(good, `"detection-0001"`, `"row-7","provider_id":"detection-0001"`, 1)
	s.deliver("webhook", []byte(good))
	s.deliver("webhook", []byte(good))
	s.deliver("webhook", []byte(strings.Replace(copied, `"source":"edr"`, `"source":"siem"`, 1)))
	if status, _, err := post(s.base, "webhook", []byte(`{"id":"x","title":"no time"}`), false); err != nil || status != http.StatusBadRequest {
		t.Fatalf("a bad alert: %d %v", status, err)
	}
	if status, _, err := post(s.base, "aws", []byte(`{"Type":"SubscriptionConfirmation","MessageId":"m1","TopicArn":"arn:aws:sns:eu-west-1:111122223333:t","SubscribeURL":"https://example.com"}`), false); err != nil || status != http.StatusAccepted {
		t.Fatalf("a confirmation: %d %v", status, err)
	}
	body, err := fetch(s.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`onepane_ingest_records_total{outcome="accepted",provider="custom",route="webhook"} 3`,
		`onepane_ingest_records_total{outcome="ignored",provider="",route="aws"} 1`,
		`onepane_ingest_rejected_total{kind="invalid",route="webhook"} 1`,
		`onepane_correlated_total{outcome="new"} 1`,
		`onepane_correlated_total{outcome="folded"} 1`,
		`onepane_incidents_opened_total 1`,
		`onepane_pending 0`,
		`onepane_quarantined 1`,
		`onepane_delivery_to_commit_seconds_count 2`,
		`onepane_http_request_seconds_count{code="400",method="POST",route="POST /api/ingest/{route}"} 1`,
	} {
		if !strings.Contains(string(body), line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if t.Failed() {
		for l := range strings.Lines(string(body)) {
			if strings.HasPrefix(l, "onepane_") && !strings.Contains(l, "_bucket") {
				t.Log(strings.TrimSpace(l))
			}
		}
	}
}

// TestTracesFromDeliveryToStore finds the spans of ingest and correlate, of one trace, at an OTLP collector.
func TestTracesFromDeliveryToStore(t *testing.T) {
	var mu sync.Mutex
	var received []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // what is cut off is not found below
		mu.Lock()
		defer mu.Unlock()
		received = append(received, b...)
	}))
	defer collector.Close()
	s := start(t, t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL+"/v1/traces", "OTEL_EXPORTER_OTLP_COMPRESSION=none")
	req, err := http.NewRequest(http.MethodPost, s.base+"/api/ingest/webhook", strings.NewReader(`{"id":"a-1","time":"2026-03-03T00:00:00Z","title":"t"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	req.Header.Set("Prefer", "wait=10")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s.stop() // sends what is left
	mu.Lock()
	defer mu.Unlock()
	id := []byte{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36}
	for _, span := range []string{"ingest webhook", "correlate"} {
		if !bytes.Contains(received, []byte(span)) {
			t.Errorf("the collector got no span %q in %d bytes", span, len(received))
		}
	}
	if n := bytes.Count(received, id); n < 2 {
		t.Errorf("%d spans are of the sender's trace, want both", n)
	}
}
