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

// defaultClient talks to token services. It follows no redirect: an assertion or key is for the address it was meant for.
var defaultClient = &http.Client{Timeout: 10 * time.Second, CheckRedirect: refuseRedirect}

// noProxyClient also passes no proxy: for the addresses inside a machine.
var noProxyClient = &http.Client{
	Timeout: 10 * time.Second, CheckRedirect: refuseRedirect, Transport: &http.Transport{ResponseHeaderTimeout: 10 * time.Second},
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// maxAnswer bounds what is read of an answer, in bytes; tokens have a few thousand.
const maxAnswer = 256 << 10

// answer is what a token service said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// faultKind is what to do about a refusal: what a second try may cure is fault.Unavailable.
func (a answer) faultKind() fault.Kind {
	if a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout || a.status >= 500 {
		return fault.Unavailable
	}
	return fault.Denied
}

func newFormRequest(ctx context.Context, address, form string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		return nil, fault.Errorf(fault.Denied, "token address: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// sendRequest asks a token service by its name in errors. Not reaching it is fault.Unavailable.
func sendRequest(c *http.Client, req *http.Request, name string) (answer, error) {
	if c == nil {
		c = defaultClient
	}
	resp, err := c.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is known, and long
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

// isSafeCode reports whether a service's word can be shown: an error code, and nothing that could be a token.
func isSafeCode(word string) bool {
	if word == "" || len(word) > 60 {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}
