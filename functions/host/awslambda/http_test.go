package awslambda

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// A request and its response survive Lambda's JSON as they are.
func TestARequestComesAndGoesWhole(t *testing.T) {
	const payload = `{"version":"2.0","rawPath":"/api/ingest/webhook","rawQueryString":"a=1&b=%2F","cookies":["x=1","y=2"],
		"headers":{"content-type":"text/plain","x-list":"1,2"},"body":"AP8=","isBase64Encoded":true,
		"requestContext":{"domainName":"id.lambda-url.eu-west-1.on.aws","http":{"method":"PUT","path":"/","sourceIp":"192.0.2.7"}}}`
	h := &Host{Log: slog.New(slog.DiscardHandler), HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := []string{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.Header.Get("Cookie"), r.Header.Get("X-List"), r.RemoteAddr, string(body)}
		want := []string{"PUT", "id.lambda-url.eu-west-1.on.aws", "/api/ingest/webhook", "a=1&b=%2F", "x=1; y=2", "1,2", "192.0.2.7", "\x00\xff"}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %q, want %q", got[i], want[i])
			}
		}
		w.Header().Add("Set-Cookie", "s=1")
		w.Header().Add("Set-Cookie", "t=2")
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte{0xff, 0x00})
	})}
	out, err := h.Invoke(context.Background(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	var r urlReply
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if r.Status != 201 || r.Body != "/wA=" || !r.Base64 || len(r.Cookies) != 2 || r.Headers["X-Answer"] != "yes" {
		t.Errorf("reply %+v", r)
	}
}

func TestRequestsWithoutAHandlerAreRefused(t *testing.T) {
	h := &Host{Log: slog.New(slog.DiscardHandler)}
	for payload, want := range map[string]int{
		`{"requestContext":{"http":{"method":"POST"}}}`: 404,
	} {
		out, err := h.Invoke(context.Background(), []byte(payload))
		var r urlReply
		if err != nil || json.Unmarshal(out, &r) != nil || r.Status != want {
			t.Errorf("%s: %s, %v", payload, out, err)
		}
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add([]byte(`{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":"{}"}]}`))
	f.Add([]byte(`{"requestContext":{"http":{"method":"POST","sourceIp":""}},"rawPath":"//x","body":"%"}`))
	h := &Host{Log: slog.New(slog.DiscardHandler), Ingest: taker{}, Now: fixedTime, HTTP: http.NotFoundHandler()}
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := h.Invoke(context.Background(), payload)
		if err != nil || !jsontext.Value(out).IsValid() {
			t.Errorf("%q, %v", out, err)
		}
	})
}

type taker struct{}

func (taker) Handle(context.Context, ingest.Delivery) (ingest.Receipt, error) {
	return ingest.Receipt{}, nil
}

func fixedTime() time.Time { return time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC) }
