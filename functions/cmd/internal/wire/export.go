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

// withGauges makes the export function of the configuration, and shows it to metrics.
func withGauges(cfg config.Config, version string, getenv func(string) string, s exports.Store, metrics *telemetry.Metrics, log *slog.Logger) (*export.Function, error) {
	fn, err := exports.New(cfg, exports.Options{Version: version, Getenv: getenv, Store: s, Now: time.Now, Log: log})
	if err == nil && len(cfg.Exports) > 0 {
		gauges(fn, metrics)
	}
	return fn, err
}

// gauges show all exports together; the API tells them apart.
func gauges(fn *export.Function, metrics *telemetry.Metrics) {
	most := func(of func(export.Status) float64) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			all, err := fn.Status(ctx, func(string) bool { return true })
			if err != nil {
				return -1
			}
			out := 0.0
			for _, s := range all {
				out = max(out, of(s))
			}
			return out
		}
	}
	metrics.Gauge("onepane_export_backlog", "Changes that the export furthest behind has not sent, at most 10000; -1 when unknown.", most(func(s export.Status) float64 { return float64(s.Backlog) }))
	metrics.Gauge("onepane_export_lag_seconds", "Age of the oldest change not sent, of the export furthest behind; -1 when unknown.", most(func(s export.Status) float64 { return s.Lag }))
	metrics.Gauge("onepane_export_failures", "Failures in a row of the export that fails longest; -1 when unknown.", most(func(s export.Status) float64 { return float64(s.Failures) }))
	metrics.Gauge("onepane_export_set_aside", "Records set aside by the export that set most aside; -1 when unknown.", most(func(s export.Status) float64 { return float64(s.Aside) }))
}
