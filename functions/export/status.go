package export

import (
	"context"
	"time"
)

// maxBacklog is how far a backlog is counted.
const maxBacklog = 10_000

// Status is how an export does.
type Status struct {
	Name    string  `json:"id"`
	Tenant  string  `json:"tenantId"`
	Target  string  `json:"target"`
	Backlog int     `json:"backlog"`              // changes not yet seen through, at most 10,000
	Lag     float64 `json:"lagSeconds"`           // age of the oldest of them
	Job     *Job    `json:"run,omitzero"`         // the last on demand
	NextTry string  `json:"nextAttempt,omitzero"` // while the receiver is left alone
	Progress
}

// Names lists the exports and whose they are.
func (f *Function) Names() map[string]string {
	out := map[string]string{}
	for _, r := range f.runners {
		out[r.export.Name] = r.export.Tenant
	}
	return out
}

// Status tells how each export of the tenants does, in the order of the configuration.
func (f *Function) Status(ctx context.Context, tenants func(string) bool) ([]Status, error) {
	var out []Status
	for _, r := range f.runners {
		if !tenants(r.export.Tenant) {
			continue
		}
		s, err := r.status(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (r *runner) status(ctx context.Context) (Status, error) {
	s := Status{Name: r.export.Name, Tenant: r.export.Tenant, Target: r.export.Kind}
	if _, err := load(ctx, r.Ledger, progressKind, r.export.documentID(), &s.Progress); err != nil {
		return s, err
	}
	if s.Failures > 0 {
		s.NextTry = s.ErrorAt.Add(r.pause(s.Progress)).UTC().Format(time.RFC3339)
	}
	r.jobMu.Lock()
	if r.job != nil {
		job := *r.job
		s.Job = &job
	}
	r.jobMu.Unlock()
	var err error
	if s.Job == nil {
		if s.Job, err = r.ordered(ctx); err != nil {
			return s, err
		}
	}
	s.Backlog, s.Lag, err = r.backlog(ctx, s.Cursor)
	return s, err
}

// backlog counts changes behind a cursor, and the age of the first.
func (r *runner) backlog(ctx context.Context, cursor string) (n int, lag float64, err error) {
	for n < maxBacklog {
		changes, next, err := r.Store.Changes(ctx, r.export.Tenant, cursor, pageSize)
		if err != nil {
			return n, lag, err
		}
		if n == 0 && len(changes) > 0 {
			lag = max(0, r.Now().Sub(changes[0].Time).Seconds())
		}
		n += len(changes)
		if next == cursor {
			break
		}
		cursor = next
	}
	return n, lag, nil
}
