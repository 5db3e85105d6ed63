package identity

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// defaultClient calls token services. It follows no redirect: an assertion or key is for its address alone.
var defaultClient = &http.Client{Timeout: 10 * time.Second, CheckRedirect: refuseRedirect}

// noProxyClient calls addresses inside the machine: it uses no proxy either.
var noProxyClient = &http.Client{
	Timeout: 10 * time.Second, CheckRedirect: refuseRedirect, Transport: &http.Transport{ResponseHeaderTimeout: 10 * time.Second},
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// maxAnswer is how much of an answer is read, in bytes; tokens have a few thousand.
const maxAnswer = 256 << 10

// answer is the response of a token service.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// faultKind returns the kind of a refusal: fault.Unavailable when another try may succeed, else fault.Denied.
func (a answer) faultKind() fault.Kind {
	if a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout || a.status >= 500 {
		return fault.Unavailable
	}
	return fault.Denied
}

// newFormRequest returns a POST of a form.
func newFormRequest(ctx context.Context, address, form string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		return nil, fault.Errorf(fault.Denied, "token address: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// sendRequest sends a request to a token service; nil is defaultClient. Errors call the service by name, and are
// fault.Unavailable.
func sendRequest(c *http.Client, req *http.Request, name string) (answer, error) {
	if c == nil {
		c = defaultClient
	}
	resp, err := c.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which is long
		}
		return answer{}, fault.Errorf(fault.Unavailable, "ask %s at %s: %w", name, req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, fault.Errorf(fault.Unavailable, "read the answer of %s: %w", name, err)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// isSafeCode reports whether a service's text may be shown: it is an error code, and cannot be a token.
func isSafeCode(word string) bool {
	if word == "" || len(word) > 60 {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}
