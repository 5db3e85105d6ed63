package wire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/settings"
	"github.com/onepane/onepane/functions/cmd/internal/wire/auth"
	"github.com/onepane/onepane/functions/cmd/internal/wire/exports"
	"github.com/onepane/onepane/functions/cmd/internal/wire/replay"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/host/standalone"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/settle"
	"github.com/onepane/onepane/functions/retention"
	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/bus/localbus"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/store/localstore"
	"github.com/onepane/onepane/shared/telemetry"
)

// Standalone is every function in one process, over one data directory.
type Standalone struct {
	*standalone.Server
	Store   *localstore.Store
	dir     *datadir.Dir
	exports *export.Function
	expiry  *retention.Function
	work    context.Context // of exports and retention
	stop    func()
}

// NewStandalone opens the data directory and puts everything together. Close it after Run.
func NewStandalone(cfg config.Config, version string, log *slog.Logger) (*Standalone, error) {
	functions, err := ingestFunctions(cfg)
	if err != nil {
		return nil, err
	}
	dir, err := datadir.Open(cfg.Data, datadir.Options{CacheBytes: int64(cfg.CacheMB) << 20, Log: log, Writer: "onepane " + version})
	if err != nil {
		return nil, err
	}
	s, err := newStandalone(cfg, version, log, dir, functions)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

func newStandalone(cfg config.Config, version string, log *slog.Logger, dir *datadir.Dir, functions []*ingest.Function) (*Standalone, error) {
	queue, err := localbus.Open(dir, bus.AlertsQueue, localbus.Options{Log: log, Reject: rejectionEvent})
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
		fn.Alerts, fn.Quarantine, fn.Meter, fn.Tracer, fn.Log = queue, queue.Quarantine(), metrics, telemetry.Deliveries{}, log
		byRoute[fn.Route] = fn
	}
	kept := &settings.Keeper{Documents: store, Configured: cfg.Tunings(), Now: time.Now, Log: log}
	fn := &correlate.Function{Store: store, Alerts: store, Tuning: kept.Tuning, Now: time.Now, Meter: metrics, Log: log}
	server := &api.Server{
		Reader: store, Actions: fn, Settings: kept, Quarantine: queue.Quarantine(), Replayer: replay.API{Replayer: ingest.Replayer{Functions: byRoute, Alerts: queue, Now: time.Now}},
		BaseURL: cfg.BaseURL, Version: version, Now: time.Now, Log: log,
		Bus: func(context.Context) (api.Bus, error) {
			s := queue.Stats()
			return api.Bus{Pending: s.Pending, DeadLettered: s.DeadLettered}, nil
		},
	}
	in, err := auth.New(cfg, auth.Options{Documents: store, AuditLog: store, Getenv: os.Getenv, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	in.SetUpServer(server)
	out, err := newExports(cfg, version, os.Getenv, store, metrics, log)
	if err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.Background())
	server.Exports = exports.API{Function: out}
	return &Standalone{
		Server: &standalone.Server{
			Ingest: &ingest.HTTP{Functions: byRoute, Sender: in.IdentifySender, Settle: settle.Draining{Store: store, Bus: queue}.Settle, Refuse: server.Refuse, Now: time.Now},
			API:    server.Handler(), Metrics: in.RequireAllTenants(metrics.Handler(), server.Refuse), Correlate: fn.Handle, Bus: trimmingBus{queue, dir, store, log}, Meter: metrics, Log: log,
		},
		Store: store, dir: dir, exports: out, expiry: &retention.Function{Store: store, Days: cfg.RetentionDays, Now: time.Now, Log: log}, work: work, stop: stop,
	}, nil
}

// Run is the server's, with the exports and retention beside it for as long as it runs.
func (s *Standalone) Run(ctx context.Context, l net.Listener, ready func()) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.exports.Run(s.work) })
	beside.Go(func() { s.expiry.Run(s.work) })
	err := s.Server.Run(ctx, l, ready)
	s.stop()
	beside.Wait()
	return err
}

// Close flushes and unlocks the data directory.
func (s *Standalone) Close() error {
	s.stop()
	return s.dir.Close()
}
