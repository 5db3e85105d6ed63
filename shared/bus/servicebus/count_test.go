package servicebus_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/fault"
	credential "github.com/onepane/onepane/shared/identity"
)

// anyToken gives a token for whatever is asked.
type anyToken struct{}

func (anyToken) Token(_ context.Context, r credential.Request) (credential.Token, error) {
	return credential.Token{Value: "for " + r.Scope, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// What Resource Manager does not tell is passing trouble, and its answer is in no error: it names more than the queue.
func TestCountThatIsNotTold(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{"no role": {403, `{"error":{"code":"AuthorizationFailed","message":"The client 'x' …"}}`}, "a page": {200, "<html>"}, "no properties": {200, `{"name":"alerts"}`}} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			_, _ = w.Write([]byte(answer.body))
		}))
		c := servicebus.QueueCounter{
			Namespace: "/subscriptions/s", Manager: s.URL, Queue: "alerts", Quarantine: "quarantine",
			Credential: &credential.Credential{Now: time.Now, Source: anyToken{}}, HTTP: s.Client(),
		}
		if _, _, err := c.Count(t.Context()); fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "client") {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}
