package exports

import (
	"context"
	"errors"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/export"
)

// API shows the export function to the API. Ranges on demand go on after the request that began them: until Work ends, or, with
// Later, in the turns of whichever process takes them.
type API struct {
	Function *export.Function
	Work     context.Context
	Later    bool
}

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
			ID: s.Name, Tenant: s.Tenant, Target: s.Target, Backlog: s.Backlog, Lag: s.Lag, Sent: s.Sent, Aside: s.Aside, Failures: s.Failures,
			LastSent: s.LastSent, LastRun: s.LastRun, LastError: s.Error, LastErrorAt: s.ErrorAt, NextAttempt: s.NextTry,
		}
		if s.Job != nil {
			run := runOf(*s.Job)
			out[i].Run = &run
		}
	}
	return out, nil
}

func runOf(j export.Job) api.ExportRun {
	return api.ExportRun{Since: j.Since, Until: j.Until, State: j.State, Total: j.Total, Read: j.Read, Sent: j.Sent, LastError: j.Error}
}

// Deliveries implements api.Exports.
func (e API) Deliveries(ctx context.Context, name string) ([]api.Delivery, error) {
	ds, err := e.Function.Deliveries(ctx, name)
	out := make([]api.Delivery, len(ds))
	for i, d := range ds {
		out[i] = api.Delivery{ID: d.ID, Kind: string(d.Kind), Thing: d.Thing, Time: d.Time, Aside: d.Aside, Reason: d.Reason}
	}
	return out, err
}

// Start implements api.Exports.
func (e API) Start(ctx context.Context, name string, since, until time.Time) (api.ExportRun, error) {
	if e.Later {
		j, err := e.Function.Order(ctx, name, since, until)
		return runOf(j), err
	}
	j, err := e.Function.Start(e.Work, name, since, until)
	return runOf(j), err
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
