package export

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// Encoder writes a row; see Target.Encode.
type Encoder func(Row) ([]byte, error)

// EncodeJSON is the encoder of Row.JSON.
func EncodeJSON(r Row) ([]byte, error) { return r.JSON() }

const (
	requestTimeout = 60 * time.Second
	maxAnswer      = 64 << 10
)

// NewHTTPClient is an HTTP client for targets. It follows no redirect: that would carry credentials and signed bodies
// elsewhere.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// PostRequest sends body and gives the answer's body and what its status means. Of errors with an answer, a 413 is
// fault.TooLarge, 400 and 422 are fault.Invalid, 401 and 403 are fault.Denied, and the others fault.Unavailable, with
// Retry-After as Later. Addresses are in no error: they may hold a secret.
func PostRequest(ctx context.Context, c *http.Client, url string, header http.Header, body []byte, now func() time.Time) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Denied, "the receiver's address is none")
	}
	req.Header = header
	res, err := c.Do(req)
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "%w", withoutAddress(err))
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "read answer: %w", err)
	}
	return answer, AnswerError(res.StatusCode, res.Header, answer, now())
}

// AnswerError is the error that a receiver's answer stands for.
func AnswerError(code int, header http.Header, answer []byte, now time.Time) error {
	if code >= 200 && code < 300 {
		return nil
	}
	kind := fault.Unavailable
	switch code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		kind = fault.Invalid
	case http.StatusRequestEntityTooLarge:
		kind = fault.TooLarge
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = fault.Denied
	}
	err := fault.Errorf(kind, "the receiver answers %d: %s", code, truncateReason(strings.TrimSpace(string(answer))))
	if after := retryAfter(header.Get("Retry-After"), now); after > 0 {
		err = Later(after, err)
	}
	return err
}

// maxRetryAfter is how long a receiver can ask to be left alone.
const maxRetryAfter = time.Hour

// retryAfter reads a Retry-After header of seconds or a date (RFC 9110, 10.2.3); 0 when it holds neither.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return min(time.Duration(min(n, 1<<20))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), maxRetryAfter)
	}
	return 0
}

// withoutAddress unwraps a client's error, whose outer layer quotes the address.
func withoutAddress(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok && u.Unwrap() != nil {
		return u.Unwrap()
	}
	return fmt.Errorf("no answer")
}
