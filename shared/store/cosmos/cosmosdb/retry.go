package cosmosdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/onepane/onepane/shared/fault"
)

// How often a request is tried, and how long before the second try; each further one waits twice as long. The
// service says how long to wait when it is busy, usually milliseconds; beyond maxWait the bus is the better place
// to wait in.
const (
	MaxTries  = 6
	firstWait = 50 * time.Millisecond
	maxWait   = 5 * time.Second
)

// retry calls op until it succeeds or fails for good. Whatever op does must be harmless when done twice.
func (c *Client) retry(ctx context.Context, op func(containers) error) error {
	pause := firstWait
	for try := 1; ; try++ {
		err := op(c.containers())
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		status, after := failureStatus(err)
		if !isTransient(status) || try == MaxTries || after > maxWait {
			return withKind(err, status)
		}
		if err := c.opts.Wait(ctx, max(after, pause)); err != nil {
			return err
		}
		if status == 0 || isAccountFailure(err) {
			if err := c.reconnect(); err != nil {
				return withKind(err, 0)
			}
		}
		pause *= 2
	}
}

// WaitAfter waits before what the caller itself repeats, twice as long after each try.
func (c *Client) WaitAfter(ctx context.Context, try int) error {
	return c.opts.Wait(ctx, firstWait<<try)
}

// statusRetryWith asks to carry out the same request again.
const statusRetryWith = 449

// isAccountFailure says that not the request failed but the one for the account's properties, which a client sends
// before its first. A client of azcosmos v1.5.0 goes on failing with that answer, or that lack of one, for five
// minutes (cosmos_global_endpoint_manager.go, Update); a new one begins anew.
func isAccountFailure(err error) bool {
	var response *azcore.ResponseError
	return errors.As(err, &response) && response.RawResponse != nil && response.RawResponse.Request != nil &&
		strings.Trim(response.RawResponse.Request.URL.Path, "/") == ""
}

// failureStatus is the status an error came with, 0 when no answer came at all, and how long the service asks to wait.
func failureStatus(err error) (status int, after time.Duration) {
	var refused *batchError
	if errors.As(err, &refused) {
		return refused.status, 0
	}
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		return 0, 0
	}
	if response.RawResponse != nil {
		ms, err := strconv.ParseFloat(response.RawResponse.Header.Get("x-ms-retry-after-ms"), 64)
		if err == nil && ms > 0 {
			after = time.Duration(ms * float64(time.Millisecond))
		}
	}
	if isSessionUnavailable(response) {
		return http.StatusGone, after // no item is missing
	}
	return response.StatusCode, after
}

// isTransient says which statuses are worth another try: no answer, busy, moving, retry with.
func isTransient(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests, statusRetryWith:
		return true
	}
	return status >= 500
}

// withKind gives an error its kind. What is refused for other reasons, a missing role or container, is the deployment's
// fault and never the alerts': Unavailable as well.
func withKind(err error, status int) error {
	switch status {
	case http.StatusNotFound:
		return fault.Errorf(fault.NotFound, "%w", shortError(err))
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fault.Errorf(fault.Conflict, "%w", shortError(err))
	case http.StatusRequestEntityTooLarge:
		return fault.Errorf(fault.TooLarge, "%w", shortError(err))
	case http.StatusTooManyRequests:
		return fault.Errorf(fault.Exhausted, "%w", shortError(err))
	case http.StatusForbidden:
		const partitionFull = "1014"
		var response *azcore.ResponseError
		if errors.As(err, &response) && response.RawResponse != nil && response.RawResponse.Header.Get("x-ms-substatus") == partitionFull {
			return fault.Errorf(fault.Exhausted, "the partition is full: %w", shortError(err))
		}
	}
	return fault.Errorf(fault.Unavailable, "%w", shortError(err))
}

// shortError keeps the SDK's page of text, with the whole answer in it, out of logs; the error itself stays reachable.
func shortError(err error) error {
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return &responseError{response}
	}
	return err
}

type responseError struct{ *azcore.ResponseError }

func (a *responseError) Error() string {
	text := fmt.Sprintf("the service answers %d", a.StatusCode)
	if a.ErrorCode != "" && !strings.HasPrefix(a.ErrorCode, strconv.Itoa(a.StatusCode)) {
		text += " " + a.ErrorCode
	}
	return text
}

func (a *responseError) Unwrap() error { return a.ResponseError }
