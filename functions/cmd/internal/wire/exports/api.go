package exports

import (
	"context"
	"errors"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/export"
)

// API shows the export function to the API.
type API struct{ *export.Function }

var _ api.Exports = API{}

// Exports implements api.Exports.
func (e API) Exports(ctx context.Context) ([]api.Export, error) {
	all, err := e.Function.Status(ctx, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	out := make([]api.Export, len(all))
	for i, s := range all {
		out[i] = api.Export{
			ID: s.Name, Tenant: s.Tenant, Target: s.Target, Backlog: s.Backlog, Lag: s.Lag, Sent: s.Sent, DeadLettered: s.DeadLettered, Failures: s.Failures,
			LastSent: s.LastSent, LastRun: s.LastRun, LastError: s.Error, LastErrorAt: s.ErrorAt, NextAttempt: s.NextTry,
		}
		if s.Backfill != nil {
			run := runOf(*s.Backfill)
			out[i].Run = &run
		}
	}
	return out, nil
}

func runOf(b export.Backfill) api.ExportRun {
	return api.ExportRun{Since: b.Since, Until: b.Until, State: b.State, Total: b.Total, Read: b.Read, Sent: b.Sent, LastError: b.Error}
}

// Deliveries implements api.Exports.
func (e API) Deliveries(ctx context.Context, name string) ([]api.Delivery, error) {
	ds, err := e.Function.Deliveries(ctx, name)
	out := make([]api.Delivery, len(ds))
	for i, d := range ds {
		out[i] = api.Delivery{ID: d.ID, Kind: string(d.Kind), Thing: d.Thing, Time: d.Time, DeadLettered: d.DeadLettered, Reason: d.Reason}
	}
	return out, err
}

// Start implements api.Exports.
func (e API) Start(ctx context.Context, name string, since, until time.Time) (api.ExportRun, error) {
	b, err := e.StartBackfill(ctx, name, since, until)
	return runOf(b), err
}

// Replay implements api.Exports.
func (e API) Replay(ctx context.Context, name, delivery string) error {
	err := e.Function.Replay(ctx, name, delivery)
	var not *export.NotTakenError
	if errors.As(err, &not) {
		return &api.NotTakenError{Reason: not.Err.Error()}
	}
	return err
}
