package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/settings"
	"github.com/onepane/onepane/functions/cmd/internal/wire/doors"
	"github.com/onepane/onepane/functions/cmd/internal/wire/exports"
	"github.com/onepane/onepane/functions/cmd/internal/wire/replay"
	"github.com/onepane/onepane/functions/cmd/internal/wire/retention"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/host/standalone"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/localbus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store/localstore"
	"github.com/onepane/onepane/shared/telemetry"
)

// Standalone is every function in one process, over one data directory.
type Standalone struct {
	*standalone.Server
	Store   *localstore.Store
	dir     *datadir.Dir
	exports *export.Function
	keeper  *retention.Keeper
	work    context.Context // of the exports
	stop    func()
}

// NewStandalone opens the data directory and puts everything together. Close it after Run.
func NewStandalone(cfg config.Config, version string, log *slog.Logger) (*Standalone, error) {
	functions, err := routes(cfg.Mappings)
	if err != nil {
		return nil, err
	}
	dir, err := datadir.Open(cfg.Data, datadir.Options{CacheBytes: int64(cfg.CacheMB) << 20, Log: log, Writer: "onepane " + version})
	if err != nil {
		return nil, err
	}
	s, err := assemble(cfg, version, log, dir, functions)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

func assemble(cfg config.Config, version string, log *slog.Logger, dir *datadir.Dir, functions []*ingest.Function) (*Standalone, error) {
	queue, err := localbus.Open(dir, bus.AlertsQueue, localbus.Options{Log: log, Reject: reject})
	if err != nil {
		return nil, err
	}
	store, err := localstore.Open(dir, localstore.Options{Queue: bus.AlertsQueue})
	if err != nil {
		return nil, err
	}
	metrics := telemetry.NewMetrics()
	metrics.Gauge("onepane_pending", "Events accepted and not yet correlated.", func() float64 { return float64(queue.Stats().Pending) })
	metrics.Gauge("onepane_quarantined", "Records in quarantine.", func() float64 { return float64(queue.Stats().DeadLettered) })
	byRoute := map[string]*ingest.Function{}
	for _, fn := range functions {
		prepare(fn, cfg)
		fn.Alerts, fn.Quarantine, fn.Meter, fn.Tracer, fn.Log = queue, queue.Quarantine(), metrics, telemetry.Deliveries{}, log
		byRoute[fn.Route] = fn
	}
	kept := &settings.Keeper{Documents: store, Configured: cfg.Tunings(), Now: time.Now, Log: log}
	fn := &correlate.Function{Store: store, Alerts: store, Tuning: kept.Tuning, Now: time.Now, Meter: metrics, Log: log}
	server := &api.Server{
		Reader: store, Hand: fn, Settings: kept, Shelf: queue.Quarantine(), Replayer: replay.Replayer{Functions: byRoute, Alerts: queue, Now: time.Now},
		BaseURL: cfg.BaseURL, Version: version, Now: time.Now, Log: log,
		Bus: func(context.Context) (api.Bus, error) {
			s := queue.Stats()
			return api.Bus{Pending: s.Pending, DeadLettered: s.DeadLettered}, nil
		},
	}
	in, err := doors.New(cfg, doors.Options{Documents: store, AuditLog: store, Getenv: os.Getenv, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	in.Admit(server)
	out, err := measured(cfg, version, os.Getenv, store, metrics, log)
	if err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.Background())
	server.Exports = exports.API{Function: out}
	return &Standalone{
		Server: &standalone.Server{
			Ingest: &ingest.HTTP{Functions: byRoute, Sender: in.Sender, Settle: settler{queue, store}.settle, Refuse: server.Refuse, Now: time.Now},
			API:    server.Handler(), Metrics: in.Inside(metrics.Handler(), server.Refuse), Correlate: fn.Handle, Bus: local{queue, dir, store, log}, Meter: metrics, Log: log,
		},
		Store: store, dir: dir, exports: out, keeper: &retention.Keeper{Store: store, Days: cfg.RetentionDays, Now: time.Now, Log: log}, work: work, stop: stop,
	}, nil
}

// Run is the server's, with the exports and retention beside it for as long as it runs.
func (s *Standalone) Run(ctx context.Context, l net.Listener, ready func()) error {
	var exports sync.WaitGroup
	exports.Go(func() { s.exports.Run(s.work) })
	exports.Go(s.keep)
	err := s.Server.Run(ctx, l, ready)
	s.stop()
	exports.Wait()
	return err
}

// keep asks once an hour whether something is due to be forgotten.
func (s *Standalone) keep() {
	for s.work.Err() == nil {
		if err := s.keeper.Turn(s.work); err != nil && s.work.Err() == nil {
			s.Log.Warn("retention is not kept and will be tried again", "error", err)
		}
		if export.Wait(s.work, time.Hour) != nil {
			return
		}
	}
}

// Close flushes and unlocks the data directory.
func (s *Standalone) Close() error {
	s.stop()
	return s.dir.Close()
}

// local is the embedded bus as the host sees it.
type local struct {
	*localbus.Bus
	dir   *datadir.Dir
	store *localstore.Store
	log   *slog.Logger
}

// Subscribe lets the log drop the events that correlate is done with and that the store does not keep.
func (l local) Subscribe(ctx context.Context, h func(context.Context, []cloudevent.Event) error) error {
	return l.Bus.Subscribe(ctx, func(ctx context.Context, evs []cloudevent.Event) error {
		err := h(ctx, evs)
		var refused fault.Refused
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		var done []cloudevent.Event
		for i, e := range evs {
			if refused.Reason(i) == nil {
				done = append(done, e)
			}
		}
		if err := l.store.Trim(done); err != nil {
			l.log.WarnContext(ctx, "events stay on the log that nobody needs", "events", len(done), "error", err)
		}
		return err
	})
}

// Drained waits for every session.
func (l local) Drained(ctx context.Context) error {
	sessions, err := l.dir.Log(bus.AlertsQueue).Sessions()
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if err := l.Wait(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// reject makes an event that correlate can never process a rejection for the shelf.
func reject(e cloudevent.Event, reason error) (cloudevent.Event, error) {
	r := events.Rejection{
		Route: "bus", Tenant: e.Tenant, Kind: fault.Of(reason).String(), Reason: reason.Error(), Received: time.Now(), Headers: e.Attributes(),
	}
	r.SetBody(e.Data)
	return events.NewRejection(r, e.Trace)
}

// settler waits until accepted alerts are correlated.
type settler struct {
	bus   *localbus.Bus
	store *localstore.Store
}

func (s settler) settle(ctx context.Context, accepted []ingest.Accepted) error {
	waited := map[string]bool{}
	for i := range accepted {
		a := &accepted[i]
		if !waited[a.Tenant] {
			if err := s.bus.Wait(ctx, a.Tenant); err != nil {
				return fmt.Errorf("wait for %s: %w", a.Tenant, err)
			}
			waited[a.Tenant] = true
		}
		if a.AlertID == "" {
			continue
		}
		m, err := s.store.Alert(ctx, a.Tenant, a.AlertID)
		if err != nil {
			return fmt.Errorf("find alert %s: %w", a.AlertID, err)
		}
		a.AlertID, a.IncidentID = m.Alert.ID, m.Incident
	}
	return nil
}
