// Package ingest takes one provider delivery in and publishes one event per alert. It keeps nothing and decides nothing
// about incidents.
//
//	delivery ─open─▶ records ─recognize─▶ provider ─normalize─▶ alert ─tenant─▶ publish ─▶ bus
//	   └── whatever cannot go on ──────────────────────────────▶ quarantine, with its reason
package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Publisher puts events on a queue. When it returns nil they are durable. Publishing an event again is harmless.
type Publisher interface {
	Publish(ctx context.Context, evs ...cloudevent.Event) error
}

// Tenants finds whose an alert is. The claim is the tenant the sender wrote, if any.
// An account that no tenant is mapped to is fault.Held.
type Tenants interface {
	Tenant(a alert.Account, claim string) (string, error)
}

// Meter counts what happens to records. Every method must be safe for concurrent use.
type Meter interface {
	Accepted(route, provider string)
	Ignored(route string)
	Rejected(route string, kind fault.Kind)
}

// Function is the ingest function of one route.
type Function struct {
	Route      string // aws, azure, gcp, webhook: as in /api/ingest/{route}
	Envelope   Envelope
	Providers  []Provider // in order: the first that recognizes a record reads it
	Tenants    Tenants
	Alerts     Publisher // the queue that correlate reads
	Quarantine Publisher
	Meter      Meter
	Tracer     Tracer // nil carries the sender's trace on, and makes no span
	Log        *slog.Logger
	// ExposuresAsAlerts names providers whose posture findings are to be alerts.
	ExposuresAsAlerts []string

	logLimit logLimiter // bounds the log lines of rejections
}

// Receipt answers a delivery, finding by finding, in the shape of the ingest route.
type Receipt struct {
	Accepted []Accepted `json:"accepted"`
	Ignored  []Skipped  `json:"ignored"`
	Rejected []Skipped  `json:"rejected"`
}

// newReceipt is the empty receipt: its lists are written as [], not null.
func newReceipt() Receipt {
	return Receipt{Accepted: []Accepted{}, Ignored: []Skipped{}, Rejected: []Skipped{}}
}

// Accepted names what a finding became. Index is its place in the delivery, from 0.
type Accepted struct {
	Index      int    `json:"index"`
	AlertID    string `json:"alertId,omitzero"`
	ExposureID string `json:"exposureId,omitzero"`
	IncidentID string `json:"incidentId,omitzero"` // only after waiting for correlation
	Tenant     string `json:"-"`
}

// Skipped names a finding that was not taken, by its place in the delivery, from 0, and says why.
type Skipped struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

// Handle publishes every alert in d and quarantines what it cannot read; both are durable when it returns without
// error. Repeating it is safe: an alert keeps its ID, and whoever reads the bus expects to meet an ID twice. A
// delivery of which nothing can be used is fault.Invalid or fault.TooLarge, and its receipt says what was wrong
// where.
func (f *Function) Handle(ctx context.Context, d Delivery) (Receipt, error) {
	ctx, end := f.startSpan(ctx, &d)
	defer end()
	receipt := newReceipt()
	opened, err := d.openBody()
	if err != nil {
		return receipt, f.rejectDelivery(ctx, d, err)
	}
	records, err := f.Envelope.Open(opened)
	if err != nil {
		return receipt, f.rejectDelivery(ctx, opened, err)
	}
	if len(records) > MaxRecords {
		return receipt, f.rejectDelivery(ctx, opened, tooManyRecords())
	}
	b := batch{f: f, d: opened, receipt: &receipt}
	for _, r := range f.recognizeFindings(records) {
		b.addRecord(r)
	}
	if err := b.publishAll(ctx); err != nil {
		return receipt, err
	}
	if len(receipt.Accepted)+len(receipt.Ignored) == 0 && len(receipt.Rejected) > 0 {
		return receipt, fault.Errorf(b.worst, "%s", summarizeReasons(receipt.Rejected))
	}
	return receipt, nil
}

// Read normalizes a delivery without publishing it, for `onepane replay`. Errors are those of Handle.
func (f *Function) Read(d Delivery) ([]alert.Alert, Receipt, error) {
	receipt := Receipt{}
	opened, err := d.openBody()
	if err != nil {
		return nil, receipt, err
	}
	records, err := f.Envelope.Open(opened)
	if err != nil {
		return nil, receipt, err
	}
	b := batch{f: f, d: opened, receipt: &receipt}
	for _, r := range f.recognizeFindings(records) {
		b.addRecord(r)
	}
	return b.alerts, receipt, nil
}

// recognizeFindings gives each record the provider that reads it, and lets that provider split a record of several
// findings. A record without a provider keeps none: batch says why it is rejected.
func (f *Function) recognizeFindings(records []Record) []Record {
	out := make([]Record, 0, len(records))
	for _, r := range records {
		r.provider = f.providerOf(r)
		splitter, ok := r.provider.(Splitter)
		if !ok {
			out = append(out, r)
			continue
		}
		parts, err := splitter.Split(r)
		if err != nil {
			parts = []Record{{Raw: r.Raw, Context: r.Context, Err: err}}
		}
		for _, part := range parts {
			if part.provider == nil { // a record that holds one finding comes back with its provider
				part.provider = f.providerOf(part)
			}
			out = append(out, part)
		}
	}
	return out
}

// providerOf is the first provider of the route that recognizes r; nil when none does, and for what is no finding.
func (f *Function) providerOf(r Record) Provider {
	if r.Err != nil || r.Ignored != "" {
		return nil
	}
	for _, p := range f.Providers {
		if p.Recognize(r) {
			return p
		}
	}
	return nil
}

// rejectDelivery puts a whole delivery into quarantine and returns reason, or the error that kept it out.
func (f *Function) rejectDelivery(ctx context.Context, d Delivery, reason error) error {
	f.withMeter(func(m Meter) { m.Rejected(f.Route, fault.Of(reason)) })
	e, err := f.newRejection(d, Record{Raw: d.Body}, "", 0, reason)
	if err != nil {
		return err
	}
	r := rejectedRecord{e, "", 0, reason}
	if len(d.Body) == 0 { // there is nothing to keep
		f.logRejection(ctx, d.Received, r)
		return reason
	}
	if err := f.quarantineRecords(ctx, d.Received, r); err != nil {
		return err
	}
	return reason
}

// newRejection is the quarantine event of one record: its bytes, why, and what a retry needs of headers and wrappers.
func (f *Function) newRejection(d Delivery, r Record, provider string, index int, reason error) (cloudevent.Event, error) {
	headers := make(map[string]string, len(r.Context)+1)
	for k, v := range d.Headers {
		if k == "content-type" || strings.HasPrefix(k, "ce-") {
			headers[k] = v
		}
	}
	maps.Copy(headers, prefixContext(r.Context))
	q := events.Rejection{
		Route: f.Route, Provider: provider, Tenant: d.Tenant, Kind: fault.Of(reason).String(),
		Reason: reasonOf(reason), Index: index, Received: d.Received, Headers: headers,
	}
	q.SetBody(r.Raw)
	return events.NewRejection(q, d.Trace)
}

// contextPrefix marks, among a rejection's headers, what the wrappers of the record stated.
const contextPrefix = "context-"

// prefixContext gives the wrapper facts of a record the names that they have among a rejection's headers.
func prefixContext(context map[string]string) map[string]string {
	out := make(map[string]string, len(context))
	for k, v := range context {
		out[contextPrefix+k] = v
	}
	return out
}

// Retry handles a quarantined record again, with the headers and wrapper facts kept beside it. A record that
// was cut is fault.TooLarge.
func (f *Function) Retry(ctx context.Context, r events.Rejection, now time.Time) (Receipt, error) {
	if r.Cut {
		return Receipt{}, fault.Errorf(fault.TooLarge, "only the first %d of %d bytes were kept", events.MaxRejected, r.Size)
	}
	d := Delivery{Body: r.Bytes(), Headers: map[string]string{}, Tenant: r.Tenant, Received: now}
	context := map[string]string{}
	for k, v := range r.Headers {
		if name, ok := strings.CutPrefix(k, contextPrefix); ok {
			context[name] = v
		} else {
			d.Headers[k] = v
		}
	}
	if len(context) == 0 {
		return f.Handle(ctx, d)
	}
	receipt := newReceipt()
	b := batch{f: f, d: d, receipt: &receipt}
	rec := Record{Raw: d.Body, Context: context}
	if rec.Raw.IsValid() {
		rec = NewRecord(rec.Raw, context)
	}
	for _, rec := range f.recognizeFindings([]Record{rec}) {
		b.addRecord(rec)
	}
	return receipt, b.publishAll(ctx)
}

// withMeter calls update with the meter, where there is one.
func (f *Function) withMeter(update func(Meter)) {
	if f.Meter != nil {
		update(f.Meter)
	}
}

// loggerOrDiscard is Log, or a logger that writes nowhere.
func (f *Function) loggerOrDiscard() *slog.Logger {
	if f.Log != nil {
		return f.Log
	}
	return slog.New(slog.DiscardHandler)
}

// summarizeReasons joins the first three reasons of a delivery of which nothing was accepted, and counts the others.
func summarizeReasons(refused []Skipped) string {
	const shown = 3
	parts := make([]string, 0, shown+1)
	for i, r := range refused {
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more", len(refused)-shown))
			break
		}
		if len(refused) > 1 {
			parts = append(parts, "record "+strconv.Itoa(r.Index)+": "+r.Reason)
		} else {
			parts = append(parts, r.Reason)
		}
	}
	return strings.Join(parts, "; ")
}

// memberNames lists the first eight names of a record's members, for the reason that nobody recognizes it.
func memberNames(r Record) string {
	names := make([]string, len(r.Fields))
	for i, m := range r.Fields {
		names[i] = m.Name
	}
	slices.Sort(names)
	if len(names) > 8 {
		names = append(names[:8], "…")
	}
	return strings.Join(names, ", ")
}
