// Package correlate turns alert events into incidents: it loads what a decision needs, lets the domain decide, and
// commits the outcome whole. It judges nothing itself.
//
//	events ─parse─▶ alerts ─▶ correlation.Engine ─▶ changes ─commit─▶ store
//	   └── unreadable ─▶ Refused   ▲                    └─ conflict: load again, decide again
//	                               └─ Act: what a person decided
package correlate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Store is what correlate asks of a store. Commit is fault.Conflict when the tenant has moved past version.
type Store interface {
	Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error)
	Commit(ctx context.Context, tenant string, version uint64, c incident.Changes) error
}

// Meter counts decisions. Every method must be safe for concurrent use.
type Meter interface {
	// Correlated counts one report, with the time from its delivery to its commit.
	Correlated(o correlation.Outcome, lag time.Duration)
	Conflict()
}

// Function is the correlate function. It keeps tenants' states between batches as long as nobody else commits;
// losing them costs only loading. Safe for concurrent use; batches of one tenant are best handed in one at a time.
type Function struct {
	Store  Store
	Tuning func(tenant string) *correlation.Params // nil is the default for everyone; another one than before holds from the next batch on
	Now    func() time.Time
	Meter  Meter
	Log    *slog.Logger
	Alerts Lister // for Act; without it an incident's alerts stay as they are when it is resolved or assigned

	mu     sync.Mutex
	states map[string]*cached
}

// cached is a tenant's state as of a version.
type cached struct {
	sync.Mutex
	state   *correlation.Engine
	tuning  *correlation.Params
	version uint64
	known   bool // version was read from the store, or follows from an own commit
}

const (
	// maxStep is how many alerts are decided and committed at once. Each changes at most two stored alerts, itself and the
	// one it is folded into, so that a commit stays within the store's 100.
	maxStep = 50
	// maxState is the number of records beyond which a kept state is dropped: some 25 MB. An alert brings 15 to 20, most of
	// which nobody asks for again; what is asked for is soon back from the store's cache.
	maxState = 20_000
	// maxTries is how often a lost race is run again before the batch is offered anew.
	maxTries = 5
)

// Handle correlates the alerts of evs and commits the outcome. Repeating it is safe: a report that is known changes
// nothing. Events that are no alerts come back as fault.Refused, all others being done.
func (f *Function) Handle(ctx context.Context, evs []cloudevent.Event) error {
	refused := fault.Refused{}
	byTenant := map[string][]report{}
	var tenants []string // in order of appearance
	for i, e := range evs {
		a, err := events.ParseAlert(e)
		if err != nil {
			refused[i] = err
			continue
		}
		if byTenant[a.Tenant] == nil {
			tenants = append(tenants, a.Tenant)
		}
		byTenant[a.Tenant] = append(byTenant[a.Tenant], report{correlation.NewReport(a), e.Position, e.Trace})
	}
	for _, tenant := range tenants {
		for step := range slices.Chunk(byTenant[tenant], maxStep) {
			if err := f.step(ctx, tenant, step); err != nil {
				return fmt.Errorf("correlate %d alerts of %s: %w", len(step), tenant, err)
			}
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

// report is one alert as an event brought it.
type report struct {
	*correlation.Report
	position uint64
	trace    string
}

// step decides and commits a few alerts of one tenant.
func (f *Function) step(ctx context.Context, tenant string, reports []report) error {
	ctx, span := f.span(ctx, tenant, reports)
	defer span.End()
	c := f.cached(tenant)
	c.Lock()
	defer c.Unlock()
	for try := 1; ; try++ {
		outcomes, err := f.attempt(ctx, tenant, c, reports)
		if err == nil {
			f.report(ctx, reports, outcomes)
			return nil
		}
		c.state = nil // it holds decisions that were not committed
		if fault.Of(err) != fault.Conflict || try == maxTries {
			span.RecordError(err)
			return err
		}
		if f.Meter != nil {
			f.Meter.Conflict()
		}
	}
}

// attempt runs one round of load, decide, commit on c, whose lock is held.
func (f *Function) attempt(ctx context.Context, tenant string, c *cached, reports []report) ([]correlation.Outcome, error) {
	f.fresh(tenant, c)
	if err := f.load(ctx, tenant, c, reports); err != nil {
		return nil, err
	}
	outcomes := make([]correlation.Outcome, len(reports))
	now := f.Now()
	for i, r := range reports {
		outcomes[i] = c.state.Apply(r.Report, r.position, now)
	}
	changes := c.state.Take()
	if changes.Empty() {
		return outcomes, nil
	}
	if err := f.Store.Commit(ctx, tenant, c.version, changes); err != nil {
		return nil, storeError("commit", err)
	}
	c.version++
	return outcomes, nil
}

// storeError says of an error nobody classified that the store is down: that is not the alerts' doing.
func storeError(doing string, err error) error {
	if fault.Of(err) == fault.Again {
		return fault.Errorf(fault.Unavailable, "%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// load brings into c's state all that deciding about the reports needs. A state that others have moved past is
// fault.Conflict.
func (f *Function) load(ctx context.Context, tenant string, c *cached, reports []report) error {
	wanted := make([]*correlation.Report, len(reports))
	for i, r := range reports {
		wanted[i] = r.Report
	}
	return f.fill(ctx, tenant, c, func() incident.Refs { return c.state.Missing(wanted) })
}

// fresh begins a state anew when there is none, too large a one, or one that decides by a tuning of before.
func (f *Function) fresh(tenant string, c *cached) {
	tuning := f.tuning(tenant)
	if c.state == nil || c.state.Len() > maxState || c.tuning != tuning {
		c.state, c.tuning = correlation.NewEngine(tenant, tuning), tuning
		c.known = false
	}
}

// fill loads what is missing until nothing is.
func (f *Function) fill(ctx context.Context, tenant string, c *cached, missing func() incident.Refs) error {
	for {
		refs := missing()
		if refs.Empty() {
			return nil
		}
		loaded, err := f.Store.Load(ctx, tenant, refs)
		if err != nil {
			return storeError("load state", err)
		}
		if err := c.at(tenant, loaded.Version); err != nil {
			return err
		}
		c.state.Put(loaded, refs)
	}
}

// at says that the store is at a version; fault.Conflict when the state is of another.
func (c *cached) at(tenant string, version uint64) error {
	if c.known && version != c.version {
		return fault.Errorf(fault.Conflict, "tenant %s moved from version %d to %d", tenant, c.version, version)
	}
	c.version, c.known = version, true
	return nil
}

func (f *Function) cached(tenant string) *cached {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states == nil {
		f.states = map[string]*cached{}
	}
	c := f.states[tenant]
	if c == nil {
		c = &cached{}
		f.states[tenant] = c
	}
	return c
}

func (f *Function) tuning(tenant string) *correlation.Params {
	if f.Tuning == nil {
		return nil
	}
	return f.Tuning(tenant)
}

// report tells log and metrics what was decided.
func (f *Function) report(ctx context.Context, reports []report, outcomes []correlation.Outcome) {
	now := f.Now()
	for i, o := range outcomes {
		if f.Meter != nil {
			f.Meter.Correlated(o, now.Sub(reports[i].Alert.Delivered))
		}
		if f.Log != nil && f.Log.Enabled(ctx, slog.LevelDebug) {
			f.Log.DebugContext(ctx, "correlated", "tenant", reports[i].Alert.Tenant, "event", reports[i].Alert.ID, "alert", o.AlertID,
				"incident", o.Incident, "folded", o.Folded, "opened", o.Opened, "merged", o.MergedFrom)
		}
	}
}

// span continues the trace of the first traced delivery, and links the others.
func (f *Function) span(ctx context.Context, tenant string, reports []report) (context.Context, trace.Span) {
	var links []trace.Link
	for _, r := range reports {
		if r.trace == "" {
			continue
		}
		remote := propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": r.trace})
		if len(links) == 0 {
			ctx = remote
		}
		links = append(links, trace.LinkFromContext(remote))
	}
	return otel.Tracer("github.com/onepane/onepane/functions/correlate").Start(ctx, "correlate",
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...),
		trace.WithAttributes(attribute.String("tenant", tenant), attribute.Int("alerts", len(reports))))
}
