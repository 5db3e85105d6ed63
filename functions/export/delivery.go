package export

import (
	"context"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// maxDeliveries is how many deliveries an export remembers.
const maxDeliveries = 300

// Delivery is one record's fate, for the delivery log.
type Delivery struct {
	ID           string           `json:"id"` // the record's
	Kind         store.ChangeKind `json:"kind"`
	Thing        string           `json:"thing"`
	Time         time.Time        `json:"time"`
	DeadLettered bool             `json:"setAside,omitzero"` // refused for good
	Reason       string           `json:"reason,omitzero"`   // why it was refused for good
}

// deliveryOf is r's outcome at a time; refused is why the receiver will never take it, nil when it has.
func deliveryOf(r Record, at time.Time, refused error) Delivery {
	d := Delivery{ID: r.ID, Kind: r.Kind, Thing: r.Thing, Time: at.UTC()}
	if refused != nil {
		d.DeadLettered, d.Reason = true, truncateReason(refused.Error())
	}
	return d
}

const maxReason = 300 // bytes

func truncateReason(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return s[:maxReason] + "…"
}

// Deliveries lists what was sent last and what was dead-lettered, the newest first. What was dead-lettered stays
// longest.
func (f *Function) Deliveries(ctx context.Context, name string) ([]Delivery, error) {
	r, err := f.runnerOf(name)
	if err != nil {
		return nil, err
	}
	var ds []Delivery
	_, err = r.docs.load(ctx, logKind, &ds)
	return ds, err
}

// NotTakenError says that a receiver did not take what was sent to it by hand. It has no fault kind of its own, because
// the receiver's answer says nothing about who asked.
type NotTakenError struct{ Err error }

func (e *NotTakenError) Error() string { return "the receiver did not take it: " + e.Err.Error() }

// Unwrap gives the target's error.
func (e *NotTakenError) Unwrap() error { return e.Err }

// Replay sends the thing of one logged delivery again, in the state in which it is now. What the receiver does not take
// is a NotTakenError; what has left the store, or is not in the log, is fault.NotFound.
func (f *Function) Replay(ctx context.Context, name, id string) error {
	r, err := f.runnerOf(name)
	if err != nil {
		return err
	}
	ds, err := f.Deliveries(ctx, name)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.ID == id {
			return r.replayDelivery(ctx, d)
		}
	}
	return fault.Errorf(fault.NotFound, "No delivery with id '%s' was found.", truncateReason(id))
}

// replayDelivery sends one thing; unlike the feed it reports a refusal.
func (r *runner) replayDelivery(ctx context.Context, d Delivery) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	row, err := r.reader.readRow(ctx, store.Change{Kind: d.Kind, ID: d.Thing})
	if err != nil {
		return err
	}
	rec, err := r.export.encodeRow(row)
	if err != nil || rec == nil {
		return err
	}
	if _, err := r.export.Target.Send(ctx, []Record{*rec}); err != nil {
		return &NotTakenError{err}
	}
	return r.docs.logDeliveries(ctx, []Delivery{deliveryOf(*rec, r.Now(), nil)})
}

// logDeliveries puts outcomes, the oldest first, on top of the delivery log.
func (d documents) logDeliveries(ctx context.Context, outcomes []Delivery) error {
	if len(outcomes) == 0 {
		return nil
	}
	var logged []Delivery
	version, err := d.load(ctx, logKind, &logged)
	if err != nil {
		return err
	}
	newest := slices.Clone(outcomes)
	slices.Reverse(newest)
	return d.save(ctx, logKind, version, newestDeliveries(append(newest, logged...)))
}

// newestDeliveries keeps the first maxDeliveries of ds: two thirds of them may be dead-lettered, and those stay
// longest.
func newestDeliveries(ds []Delivery) []Delivery {
	dead := 0
	for _, d := range ds {
		if d.DeadLettered {
			dead++
		}
	}
	dead = min(dead, maxDeliveries*2/3)
	taken := maxDeliveries - dead
	var out []Delivery
	for _, d := range ds {
		left := &taken
		if d.DeadLettered {
			left = &dead
		}
		if *left == 0 {
			continue
		}
		*left--
		out = append(out, d)
	}
	return out
}
