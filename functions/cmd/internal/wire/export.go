package wire

import (
	"context"
	"log/slog"
	"time"

	"github.com/onepane/onepane/functions/cmd/internal/wire/exports"
	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/telemetry"
)

// newExports makes the export function of the configuration, and lets metrics show how each export does.
func newExports(cfg config.Config, version string, getenv func(string) string, s exports.Store, metrics *telemetry.Metrics, log *slog.Logger) (*export.Function, error) {
	fn, err := exports.New(cfg, exports.Options{Version: version, PortalURL: cfg.BaseURL, Getenv: getenv, Store: s, Now: time.Now, Log: log})
	if err == nil {
		metrics.Exports(exportFigures{fn}.readExports)
	}
	return fn, err
}

// exportFigures are an export function's, as metrics want them.
type exportFigures struct{ *export.Function }

func (f exportFigures) readExports(ctx context.Context) ([]telemetry.Export, error) {
	all, err := f.Status(ctx, func(string) bool { return true })
	out := make([]telemetry.Export, len(all))
	for i, s := range all {
		out[i] = telemetry.Export{
			Name: s.Name, Target: s.Target, Tenant: s.Tenant, Backlog: s.Backlog, Lag: s.Lag, Failures: s.Failures,
			Sent: s.Sent, DeadLettered: s.DeadLettered, LastSent: s.LastSent, LastFailed: s.ErrorAt,
		}
	}
	return out, err
}
