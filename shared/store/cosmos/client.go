package cosmos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/shared/fault"
)

// client speaks to the service: it tries again what may be tried again, and gives every error its kind.
type client struct {
	opts Options

	mu      sync.Mutex
	current containers
}

// containers is a client's view of the two containers.
type containers struct{ state, blobs *azcosmos.ContainerClient }

// reconnect makes a client and uses it from now on.
func (d *client) reconnect() error {
	client, err := d.opts.Connect()
	if err != nil {
		return err
	}
	var to containers
	if to.state, err = client.NewContainer(d.opts.Database, d.opts.State); err != nil {
		return err
	}
	if to.blobs, err = client.NewContainer(d.opts.Database, d.opts.Blobs); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = to
	return nil
}

func (d *client) containers() containers {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

func stateContainer(c containers) *azcosmos.ContainerClient { return c.state }
func blobsContainer(c containers) *azcosmos.ContainerClient { return c.blobs }

// How often and how patiently a request is tried again. The service says how long to wait when it is busy, usually
// milliseconds; beyond maxWait the bus is the better place to wait in.
const (
	maxTries  = 6
	firstWait = 50 * time.Millisecond
	maxWait   = 5 * time.Second
)

func sleepContext(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retry calls op until it succeeds or fails for good. Whatever op does must be harmless when done twice.
func (d *client) retry(ctx context.Context, op func(containers) error) error {
	pause := firstWait
	for try := 1; ; try++ {
		err := op(d.containers())
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		status, after := failureStatus(err)
		if !isTransient(status) || try == maxTries || after > maxWait {
			return withKind(err, status)
		}
		if err := d.opts.Wait(ctx, max(after, pause)); err != nil {
			return err
		}
		if status == 0 || isAccountFailure(err) {
			if err := d.reconnect(); err != nil {
				return withKind(err, 0)
			}
		}
		pause *= 2
	}
}

// isAccountFailure says that not the request failed but the one for the account's properties, which a client sends before its
// first. A client of azcosmos v1.5.0 goes on failing with that answer, or that lack of one, for five minutes
// (cosmos_global_endpoint_manager.go, Update); a new one begins anew.
func isAccountFailure(err error) bool {
	var response *azcore.ResponseError
	return errors.As(err, &response) && response.RawResponse != nil && response.RawResponse.Request != nil &&
		strings.Trim(response.RawResponse.Request.URL.Path, "/") == ""
}

// batchError is the refusal of a batch: the status of the operation that failed it.
type batchError struct {
	operation int
	status    int
}

func (e *batchError) Error() string {
	return fmt.Sprintf("batch refused: operation %d: %d %s", e.operation, e.status, http.StatusText(e.status))
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
	case 0, http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests, 449:
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
			return fault.Errorf(fault.Exhausted, "the tenant's partition is full: %w", shortError(err))
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
	if a.ErrorCode != "" && a.ErrorCode != strconv.Itoa(a.StatusCode) {
		text += " " + a.ErrorCode
	}
	return text
}

func (a *responseError) Unwrap() error { return a.ResponseError }

// storedItem is a document as it was read.
type storedItem struct {
	body []byte
	etag azcore.ETag
}

// readItem reads one item; fault.NotFound when there is none.
func (d *client) readItem(ctx context.Context, in func(containers) *azcosmos.ContainerClient, pk azcosmos.PartitionKey, id string, at *session) (storedItem, error) {
	var out storedItem
	err := d.retry(ctx, func(c containers) error {
		resp, err := in(c).ReadItem(ctx, pk, id, &azcosmos.ItemOptions{SessionToken: at.token()})
		at.resetIfUnknown(err)
		if err == nil {
			at.advanceTo(resp.SessionToken)
			out = storedItem{resp.Value, resp.ETag}
		}
		return err
	})
	return out, err
}

// runBatch carries out ops as one transaction and gives their new ETags. It does not try again when nobody can know whether
// it was carried out: that is uncertain, an error of no kind.
func (d *client) runBatch(ctx context.Context, b azcosmos.TransactionalBatch, at *session) ([]azcore.ETag, error) {
	var etags []azcore.ETag
	var lost error
	err := d.retry(ctx, func(c containers) error {
		// Without content there are no ETags in the answer either, and the manifest would have to be read for its own.
		resp, err := c.state.ExecuteTransactionalBatch(ctx, b, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
		if err == nil && !resp.Success {
			err = batchRefusal(resp)
		} else if err == nil && len(resp.OperationResults) == 0 {
			err = errNoResults
		}
		if status, _ := failureStatus(err); err != nil && isTransient(status) && status != http.StatusTooManyRequests && status != 449 {
			lost = err
			return nil
		}
		if err == nil {
			at.advanceTo(&resp.SessionToken)
			for _, r := range resp.OperationResults {
				etags = append(etags, r.ETag)
			}
		}
		return err
	})
	if lost != nil {
		return nil, &ambiguousError{lost}
	}
	return etags, err
}

// ifMatch is the condition that an item is still the one with that ETag.
func ifMatch(e azcore.ETag) *azcosmos.TransactionalBatchItemOptions {
	return &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &e}
}

var errNoResults = errors.New("the answer tells nothing of the batch's operations")

// ambiguousError is a write whose answer was lost.
type ambiguousError struct{ error }

func (u *ambiguousError) Unwrap() error { return u.error }

func batchRefusal(resp azcosmos.TransactionalBatchResponse) error {
	for i, r := range resp.OperationResults {
		if r.StatusCode >= 400 && r.StatusCode != http.StatusFailedDependency {
			return &batchError{i, int(r.StatusCode)}
		}
	}
	return &batchError{-1, http.StatusMultiStatus}
}

// sqlQuery is a query with its parameters.
type sqlQuery struct {
	text   string
	params []azcosmos.QueryParameter
	page   int // items a page
}

// bindParam adds a parameter and gives its name.
func (q *sqlQuery) bindParam(v any) string {
	name := "@p" + strconv.Itoa(len(q.params))
	q.params = append(q.params, azcosmos.QueryParameter{Name: name, Value: v})
	return name
}

// runQuery hands the answers of a query to do, until it wants no more.
func (d *client) runQuery(ctx context.Context, pk azcosmos.PartitionKey, q sqlQuery, at *session, do func(item []byte) (more bool, err error)) error {
	token := ""
	for {
		var resp azcosmos.QueryItemsResponse
		err := d.retry(ctx, func(c containers) error {
			o := azcosmos.QueryOptions{QueryParameters: q.params, PageSizeHint: int32(q.page), SessionToken: at.token()}
			if token != "" {
				o.ContinuationToken = &token
			}
			var err error
			resp, err = c.state.NewQueryItemsPager(q.text, pk, &o).NextPage(ctx)
			at.resetIfUnknown(err)
			return err
		})
		if err != nil {
			return err
		}
		for _, it := range resp.Items {
			more, err := do(it)
			if err != nil || !more {
				return err
			}
		}
		if resp.ContinuationToken == nil || *resp.ContinuationToken == "" {
			return nil
		}
		token = strings.Clone(*resp.ContinuationToken)
	}
}
