package export

import (
	"context"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// maxDeliveries is how many deliveries an export remembers.
const maxDeliveries = 300

// Delivery is one record's fate, for the delivery log.
type Delivery struct {
	ID     string           `json:"id"` // the record's
	Kind   store.ChangeKind `json:"kind"`
	Thing  string           `json:"thing"`
	Time   time.Time        `json:"time"`
	Aside  bool             `json:"setAside,omitzero"`
	Reason string           `json:"reason,omitzero"` // why it was set aside
}

const maxReason = 300

func delivered(r Record, at time.Time, refused error) Delivery {
	d := Delivery{ID: r.ID, Kind: r.Kind, Thing: r.Thing, Time: at.UTC()}
	if refused != nil {
		d.Aside, d.Reason = true, clip(refused.Error())
	}
	return d
}

func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return s[:maxReason] + "…"
}

// Deliveries lists what was sent last and what was set aside, the newest first. What was set aside stays longest.
func (f *Function) Deliveries(ctx context.Context, name string) ([]Delivery, error) {
	r, err := f.runner(name)
	if err != nil {
		return nil, err
	}
	var ds []Delivery
	_, err = load(ctx, r.Ledger, logKind, r.export.documentID(), &ds)
	return ds, err
}

// NotTakenError says that a receiver did not take what was sent to it by hand. Its kind is the receiver's answer, which is
// nothing about who asked.
type NotTakenError struct{ Err error }

func (e *NotTakenError) Error() string { return "the receiver did not take it: " + e.Err.Error() }

// Unwrap gives the target's error.
func (e *NotTakenError) Unwrap() error { return e.Err }

// Replay sends the thing of one logged delivery again, in the state in which it is now. What the receiver does not take is a
// NotTakenError; what has left the store, or is not in the log, is fault.NotFound.
func (f *Function) Replay(ctx context.Context, name, id string) error {
	r, err := f.runner(name)
	if err != nil {
		return err
	}
	ds, err := f.Deliveries(ctx, name)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.ID == id {
			return r.again(ctx, d)
		}
	}
	return fault.Errorf(fault.NotFound, "No delivery with id '%s' was found.", clip(id))
}

// again sends one thing; unlike a turn it reports a refusal.
func (r *runner) again(ctx context.Context, d Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, err := r.row(ctx, store.Change{Kind: d.Kind, ID: d.Thing})
	if err != nil {
		return err
	}
	rec, err := r.encode(row)
	if err != nil || rec == nil {
		return err
	}
	if _, err := r.export.Target.Send(ctx, []Record{*rec}); err != nil {
		return &NotTakenError{err}
	}
	return r.note(ctx, []Delivery{delivered(*rec, r.Now(), nil)})
}

// note puts deliveries on top of the log, and drops the oldest that arrived before any that was set aside.
func (r *runner) note(ctx context.Context, news []Delivery) error {
	if len(news) == 0 {
		return nil
	}
	var ds []Delivery
	id := r.export.documentID()
	version, err := load(ctx, r.Ledger, logKind, id, &ds)
	if err != nil {
		return err
	}
	all := make([]Delivery, 0, len(news)+len(ds))
	for i := len(news) - 1; i >= 0; i-- {
		all = append(all, news[i])
	}
	return keep(ctx, r.Ledger, logKind, id, version, trimmed(append(all, ds...)))
}

// trimmed keeps maxDeliveries of ds: of those set aside up to all but a third.
func trimmed(ds []Delivery) []Delivery {
	aside := 0
	for _, d := range ds {
		if d.Aside {
			aside++
		}
	}
	aside = min(aside, maxDeliveries*2/3)
	fine := maxDeliveries - aside
	var out []Delivery
	for _, d := range ds {
		if left := &fine; d.Aside {
			if left = &aside; *left == 0 {
				continue
			}
			*left--
		} else if *left == 0 {
			continue
		} else {
			*left--
		}
		out = append(out, d)
	}
	return out
}
