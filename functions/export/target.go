package export

import (
	"context"
	"errors"
	"time"
)

// Target speaks to one receiver. Its methods are called by one goroutine at a time.
type Target interface {
	// Encode writes a row as the receiver wants it. No data means that this receiver has no word for it, and the row is
	// passed over; an error is fault.Invalid, and the row is set aside.
	Encode(Row) ([]byte, error)
	// Limits are what the receiver documents of a batch.
	Limits() Limits
	// Send delivers records in order and returns how many of them, from the first, the receiver has taken for good: all
	// when there is no error. A batch that is too large is fault.TooLarge, one that will never be taken fault.Invalid:
	// it is halved until what is refused stands alone. Any other error is offered again later; Later says when at the
	// earliest.
	Send(ctx context.Context, records []Record) (taken int, err error)
}

// Limits bound a batch. Zero is no bound.
type Limits struct {
	Records     int // of a batch
	Bytes       int // of a batch: all Data, with Overhead for each record
	Overhead    int // bytes a record beside its Data
	RecordBytes int // of one record's Data; a larger record is dead-lettered
	Alerts      int // how many alerts an incident's row brings with it; 0 for none
	Changes     int // changes read at once, where that is more than 500: for large files
}

// fittingRecords is how many of records, which are not empty, one batch takes: at least one.
func (l Limits) fittingRecords(records []Record) int {
	bytes := 0
	for i, r := range records {
		bytes += len(r.Data) + l.Overhead
		if i > 0 && (l.Bytes > 0 && bytes > l.Bytes || l.Records > 0 && i >= l.Records) {
			return i
		}
	}
	return len(records)
}

// Later is err, with how long the receiver wants to be left alone.
func Later(after time.Duration, err error) error { return &retryLater{err, after} }

type retryLater struct {
	error
	after time.Duration
}

func (l *retryLater) Unwrap() error { return l.error }

// RetryAfter is the duration that Later gave to err, 0 when there is none.
func RetryAfter(err error) time.Duration {
	var l *retryLater
	if errors.As(err, &l) {
		return l.after
	}
	return 0
}
