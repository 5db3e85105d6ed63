// Package export sends what changed in the store to receivers outside: a SIEM, a data lake, a webhook. It decides when
// and what to send, in which batches, and what to do when a receiver fails. A Target knows how to speak to one
// receiver.
//
//	store.Changes ─▶ Filter ─▶ Encode ─▶ batch ─▶ Send ─┬─ taken ─────────────────────────────▶ cursor
//	      ▲                                             ├─ refused ─▶ halved to one record ─▶ dead-lettered
//	      └───────────── cursor ◀── back off ◀──────────┴─ failed
//	store.Alerts … ─▶ page of a backfill ─▶ the same way, beside the feed
//
// # Promises
//
// Every record that passes the filter arrives at least once, however often either side stops: the cursor moves only
// after the receiver has taken what is before it. A record's id names one state of one alert, exposure or incident, so
// that a receiver can drop repeats. An export sends records in the order of the store's commits; a state that a newer
// one replaced before it was sent may be left out. Merging incidents changes no alert: an alert's record names the
// incident that held it when it was sent, and the records of both incidents tell of the merge. Exports do not wait for
// one another: each has its own cursor, retries and goroutine. A record that the receiver refuses for good is
// dead-lettered with the reason and counted; the rest goes on. A backfill survives restarts: the store keeps its range
// and page, and the next process resumes it.
package export

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Store is what export asks of a store.
type Store interface {
	Changes(ctx context.Context, tenant, cursor string, limit int) (changes []store.Change, next string, err error)
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
	Alerts(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error)
	Exposures(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error)
	Incident(ctx context.Context, tenant, id string) (incident.Incident, error)
	Incidents(ctx context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error)
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error)
}

// Documents keep cursors, delivery logs and backfills.
type Documents interface {
	Document(ctx context.Context, kind, id string) (store.Document, error)
	PutDocument(ctx context.Context, kind string, d store.Document) (version uint64, err error)
}

// Export is one configured way out of the store: whose records, which, when, and where to.
type Export struct {
	Name   string // unique among the exports of a deployment
	Tenant string
	Kind   string // the target's word, for people: "splunk"
	Target Target
	Filter Filter
	When   Schedule
}

// Function is the export function: all exports of a deployment. Make one with New.
type Function struct {
	runners []*runner
}

// Options are what a Function works with. Store, Documents and Now are required.
type Options struct {
	Store     Store
	Documents Documents
	Now       func() time.Time
	// Wait returns after d, or earlier with ctx's error. Unset waits on the machine's clock.
	Wait func(ctx context.Context, d time.Duration) error
	Log  *slog.Logger
}

// New makes a function of exports. Two of one name are fault.Invalid.
func New(o Options, exports []Export) (*Function, error) {
	if o.Wait == nil {
		o.Wait = backoff.Wait
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Function{}
	names := map[string]bool{}
	for _, e := range exports {
		if names[e.Name] {
			return nil, fault.Errorf(fault.Invalid, "two exports are called %s", e.Name)
		}
		names[e.Name] = true
		f.runners = append(f.runners, newRunner(o, e))
	}
	return f, nil
}

// Run sends what is due, once a second, until ctx ends.
func (f *Function) Run(ctx context.Context) { f.runAll(func(r *runner) { r.run(ctx) }) }

// RunOnce lets every export send what is due and resume its backfill, side by side; it returns when that is done, or
// ctx ends. It is for a host that is woken now and then instead of running on. A failure is recorded with its export
// and tried again by a later call, no sooner than the receiver wants.
func (f *Function) RunOnce(ctx context.Context) { f.runAll(func(r *runner) { r.runOnce(ctx) }) }

func (f *Function) runAll(run func(*runner)) {
	var wg sync.WaitGroup
	for _, r := range f.runners {
		wg.Go(func() { run(r) })
	}
	wg.Wait()
}

// Drain sends what an export has not sent yet of the feed, once and whatever its schedule: tests and one-off commands
// use it.
func (f *Function) Drain(ctx context.Context, name string) error {
	r, err := f.runnerOf(name)
	if err != nil {
		return err
	}
	return r.drainFeed(ctx)
}

func (f *Function) runnerOf(name string) (*runner, error) {
	for _, r := range f.runners {
		if r.export.Name == name {
			return r, nil
		}
	}
	return nil, fault.Errorf(fault.NotFound, "No export with id '%s' was found.", name)
}
