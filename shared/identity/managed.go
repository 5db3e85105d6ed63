package identity

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// Managed is a Source: the managed identity of an Azure function app, by the endpoint of App Service.
type Managed struct {
	Endpoint string       // IDENTITY_ENDPOINT
	Header   string       // IDENTITY_HEADER, which keeps other processes' requests out
	Client   string       // client id of a user-assigned identity; empty for the app's own
	HTTP     *http.Client // nil for the package's own, which passes no proxy
	Now      func() time.Time
}

// Token implements Source (App Service, "How to use managed identities", REST endpoint, 2019-08-01).
func (m Managed) Token(ctx context.Context, r Request) (Token, error) {
	if m.Endpoint == "" || m.Header == "" {
		return Token{}, fault.Errorf(fault.Denied, "no managed identity: IDENTITY_ENDPOINT and IDENTITY_HEADER are empty")
	}
	c := m.HTTP
	if c == nil {
		c = noProxyClient
	}
	q := url.Values{"api-version": {"2019-08-01"}, "resource": {strings.TrimSuffix(r.Scope, "/.default")}}
	if m.Client != "" {
		q.Set("client_id", m.Client)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Endpoint+"?"+q.Encode(), nil)
	if err != nil {
		return Token{}, fault.Errorf(fault.Denied, "IDENTITY_ENDPOINT: %w", err)
	}
	req.Header.Set("X-IDENTITY-HEADER", m.Header)
	askedAt := m.Now()
	a, err := sendRequest(c, req, "the identity endpoint")
	if err != nil {
		return Token{}, err
	}
	if a.status != http.StatusOK {
		words := "the identity endpoint answered " + strconv.Itoa(a.status)
		if a.status == http.StatusBadRequest {
			words += " (is the identity assigned to this app?)"
		}
		return Token{}, fault.Errorf(a.faultKind(), "%s", words)
	}
	return readToken(a.body, askedAt, "the identity endpoint")
}
