package send

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// bearer is a credential with one token.
type bearer string

func (b bearer) Token(context.Context, identity.Request) (identity.Token, error) {
	return identity.Token{Value: string(b)}, nil
}

var one = cloudevent.Event{ID: "1", Source: "/test", Type: "test", Tenant: "contoso"}

func TestWhatAnswersMean(t *testing.T) {
	for _, tt := range []struct {
		status     int
		retryAfter string
		kind       fault.Kind
		tries      int32
	}{
		{201, "", fault.Again, 1},
		{200, "", fault.Unavailable, 1}, // a proxy's page, say: only 201 is durable
		{302, "", fault.Unavailable, 1},
		{400, "", fault.Unavailable, 1},
		{401, "", fault.Unavailable, 1},
		{403, "", fault.Exhausted, 1},
		{404, "", fault.Unavailable, 1},
		{408, "", fault.Unavailable, 3},
		{410, "", fault.Unavailable, 1},
		{413, "", fault.TooLarge, 1},
		{429, "", fault.Exhausted, 3},
		{429, "3600", fault.Exhausted, 1}, // longer than is worth waiting here
		{500, "", fault.Unavailable, 3},
		{503, "", fault.Unavailable, 3},
	} {
		var requests atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.Header().Set("Location", "http://elsewhere.invalid/")
			if tt.retryAfter != "" {
				w.Header().Set("Retry-After", tt.retryAfter)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, "<Error><Detail>"+r.Header.Get("Authorization")+". SubCode=40300. TrackingId</Detail></Error>")
		}))
		s, err := Open(Options{Endpoint: srv.URL, Credential: bearer("a-secret-token"), Tries: 3, Pause: time.Microsecond})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Publish(t.Context(), one)
		if (err == nil) != (tt.status == 201) || fault.Of(err) != tt.kind || requests.Load() != tt.tries {
			t.Errorf("%d: %v after %d tries", tt.status, err, requests.Load())
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "SubCode=40300)")) {
			t.Errorf("%d: the error says %q", tt.status, err)
		}
		srv.Close()
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		status int
		value  string
		want   time.Duration
	}{
		{429, "2", 2 * time.Second}, {503, "1", time.Second}, {503, "", 0}, {503, "-1", 0}, {503, "Wed, 21 Oct 2015 07:28:00 GMT", 0}, {400, "2", noRetry},
	} {
		if got := (answer{status: tt.status, header: http.Header{"Retry-After": {tt.value}}}).retryAfter(); got != tt.want {
			t.Errorf("%d with %q: %v, want %v", tt.status, tt.value, got, tt.want)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	s, err := Open(Options{Endpoint: srv.URL, Credential: bearer("t"), Pause: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), one); fault.Of(err) != fault.Unavailable {
		t.Errorf("nothing listens: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Publish(gone, one); err == nil {
		t.Error("published with a context that has ended")
	}
	if _, err := Open(Options{}); fault.Of(err) != fault.Invalid {
		t.Errorf("without a namespace: %v", err)
	}
}

// refusing is a credential whose trust is not set up.
type refusing struct{ requests atomic.Int32 }

func (r *refusing) Token(context.Context, identity.Request) (identity.Token, error) {
	r.requests.Add(1)
	return identity.Token{}, fault.Errorf(fault.Denied, "no trust")
}

func TestNoTokenNoTry(t *testing.T) {
	r := &refusing{}
	s, err := Open(Options{Namespace: "contoso.servicebus.windows.net", Credential: r})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), one); fault.Of(err) != fault.Denied || r.requests.Load() != 1 {
		t.Errorf("%v after %d tries", err, r.requests.Load())
	}
}

// The header is ASCII, and JSON that reads as what it was.
func FuzzBrokerProperties(f *testing.F) {
	f.Add("id", "contoso")
	f.Add("\x00\x7f\"\\", "Zürich 😀\u2028")
	f.Fuzz(func(t *testing.T, id, session string) {
		if !utf8.ValidString(id) || !utf8.ValidString(session) {
			return
		}
		text := brokerProperties(pack.Message{ID: id, Session: session})
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is not fit for a header", text)
		}
		var got struct{ MessageId, SessionId string }
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.MessageId != id || got.SessionId != session {
			t.Errorf("%s reads as %+v, %v", text, got, err)
		}
	})
}
