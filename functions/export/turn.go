package export

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Turn lets every export send what is due, and go on with a range that was ordered, side by side; it returns when that is done,
// or ctx ends. It is for a host that is woken now and then instead of running on. What goes wrong is written down with its
// export, and tried again in a later turn, no sooner than the receiver wants.
func (f *Function) Turn(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range f.runners {
		wg.Go(func() {
			r.turn(ctx)
			if err := r.carry(ctx); err != nil && ctx.Err() == nil {
				r.Log.WarnContext(ctx, "export of a range failed and will be tried again", "export", r.export.Name, "error", err)
			}
		})
	}
	wg.Wait()
}

// orderKind is the kind of document that an order is kept as.
const orderKind = "export-order"

// order is a job that outlives its process: the next turn, wherever that is, goes on from where the last one stopped.
type order struct {
	Job
	Kind store.ChangeKind `json:"kind"`
	From time.Time        `json:"from"`
}

// stages are the kinds of an order, one after the other.
var stages = []store.ChangeKind{store.AlertChanged, store.ExposureChanged, store.IncidentChanged}

// Order writes a range down for the turns to send; unlike Start, it leaves the work to them. One that is at work already is
// fault.Conflict.
func (f *Function) Order(ctx context.Context, name string, since, until time.Time) (Job, error) {
	r, err := f.runner(name)
	if err != nil {
		return Job{}, err
	}
	if !since.Before(until) {
		return Job{}, fault.Errorf(fault.Invalid, "'since' must be before 'to'.")
	}
	var o order
	version, err := load(ctx, r.Ledger, orderKind, r.export.documentID(), &o)
	switch {
	case err != nil:
		return Job{}, err
	case o.State == Running:
		return o.Job, fault.Errorf(fault.Conflict, "Export '%s' is at work on a range already.", name)
	}
	o = order{Job: Job{Since: since.UTC(), Until: until.UTC(), State: Running}}
	return o.Job, keep(ctx, r.Ledger, orderKind, r.export.documentID(), version, o)
}

// ordered is the last order, nil when there is none.
func (r *runner) ordered(ctx context.Context) (*Job, error) {
	var o order
	version, err := load(ctx, r.Ledger, orderKind, r.export.documentID(), &o)
	if err != nil || version == 0 {
		return nil, err
	}
	return &o.Job, nil
}

// carry goes on with an order until it is done, and writes down how far it has come after every page.
func (r *runner) carry(ctx context.Context) error {
	id := r.export.documentID()
	var o order
	version, err := load(ctx, r.Ledger, orderKind, id, &o)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // of those that last changed at o.From
	for o.State == Running {
		failed := r.stride(ctx, &o, seen)
		if failed != nil {
			o.Error = clip(failed.Error())
		}
		if err := keep(context.WithoutCancel(ctx), r.Ledger, orderKind, id, version, o); err != nil || failed != nil {
			return cmp.Or(failed, err)
		}
		version++
	}
	return nil
}

// stride sends one page of an order. What changes meanwhile leaves the range; the feed has it.
func (r *runner) stride(ctx context.Context, o *order, seen map[string]bool) error {
	if !o.begin(r.export.Filter) {
		return nil
	}
	if o.Total == 0 && o.Read == 0 {
		if err := r.measured(o, func() error { return r.total(ctx, o.Job) }); err != nil {
			return err
		}
	}
	page, err := r.stretch(ctx, o)
	if err != nil {
		return err
	}
	var fresh []store.Change
	for _, c := range page.Items {
		if !seen[c.ID] {
			fresh = append(fresh, c)
		}
	}
	if err := r.measured(o, func() error { return r.once(ctx, fresh) }); err != nil {
		return err
	}
	clear(seen)
	if !page.More {
		o.next()
		return nil
	}
	o.From = page.Items[len(page.Items)-1].Time
	for _, c := range page.Items {
		if c.Time.Equal(o.From) {
			seen[c.ID] = true
		}
	}
	return nil
}

// stretch lists from o.From on as much as takes it further.
func (r *runner) stretch(ctx context.Context, o *order) (query.Page[store.Change], error) {
	for top := pageSize; ; top *= 2 { // more may have changed in one moment than a page holds
		page, err := r.list(ctx, o.Kind, query.Query{Where: within(o.From, o.Until), Order: []query.Order{{Field: query.Updated}}, Top: top})
		if err != nil || !page.More || page.Items[len(page.Items)-1].Time.After(o.From) {
			return page, err
		}
	}
}

// measured lets do count in o's job.
func (r *runner) measured(o *order, do func() error) error {
	r.jobMu.Lock()
	job := o.Job
	r.job = &job
	r.jobMu.Unlock()
	err := do()
	r.jobMu.Lock()
	o.Job, r.job = *r.job, nil
	r.jobMu.Unlock()
	return err
}

// begin finds the first kind that the filter wants; false when the order is done.
func (o *order) begin(f Filter) bool {
	if o.Kind == "" {
		o.Kind, o.From = stages[0], o.Since
	}
	for o.State == Running && !f.wants(o.Kind) {
		o.next()
	}
	return o.State == Running
}

// next goes on to the next kind, or ends the order.
func (o *order) next() {
	for n, kind := range stages {
		if kind == o.Kind && n+1 < len(stages) {
			o.Kind, o.From = stages[n+1], o.Since
			return
		}
	}
	o.State, o.Error = Done, ""
}
