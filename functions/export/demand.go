package export

import (
	"context"
	"fmt"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Job is an export on demand: what last changed from Since until before Until, once more. A restart ends it.
type Job struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	State string    `json:"state"` // "running", "done" or "failed"
	Total int64     `json:"total"` // things in the range when it began, before the filter
	Read  int64     `json:"read"`  // of those
	Sent  int64     `json:"sent"`
	Error string    `json:"lastError,omitzero"`
}

// The states of a job.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Start begins a job that goes on until it is done or ctx ends; the job says how far it has come. One that runs already is
// fault.Conflict.
func (f *Function) Start(ctx context.Context, name string, since, until time.Time) (Job, error) {
	r, err := f.runner(name)
	if err != nil {
		return Job{}, err
	}
	if !since.Before(until) {
		return Job{}, fault.Errorf(fault.Invalid, "'since' must be before 'to'.")
	}
	r.jobMu.Lock()
	defer r.jobMu.Unlock()
	if r.job != nil && r.job.State == Running {
		return *r.job, fault.Errorf(fault.Conflict, "Export '%s' is at work on a range already.", name)
	}
	r.job = &Job{Since: since.UTC(), Until: until.UTC(), State: Running}
	f.jobs.Go(func() { r.work(ctx) })
	return *r.job, nil
}

func (r *runner) update(do func(*Job)) Job {
	r.jobMu.Lock()
	defer r.jobMu.Unlock()
	do(r.job)
	return *r.job
}

// work does the job: trouble with the receiver is waited out as that of a turn is.
func (r *runner) work(ctx context.Context) {
	job := r.update(func(*Job) {})
	err := r.total(ctx, job)
	for _, kind := range []store.ChangeKind{store.AlertChanged, store.ExposureChanged, store.IncidentChanged} {
		if err == nil && r.export.Filter.wants(kind) {
			err = r.span(ctx, kind, job.Since, job.Until)
		}
	}
	r.update(func(j *Job) {
		j.State = Done
		if err != nil {
			j.State, j.Error = Failed, clip(err.Error())
		}
	})
}

// total counts what lies in the range.
func (r *runner) total(ctx context.Context, j Job) error {
	for _, kind := range []store.ChangeKind{store.AlertChanged, store.ExposureChanged, store.IncidentChanged} {
		if !r.export.Filter.wants(kind) {
			continue
		}
		page, err := r.list(ctx, kind, query.Query{Where: within(j.Since, j.Until), Top: 1, Count: true})
		if err != nil {
			return err
		}
		r.update(func(j *Job) { j.Total += max(page.Total, 0) })
	}
	return nil
}

func within(since, until time.Time) query.Expr {
	return query.And{
		Left:  query.Compare{Field: query.Updated, Op: query.Ge, Time: since},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: until},
	}
}

// span sends the things of one kind by the time of their last change. What changes meanwhile leaves the range; the feed has it.
func (r *runner) span(ctx context.Context, kind store.ChangeKind, since, until time.Time) error {
	seen := map[string]bool{} // of those that last changed at since
	top := pageSize
	for {
		page, err := r.list(ctx, kind, query.Query{
			Where: within(since, until), Order: []query.Order{{Field: query.Updated}}, Top: top,
		})
		if err != nil {
			return err
		}
		var fresh []store.Change
		for _, c := range page.Items {
			if seen[c.ID] {
				continue
			}
			if c.Time.After(since) {
				since = c.Time
				clear(seen)
			}
			seen[c.ID] = true
			fresh = append(fresh, c)
		}
		if err := r.patiently(ctx, fresh); err != nil {
			return err
		}
		switch {
		case !page.More:
			return nil
		case len(fresh) == 0:
			top *= 2 // more changed in this one moment than a page holds
		}
	}
}

// list lists things of a kind as if they had just changed.
func (r *runner) list(ctx context.Context, kind store.ChangeKind, q query.Query) (query.Page[store.Change], error) {
	out := query.Page[store.Change]{}
	if kind == store.IncidentChanged {
		page, err := r.Store.Incidents(ctx, r.export.Tenant, q)
		if err != nil {
			return out, fmt.Errorf("list incidents: %w", err)
		}
		out.Total, out.More = page.Total, page.More
		for _, i := range page.Items {
			out.Items = append(out.Items, store.Change{Kind: kind, ID: i.ID, Time: i.Updated})
		}
		return out, nil
	}
	list := r.Store.Alerts
	if kind == store.ExposureChanged {
		list = r.Store.Exposures
	}
	page, err := list(ctx, r.export.Tenant, q)
	if err != nil {
		return out, fmt.Errorf("list %ss: %w", kind, err)
	}
	out.Total, out.More = page.Total, page.More
	out.Items = changesOf(kind, page.Items)
	return out, nil
}

func changesOf(kind store.ChangeKind, ms []incident.AlertRecord) []store.Change {
	out := make([]store.Change, len(ms))
	for i, m := range ms {
		out[i] = store.Change{Kind: kind, ID: m.Alert.ID, Time: m.Updated}
	}
	return out
}

// patiently sends changes, however often it takes.
func (r *runner) patiently(ctx context.Context, changes []store.Change) error {
	for n := 1; ; n++ {
		err := r.once(ctx, changes)
		if err == nil || ctx.Err() != nil {
			return err
		}
		r.update(func(j *Job) { j.Error = clip(err.Error()) })
		if err := r.Wait(ctx, max(backoff(r.export.Name, n), After(err))); err != nil {
			return err
		}
	}
}

// once sends changes beside the page at hand of the feed, and leaves that as it was.
func (r *runner) once(ctx context.Context, changes []store.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	done, news := r.done, r.news
	r.done, r.news = map[string]bool{}, nil
	defer func() { r.done, r.news = done, news }()
	if _, err := r.changes(ctx, changes); err != nil {
		return err
	}
	var p Progress
	p.count(r.news)
	r.update(func(j *Job) { j.Read += int64(len(changes)); j.Sent += p.Sent; j.Error = "" })
	return r.note(ctx, r.news)
}
