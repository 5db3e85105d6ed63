package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// Metrics counts each stage for Prometheus: the Meter of ingest, correlate and host. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	records    *prometheus.CounterVec // route, provider, outcome
	rejected   *prometheus.CounterVec // route, kind
	correlated *prometheus.CounterVec // outcome
	opened     prometheus.Counter
	merged     prometheus.Counter
	conflicts  prometheus.Counter
	lag        prometheus.Histogram
	requests   *prometheus.HistogramVec // route, method, code
}

// NewMetrics registers everything in a registry of its own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onepane_ingest_records_total",
			Help: "Records of deliveries by route, provider and what became of them (accepted, ignored)."}, []string{"route", "provider", "outcome"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onepane_ingest_rejected_total",
			Help: "Records set aside in quarantine, by route and kind of reason."}, []string{"route", "kind"}),
		correlated: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onepane_correlated_total",
			Help: "Alert reports correlated, by outcome (new, exposure, update, repeat, folded)."}, []string{"outcome"}),
		opened:    prometheus.NewCounter(prometheus.CounterOpts{Name: "onepane_incidents_opened_total", Help: "Incidents opened."}),
		merged:    prometheus.NewCounter(prometheus.CounterOpts{Name: "onepane_incidents_merged_total", Help: "Incidents merged into others."}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{Name: "onepane_correlation_conflicts_total", Help: "Commits that lost a race and were decided again."}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "onepane_delivery_to_commit_seconds",
			Help: "Time from a report's delivery to its commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18)}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "onepane_http_request_seconds",
			Help: "HTTP requests by route, method and status.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"route", "method", "code"}),
	}
	m.registry.MustRegister(m.records, m.rejected, m.correlated, m.opened, m.merged, m.conflicts, m.lag, m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a gauge; value is called at each scrape.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler serves the metrics as Prometheus text.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Accepted counts a record that became an alert or an exposure.
func (m *Metrics) Accepted(route, provider string) {
	m.records.WithLabelValues(route, provider, "accepted").Inc()
}

// Ignored counts a record that is no finding.
func (m *Metrics) Ignored(route string) { m.records.WithLabelValues(route, "", "ignored").Inc() }

// Rejected counts a record that went to quarantine.
func (m *Metrics) Rejected(route string, kind fault.Kind) {
	m.rejected.WithLabelValues(route, kind.String()).Inc()
}

// Correlated counts a report that was decided, lag after its delivery.
func (m *Metrics) Correlated(o correlation.Outcome, lag time.Duration) {
	m.correlated.WithLabelValues(outcomeLabel(o)).Inc()
	if o.Opened {
		m.opened.Inc()
	}
	m.merged.Add(float64(len(o.MergedFrom)))
	m.lag.Observe(max(0, lag.Seconds()))
}

// outcomeLabel returns the label of an outcome.
func outcomeLabel(o correlation.Outcome) string {
	switch {
	case o.Folded && o.New:
		return "folded"
	case o.New && o.Incident == "":
		return "exposure"
	case o.New:
		return "new"
	case o.Changed:
		return "update"
	}
	return "repeat"
}

// Conflict counts a commit that lost a race with another.
func (m *Metrics) Conflict() { m.conflicts.Inc() }

// Request counts an HTTP request and how long its answer took. route is the pattern that served it.
func (m *Metrics) Request(route, method string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(code)).Observe(took.Seconds())
}
