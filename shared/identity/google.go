package identity

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/fault"
)

// Google is an Asserter: it asserts the service account of a Cloud Run service, by the metadata server.
type Google struct {
	Host string       // "metadata.google.internal" when empty; GCE_METADATA_HOST elsewhere
	HTTP *http.Client // nil for the package's own, which passes no proxy
}

// Assertion implements Asserter (Cloud Run, "Fetch identity and access tokens using the metadata server").
func (g Google) Assertion(ctx context.Context, audience string) (string, error) {
	host, c := g.Host, g.HTTP
	if host == "" {
		host = "metadata.google.internal"
	}
	if c == nil {
		c = noProxyClient
	}
	address := "http://" + host + "/computeMetadata/v1/instance/service-accounts/default/identity?" +
		url.Values{"audience": {audience}, "format": {"full"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fault.Errorf(fault.Denied, "metadata address: %w", err)
	}
	req.Header.Set("Metadata-Flavor", "Google")
	a, err := sendRequest(c, req, "the metadata server")
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(a.body))
	switch {
	case a.status != http.StatusOK:
		return "", fault.Errorf(a.faultKind(), "the metadata server answered %s", statusWithHint(a))
	case a.header.Get("Metadata-Flavor") != "Google":
		return "", fault.Errorf(fault.Denied, "what answers at %s is no metadata server", host)
	case strings.Count(token, ".") != 2:
		return "", fault.Errorf(fault.Unavailable, "the metadata server answered 200 without a token")
	}
	return token, nil
}

// statusWithHint returns the status, with the reason when the service has no account.
func statusWithHint(a answer) string {
	s := strconv.Itoa(a.status)
	if a.status == http.StatusNotFound {
		s += " (the service runs without a service account)"
	}
	return s
}
