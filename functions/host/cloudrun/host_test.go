package cloudrun

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/host/hosttest"
	"github.com/onepane/onepane/functions/ingest"
)

// Only Google's signature, for this service, of the push account, in time.
func TestOnlyThePushAccountIsTaken(t *testing.T) {
	google, other := hosttest.NewGoogle(t), hosttest.NewGoogle(t)
	taken := 0
	s := &Service{Log: slog.New(slog.DiscardHandler), Now: time.Now, Ingest: handler(func(ingest.Delivery) error { taken++; return nil }),
		Verify: Sender{Audience: hosttest.PushAudience, Email: hosttest.PushEmail, Keys: google.URL, Now: time.Now}.Verifier()}
	for _, tt := range []struct {
		name, authorization string
		want                int
	}{
		{"the subscription", "Bearer " + google.Token(nil), 204},
		{"scheme in another case", "bearer " + google.Token(nil), 204},
		{"nobody", "", 401},
		{"another scheme", "Basic " + google.Token(nil), 401},
		{"no token at all", "Bearer words", 401},
		{"signed by another key", "Bearer " + other.Token(nil), 401},
		{"for another service", "Bearer " + google.Token(map[string]any{"aud": "https://other.run.app"}), 401},
		{"of another account", "Bearer " + google.Token(map[string]any{"email": "someone@example-project.iam.gserviceaccount.com"}), 401},
		{"of an account that is not verified", "Bearer " + google.Token(map[string]any{"email_verified": false}), 401},
		{"by another issuer", "Bearer " + google.Token(map[string]any{"iss": "https://accounts.example"}), 401},
		{"expired", "Bearer " + google.Token(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			taken = 0
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`))
			r.Header.Set("Authorization", tt.authorization)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != tt.want || (taken == 1) != (tt.want == 204) {
				t.Errorf("%d, taken %d times; want %d", w.Code, taken, tt.want)
			}
		})
	}
}

// What would take more than the platform passes on is neither taken nor acknowledged: the dead-letter topic keeps it.
func TestAPushBeyondTheLimitIsNotAcknowledged(t *testing.T) {
	s := &Service{Log: slog.New(slog.DiscardHandler), Now: time.Now, Ingest: handler(func(ingest.Delivery) error { t.Error("taken"); return nil }),
		Verify: func(context.Context, string) error { return nil }}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat(" ", maxPush+1)))
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	if s.Handler().ServeHTTP(w, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
}

type handler func(ingest.Delivery) error

func (h handler) Handle(_ context.Context, d ingest.Delivery) (ingest.Receipt, error) {
	return ingest.Receipt{}, h(d)
}
