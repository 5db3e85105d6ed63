package send

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/backoff"
)

const (
	// tryTimeout bounds one try: a connection that a frozen function kept may be dead without a word.
	tryTimeout = 15 * time.Second
	// maxWait is the longest pause. A request that is to wait longer fails, and the delivery comes again from its
	// sender.
	maxWait = 10 * time.Second
	// maxDetail is how much is read of a refusal, in bytes.
	maxDetail = 4 << 10
	// noRetry stands for a pause when another try would not help.
	noRetry = time.Duration(-1)
)

// defaultClient follows no redirect: a token is for its address alone.
var defaultClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// answer is the response of a service.
type answer struct {
	status int
	header http.Header
	code   string // the service's error code, safe to show; empty when it gave none
}

// String is the status and the code.
func (a answer) String() string {
	if a.code == "" {
		return strconv.Itoa(a.status)
	}
	return strconv.Itoa(a.status) + ", " + a.code
}

// retryAfter returns how long the service asks to wait before the next try: the header Retry-After, in seconds, 0
// without it, noRetry when another try would not help.
func (a answer) retryAfter() time.Duration {
	if a.status != http.StatusRequestTimeout && a.status != http.StatusTooManyRequests && a.status < 500 {
		return noRetry
	}
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return 0
}

// sendRequest sends one request and returns its answer. The error names no address: the caller knows it, and it is
// long.
func sendRequest(ctx context.Context, c *http.Client, method, address string, h http.Header, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header = h
	resp, err := c.Do(req)
	var u *url.Error
	if errors.As(err, &u) {
		return answer{}, u.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	detail, err := io.ReadAll(io.LimitReader(resp.Body, maxDetail)) // to the end, so that the connection is used again
	if err != nil && resp.StatusCode < 300 {
		detail = nil // it was taken; what it says is not needed
	}
	a := answer{status: resp.StatusCode, header: resp.Header, code: resp.Header.Get("X-Ms-Error-Code")}
	if a.code == "" {
		a.code = subCode(string(detail))
	}
	return a, nil
}

// subCode returns the number by which Service Bus tells refusals apart. The words around it may quote the request.
func subCode(detail string) string {
	_, rest, ok := strings.Cut(detail, "SubCode=")
	if !ok {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	return "SubCode=" + rest[:min(end, 10)]
}

// retryRequest calls f until it succeeds, returns noRetry or a wait beyond maxWait, was called tries times, or ctx
// ends. pause is the wait before the second call, doubling with each.
func retryRequest(ctx context.Context, tries int, pause time.Duration, f func() (time.Duration, error)) error {
	for try := 1; ; try++ {
		wait, err := f()
		if err == nil || wait == noRetry || wait > maxWait || try == tries || ctx.Err() != nil {
			return err
		}
		if backoff.Wait(ctx, min(max(wait, pause), maxWait)) != nil {
			return err
		}
		pause *= 2
	}
}
