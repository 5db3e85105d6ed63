package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Export is the state of one export at a scrape.
type Export struct {
	Name, Target, Tenant string

	Backlog      int       // changes not yet sent
	Lag          float64   // age in seconds of the oldest of them
	Failures     int       // in a row
	Sent         int64     // records taken, ever
	DeadLettered int64     // records that the receiver will never take, ever
	LastSent     time.Time // zero for never
	LastFailed   time.Time // of the failures in a row; zero when there are none
}

// Exports adds the metrics of exports; read is called at each scrape. While it fails they are missing, which is better
// than a wrong zero.
func (m *Metrics) Exports(read func(context.Context) ([]Export, error)) {
	m.registry.MustRegister(exportGauges{read})
}

const scrapeTimeout = 5 * time.Second

// exportGauges is the prometheus.Collector of exports.
type exportGauges struct {
	read func(context.Context) ([]Export, error)
}

// exportMetric is one metric of each export.
type exportMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(Export) float64
}

func exportFamily(name, help string, kind prometheus.ValueType, value func(Export) float64) exportMetric {
	return exportMetric{prometheus.NewDesc(name, help, []string{"export", "target", "tenant"}, nil), kind, value}
}

var exportMetrics = []exportMetric{
	exportFamily("onepane_export_backlog", "Changes that an export has not sent yet, counted up to 10000.", prometheus.GaugeValue,
		func(e Export) float64 { return float64(e.Backlog) }),
	exportFamily("onepane_export_lag_seconds", "Age of the oldest change that an export has not sent; 0 without backlog.", prometheus.GaugeValue,
		func(e Export) float64 { return e.Lag }),
	exportFamily("onepane_export_failures", "Failures of an export in a row; 0 when the last attempt went well.", prometheus.GaugeValue,
		func(e Export) float64 { return float64(e.Failures) }),
	exportFamily("onepane_export_sent_total", "Records that an export's receiver has taken, repeats included, over restarts.", prometheus.CounterValue,
		func(e Export) float64 { return float64(e.Sent) }),
	exportFamily("onepane_export_set_aside_total", "Records that an export set aside because the receiver will never take them, over restarts.", prometheus.CounterValue,
		func(e Export) float64 { return float64(e.DeadLettered) }),
	exportFamily("onepane_export_last_sent_timestamp_seconds", "When an export's receiver last took something; 0 for never.", prometheus.GaugeValue,
		func(e Export) float64 { return unixSeconds(e.LastSent) }),
	exportFamily("onepane_export_last_error_timestamp_seconds", "When an export failed last, while it fails; 0 when it does not. The API has the words.", prometheus.GaugeValue,
		func(e Export) float64 { return unixSeconds(e.LastFailed) }),
}

// unixSeconds returns the seconds since 1970, 0 for the zero time.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// Describe implements prometheus.Collector.
func (exportGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range exportMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (g exportGauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	all, err := g.read(ctx)
	if err != nil {
		return
	}
	for _, e := range all {
		for _, m := range exportMetrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(e), e.Name, e.Target, e.Tenant)
		}
	}
}
