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

// Store keeps tenants' records. Commit is fault.Conflict when the tenant is no longer at version.
type Store interface {
	Load(ctx context.Context, tenant string, refs incident.Refs) (incident.Loaded, error)
	Commit(ctx context.Context, tenant string, version uint64, c incident.Changes) error
}

// Meter counts decisions. Its methods must be safe for concurrent use.
type Meter interface {
	// Correlated counts one report, with the time from its delivery to its commit.
	Correlated(o correlation.Outcome, lag time.Duration)
	// Conflict counts a commit that lost a race with another.
	Conflict()
}

// Function is the correlate function. It keeps an engine for each tenant between batches as long as nobody else
// commits; losing one costs only loading. Safe for concurrent use; batches of one tenant wait for each other.
type Function struct {
	Store Store
	// Tuning returns a tenant's parameters, nil for the defaults; a change holds from the tenant's next batch on. nil
	// gives every tenant the defaults.
	Tuning func(tenant string) *correlation.Params
	Now    func() time.Time
	Meter  Meter
	Log    *slog.Logger
	Alerts Lister // for Act; nil leaves an incident's alerts as they are when it is resolved or assigned

	mu      sync.Mutex
	engines map[string]*tenantEngine
}

// tenantEngine is a tenant's engine, whose records are as of a version.
type tenantEngine struct {
	sync.Mutex
	engine  *correlation.Engine
	tuning  *correlation.Params
	version uint64
	known   bool // version was read from the store, or is that of the last commit here
}

const (
	// maxStep is how many alerts are decided and committed at once. Each changes at most two stored alerts, itself
	// and the one it is folded into, so that a commit stays within the store's limit of 100.
	maxStep = 50
	// maxState is the number of records beyond which a kept engine is dropped: some 25 MB. An alert brings 15 to 20
	// records, most of which no later alert needs; the others soon come back from the store's cache.
	maxState = 20_000
	// maxTries is how often a batch is decided before Handle gives up: each time but the first another commit was
	// faster.
	maxTries = 5
)

// Handle correlates the alerts of evs and commits the outcome. Repeating it is safe: a report that is known changes
// nothing. Events that are no alerts come back as fault.Refused; all others are done.
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
		for reports := range slices.Chunk(byTenant[tenant], maxStep) {
			if err := f.correlateReports(ctx, tenant, reports); err != nil {
				return fmt.Errorf("correlate %d alerts of %s: %w", len(reports), tenant, err)
			}
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

// report is one alert with the position and trace of its event.
type report struct {
	*correlation.Report
	position uint64
	trace    string
}

// correlateReports decides and commits up to maxStep alerts of one tenant, again after a lost race.
func (f *Function) correlateReports(ctx context.Context, tenant string, reports []report) error {
	ctx, span := f.startSpan(ctx, tenant, reports)
	defer span.End()
	c := f.engineOf(tenant)
	c.Lock()
	defer c.Unlock()
	for try := 1; ; try++ {
		outcomes, err := f.decideReports(ctx, tenant, c, reports)
		if err == nil {
			f.noteOutcomes(ctx, reports, outcomes)
			return nil
		}
		c.engine = nil // it holds decisions that are not committed
		if fault.Of(err) != fault.Conflict || try == maxTries {
			span.RecordError(err)
			return err
		}
		if f.Meter != nil {
			f.Meter.Conflict()
		}
	}
}

// decideReports loads, decides and commits once; the caller holds c's lock.
func (f *Function) decideReports(ctx context.Context, tenant string, c *tenantEngine, reports []report) ([]correlation.Outcome, error) {
	f.prepareEngine(tenant, c)
	if err := f.loadForReports(ctx, tenant, c, reports); err != nil {
		return nil, err
	}
	outcomes := make([]correlation.Outcome, len(reports))
	now := f.Now()
	for i, r := range reports {
		outcomes[i] = c.engine.Apply(r.Report, r.position, now)
	}
	changes := c.engine.Take()
	if changes.Empty() {
		return outcomes, nil
	}
	if err := f.Store.Commit(ctx, tenant, c.version, changes); err != nil {
		return nil, storeError("commit", err)
	}
	c.version++
	return outcomes, nil
}

// storeError makes an error that nobody classified fault.Unavailable: the store is down, which says nothing about the
// alerts.
func storeError(doing string, err error) error {
	if fault.Of(err) == fault.Again {
		return fault.Errorf(fault.Unavailable, "%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// loadForReports loads the records that deciding about the reports needs. It is fault.Conflict when others have
// committed since the engine's version.
func (f *Function) loadForReports(ctx context.Context, tenant string, c *tenantEngine, reports []report) error {
	wanted := make([]*correlation.Report, len(reports))
	for i, r := range reports {
		wanted[i] = r.Report
	}
	return f.loadMissing(ctx, tenant, c, func() incident.Refs { return c.engine.Missing(wanted) })
}

// prepareEngine makes a new engine when there is none, or it has too many records or other parameters than the tenant
// now has.
func (f *Function) prepareEngine(tenant string, c *tenantEngine) {
	tuning := f.tuningOf(tenant)
	if c.engine == nil || c.engine.Len() > maxState || c.tuning != tuning {
		c.engine, c.tuning = correlation.NewEngine(tenant, tuning), tuning
		c.known = false
	}
}

// loadMissing loads the missing records until none is missing: loaded records may name others.
func (f *Function) loadMissing(ctx context.Context, tenant string, c *tenantEngine, missing func() incident.Refs) error {
	for {
		refs := missing()
		if refs.Empty() {
			return nil
		}
		loaded, err := f.Store.Load(ctx, tenant, refs)
		if err != nil {
			return storeError("load state", err)
		}
		if err := c.checkVersion(tenant, loaded.Version); err != nil {
			return err
		}
		c.engine.Put(loaded, refs)
	}
}

// checkVersion notes the store's version; fault.Conflict when the engine's records are of another.
func (c *tenantEngine) checkVersion(tenant string, version uint64) error {
	if c.known && version != c.version {
		return fault.Errorf(fault.Conflict, "tenant %s moved from version %d to %d", tenant, c.version, version)
	}
	c.version, c.known = version, true
	return nil
}

// engineOf returns a tenant's engine; lock it.
func (f *Function) engineOf(tenant string) *tenantEngine {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.engines == nil {
		f.engines = map[string]*tenantEngine{}
	}
	c := f.engines[tenant]
	if c == nil {
		c = &tenantEngine{}
		f.engines[tenant] = c
	}
	return c
}

// tuningOf returns a tenant's parameters, nil for the defaults.
func (f *Function) tuningOf(tenant string) *correlation.Params {
	if f.Tuning == nil {
		return nil
	}
	return f.Tuning(tenant)
}

// noteOutcomes writes what was decided to log and metrics.
func (f *Function) noteOutcomes(ctx context.Context, reports []report, outcomes []correlation.Outcome) {
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

// startSpan starts a span in the trace of the first report that has one, and links it to those of the others.
func (f *Function) startSpan(ctx context.Context, tenant string, reports []report) (context.Context, trace.Span) {
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
