package export

import (
	"context"
	"time"
)

// maxBacklog is how far a backlog is counted, in changes.
const maxBacklog = 10_000

// Status is how an export does.
type Status struct {
	Name     string    `json:"id"`
	Tenant   string    `json:"tenantId"`
	Target   string    `json:"target"`
	Backlog  int       `json:"backlog"`              // changes of the feed not yet sent, at most 10,000
	Lag      float64   `json:"lagSeconds"`           // age of the oldest of them
	Backfill *Backfill `json:"run,omitzero"`         // the last one
	NextTry  string    `json:"nextAttempt,omitzero"` // RFC 3339, while the receiver is left alone
	Progress
}

// Status tells how each export of the tenants does, in the order of the configuration.
func (f *Function) Status(ctx context.Context, tenants func(string) bool) ([]Status, error) {
	var out []Status
	for _, r := range f.runners {
		if !tenants(r.export.Tenant) {
			continue
		}
		s, err := r.readStatus(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (r *runner) readStatus(ctx context.Context) (Status, error) {
	s := Status{Name: r.export.Name, Tenant: r.export.Tenant, Target: r.export.Kind}
	if _, err := r.docs.load(ctx, progressKind, &s.Progress); err != nil {
		return s, err
	}
	if s.Failures > 0 {
		s.NextTry = s.ErrorAt.Add(r.retryPause(s.Failures)).UTC().Format(time.RFC3339)
	}
	var b backfillState
	version, err := r.docs.load(ctx, backfillKind, &b)
	if err != nil {
		return s, err
	}
	if version > 0 {
		s.Backfill = &b.Backfill
	}
	backlog, oldest, err := r.reader.countBacklog(ctx, s.Cursor)
	if s.Backlog = backlog; backlog > 0 {
		s.Lag = max(0, r.Now().Sub(oldest).Seconds())
	}
	return s, err
}
