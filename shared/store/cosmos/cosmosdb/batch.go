package cosmosdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// Batch is operations on items of one partition that are carried out together or not at all: 100 of them at most,
// and 2 MB.
type Batch struct {
	operations []func(*azcosmos.TransactionalBatch)
}

// CreateItem adds an item that must not be there yet.
func (b *Batch) CreateItem(data []byte) {
	b.addOperation(func(to *azcosmos.TransactionalBatch) { to.CreateItem(data, nil) })
}

// UpsertItem adds an item that may be there.
func (b *Batch) UpsertItem(data []byte) {
	b.addOperation(func(to *azcosmos.TransactionalBatch) { to.UpsertItem(data, nil) })
}

// ReplaceItem adds what takes the place of an item, if that is still the one with the ETag.
func (b *Batch) ReplaceItem(id string, data []byte, etag azcore.ETag) {
	b.addOperation(func(to *azcosmos.TransactionalBatch) {
		to.ReplaceItem(id, data, &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &etag})
	})
}

// DeleteItem adds the deletion of an item, which must be there.
func (b *Batch) DeleteItem(id string) {
	b.addOperation(func(to *azcosmos.TransactionalBatch) { to.DeleteItem(id, nil) })
}

func (b *Batch) addOperation(op func(*azcosmos.TransactionalBatch)) {
	b.operations = append(b.operations, op)
}

// Written is what a batch that was carried out left.
type Written struct {
	ETags []azcore.ETag // of the items, by operation
	Token string        // the session token of the write
}

// RunBatch carries out a batch. It does not try again when nobody can know whether it was carried out: that is an
// AmbiguousError, of no kind. A batch that was refused is fault.Conflict or fault.NotFound, as its first failed
// operation.
func (c *Client) RunBatch(ctx context.Context, in Partition, b *Batch) (Written, error) {
	var out Written
	var lost error
	err := c.retry(ctx, func(to containers) error {
		sdk := to.state.NewTransactionalBatch(in.key())
		for _, op := range b.operations {
			op(&sdk)
		}
		// Without content there are no ETags in the answer either, and the manifest would have to be read for its own.
		resp, err := to.state.ExecuteTransactionalBatch(ctx, sdk, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
		if err == nil && !resp.Success {
			err = batchRefusal(resp)
		} else if err == nil && len(resp.OperationResults) == 0 {
			err = errNoResults
		}
		if status, _ := failureStatus(err); err != nil && isTransient(status) && status != http.StatusTooManyRequests && status != statusRetryWith {
			lost = err
			return nil
		}
		if err == nil {
			in.session.advanceTo(&resp.SessionToken)
			out = Written{Token: resp.SessionToken}
			for _, r := range resp.OperationResults {
				out.ETags = append(out.ETags, r.ETag)
			}
		}
		return err
	})
	if lost != nil {
		return Written{}, &AmbiguousError{lost}
	}
	return out, err
}

var errNoResults = errors.New("the answer tells nothing of the batch's operations")

// AmbiguousError is a batch whose answer was lost: it may have been carried out, or may be yet.
type AmbiguousError struct{ error }

func (e *AmbiguousError) Unwrap() error { return e.error }

// IsAmbiguous says whether nobody knows if a batch was carried out.
func IsAmbiguous(err error) bool {
	var lost *AmbiguousError
	return errors.As(err, &lost)
}

// batchError is the refusal of a batch: the status of the operation that failed it.
type batchError struct {
	operation int
	status    int
}

func (e *batchError) Error() string {
	return fmt.Sprintf("batch refused: operation %d: %d %s", e.operation, e.status, http.StatusText(e.status))
}

func batchRefusal(resp azcosmos.TransactionalBatchResponse) error {
	for i, r := range resp.OperationResults {
		if r.StatusCode >= 400 && r.StatusCode != http.StatusFailedDependency {
			return &batchError{i, int(r.StatusCode)}
		}
	}
	return &batchError{-1, http.StatusMultiStatus}
}
