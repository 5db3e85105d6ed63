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

// db speaks to the service: it tries again what may be tried again, and gives every error its kind.
type db struct {
	opts Options

	mu sync.Mutex
	to connection
}

// connection is a client's view of the two containers.
type connection struct{ state, blobs *azcosmos.ContainerClient }

// connect makes a client and uses it from now on.
func (d *db) connect() error {
	client, err := d.opts.Connect()
	if err != nil {
		return err
	}
	var to connection
	if to.state, err = client.NewContainer(d.opts.Database, d.opts.State); err != nil {
		return err
	}
	if to.blobs, err = client.NewContainer(d.opts.Database, d.opts.Blobs); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
	return nil
}

func (d *db) connection() connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.to
}

func state(c connection) *azcosmos.ContainerClient { return c.state }
func blobs(c connection) *azcosmos.ContainerClient { return c.blobs }

// How often and how patiently a request is tried again. The service says how long to wait when it is busy, usually
// milliseconds; beyond maxWait the bus is the better place to wait in.
const (
	maxTries  = 6
	firstWait = 50 * time.Millisecond
	maxWait   = 5 * time.Second
)

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again calls op until it succeeds or fails for good. Whatever op does must be harmless when done twice.
func (d *db) again(ctx context.Context, op func(connection) error) error {
	pause := firstWait
	for try := 1; ; try++ {
		err := op(d.connection())
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		status, after := failure(err)
		if !passing(status) || try == maxTries || after > maxWait {
			return classify(err, status)
		}
		if err := d.opts.Wait(ctx, max(after, pause)); err != nil {
			return err
		}
		if status == 0 || aboutAccount(err) {
			if err := d.connect(); err != nil {
				return classify(err, 0)
			}
		}
		pause *= 2
	}
}

// aboutAccount says that not the request failed but the one for the account's properties, which a client sends before its
// first. A client of azcosmos v1.5.0 goes on failing with that answer, or that lack of one, for five minutes
// (cosmos_global_endpoint_manager.go, Update); a new one begins anew.
func aboutAccount(err error) bool {
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

// failure is the status an error came with, 0 when no answer came at all, and how long the service asks to wait.
func failure(err error) (status int, after time.Duration) {
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
	if aheadOfAll(response) {
		return http.StatusGone, after // no item is missing
	}
	return response.StatusCode, after
}

// passing says which statuses are worth another try: no answer, busy, moving, retry with.
func passing(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests, 449:
		return true
	}
	return status >= 500
}

// classify gives an error its kind. What is refused for other reasons, a missing role or container, is the deployment's
// fault and never the alerts': Unavailable as well.
func classify(err error, status int) error {
	switch status {
	case http.StatusNotFound:
		return fault.Errorf(fault.NotFound, "%w", short(err))
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fault.Errorf(fault.Conflict, "%w", short(err))
	case http.StatusRequestEntityTooLarge:
		return fault.Errorf(fault.TooLarge, "%w", short(err))
	case http.StatusTooManyRequests:
		return fault.Errorf(fault.Exhausted, "%w", short(err))
	case http.StatusForbidden:
		const partitionFull = "1014"
		var response *azcore.ResponseError
		if errors.As(err, &response) && response.RawResponse != nil && response.RawResponse.Header.Get("x-ms-substatus") == partitionFull {
			return fault.Errorf(fault.Exhausted, "the tenant's partition is full: %w", short(err))
		}
	}
	return fault.Errorf(fault.Unavailable, "%w", short(err))
}

// short keeps the SDK's page of text, with the whole answer in it, out of logs; the error itself stays reachable.
func short(err error) error {
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return &answer{response}
	}
	return err
}

type answer struct{ *azcore.ResponseError }

func (a *answer) Error() string {
	text := fmt.Sprintf("the service answers %d", a.StatusCode)
	if a.ErrorCode != "" && a.ErrorCode != strconv.Itoa(a.StatusCode) {
		text += " " + a.ErrorCode
	}
	return text
}

func (a *answer) Unwrap() error { return a.ResponseError }

// item is a document as it was read.
type item struct {
	body []byte
	etag azcore.ETag
}

// read reads one item; fault.NotFound when there is none.
func (d *db) read(ctx context.Context, in func(connection) *azcosmos.ContainerClient, pk azcosmos.PartitionKey, id string, at *session) (item, error) {
	var out item
	err := d.again(ctx, func(c connection) error {
		resp, err := in(c).ReadItem(ctx, pk, id, &azcosmos.ItemOptions{SessionToken: at.token()})
		at.check(err)
		if err == nil {
			at.saw(resp.SessionToken)
			out = item{resp.Value, resp.ETag}
		}
		return err
	})
	return out, err
}

// batch carries out ops as one transaction and gives their new ETags. It does not try again when nobody can know whether
// it was carried out: that is uncertain, an error of no kind.
func (d *db) batch(ctx context.Context, b azcosmos.TransactionalBatch, at *session) ([]azcore.ETag, error) {
	var etags []azcore.ETag
	var lost error
	err := d.again(ctx, func(c connection) error {
		// Without content there are no ETags in the answer either, and the root would have to be read for its own.
		resp, err := c.state.ExecuteTransactionalBatch(ctx, b, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
		if err == nil && !resp.Success {
			err = refusal(resp)
		} else if err == nil && len(resp.OperationResults) == 0 {
			err = errNoResults
		}
		if status, _ := failure(err); err != nil && passing(status) && status != http.StatusTooManyRequests && status != 449 {
			lost = err
			return nil
		}
		if err == nil {
			at.saw(&resp.SessionToken)
			for _, r := range resp.OperationResults {
				etags = append(etags, r.ETag)
			}
		}
		return err
	})
	if lost != nil {
		return nil, &uncertain{lost}
	}
	return etags, err
}

// ifStill is the condition that an item is still the one with that ETag.
func ifStill(e azcore.ETag) *azcosmos.TransactionalBatchItemOptions {
	return &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &e}
}

var errNoResults = errors.New("the answer tells nothing of the batch's operations")

// uncertain is a write whose answer was lost.
type uncertain struct{ error }

func (u *uncertain) Unwrap() error { return u.error }

func refusal(resp azcosmos.TransactionalBatchResponse) error {
	for i, r := range resp.OperationResults {
		if r.StatusCode >= 400 && r.StatusCode != http.StatusFailedDependency {
			return &batchError{i, int(r.StatusCode)}
		}
	}
	return &batchError{-1, http.StatusMultiStatus}
}

// question is a query with its parameters.
type question struct {
	text   string
	params []azcosmos.QueryParameter
	page   int // items a page
}

// bind adds a parameter and gives its name.
func (q *question) bind(v any) string {
	name := "@p" + strconv.Itoa(len(q.params))
	q.params = append(q.params, azcosmos.QueryParameter{Name: name, Value: v})
	return name
}

// query hands the answers of a query to do, until it wants no more.
func (d *db) query(ctx context.Context, pk azcosmos.PartitionKey, q question, at *session, do func(item []byte) (more bool, err error)) error {
	token := ""
	for {
		var resp azcosmos.QueryItemsResponse
		err := d.again(ctx, func(c connection) error {
			o := azcosmos.QueryOptions{QueryParameters: q.params, PageSizeHint: int32(q.page), SessionToken: at.token()}
			if token != "" {
				o.ContinuationToken = &token
			}
			var err error
			resp, err = c.state.NewQueryItemsPager(q.text, pk, &o).NextPage(ctx)
			at.check(err)
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
