// Package replay runs recorded deliveries through the real pipeline in memory and in virtual time: a backtest. What
// it decides is what correlate would have decided on the same alerts in the same order.
//
//	files ─▶ values ─▶ ingest.Read ─▶ alerts ─▶ correlation.Engine ─▶ incidents, folds
//	                                                └── memory: what a store would keep, as small as decisions allow
package replay

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Replay is one run. Its zero value is not usable: Functions must be set.
type Replay struct {
	// Functions read the records, tried in order; the one that read the last record is tried first.
	Functions []*ingest.Function
	// Params is used for every tenant; nil is the default.
	Params *correlation.Params
	// ParamsOf gives each tenant its own, and is asked instead of Tuning unless it is nil.
	ParamsOf func(tenant string) *correlation.Params
	// Problem is told of records that could not be read, with file and record number from 1. Nil drops them silently.
	Problem func(file string, record int, reason string)
	// Progress is called now and then with the number of records read.
	Progress func(records int)

	tenants map[string]*tenant
	senders []senderRef
	known   map[uint64]bool // senders, hashed: millions fit
	seed    maphash.Seed
	clock   time.Time
	records int
	result  Result
	last    int
}

// senderRef is the sender's own id of an alert, with ours.
type senderRef struct {
	id, alert string
	tenant    *tenant
}

// Result counts what happened.
type Result struct {
	Records, Alerts, Exposures, Ignored, Rejected, Folded, Repeats, Merged int
}

// tenant is one tenant's engine, and the memory that stands for its store.
type tenant struct {
	name   string
	engine *correlation.Engine
	memory *memory
}

const (
	// maxRecords is the number of records of all tenants' states: one that has more than its share is dropped and read
	// back from memory on demand, leastRecords or fewer excepted.
	maxRecords, leastRecords = 100_000, 2_000
	// batchSize is how many alerts are decided between two Takes.
	batchSize = 100
)

// Read replays one input. Alerts that arrive "now" arrive at their event time, but never before what came before.
func (r *Replay) Read(ctx context.Context, name string, in io.Reader) error {
	if r.tenants == nil {
		r.tenants, r.known, r.seed = map[string]*tenant{}, map[uint64]bool{}, maphash.MakeSeed()
	}
	waiting := map[string][]*correlation.Report{}
	flush := func() {
		for id, as := range waiting {
			r.applyReports(id, as)
		}
		clear(waiting)
	}
	n, held := 0, 0
	err := readValues(in, func(body []byte) error {
		for _, a := range r.readRecord(name, &n, body) {
			waiting[a.Tenant] = append(waiting[a.Tenant], correlation.NewReport(a))
			held++
		}
		if held >= batchSize {
			flush()
			held = 0
		}
		return ctx.Err()
	})
	flush()
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// readRecord turns one value of the input into alerts, and counts it.
func (r *Replay) readRecord(name string, n *int, body []byte) []alert.Alert {
	alerts, receipt, err := r.readByProvider(body)
	first := *n + 1
	*n += max(1, len(alerts)+len(receipt.Ignored)+len(receipt.Rejected))
	r.records += *n + 1 - first
	if r.Progress != nil && r.records/10_000 != r.result.Records/10_000 {
		r.Progress(r.records)
	}
	r.result.Records = r.records
	r.result.Ignored += len(receipt.Ignored)
	r.result.Rejected += len(receipt.Rejected)
	if err != nil {
		r.result.Rejected++
		r.reportProblem(name, first, err.Error())
	}
	for _, rej := range receipt.Rejected {
		r.reportProblem(name, first+rej.Index, rej.Reason)
	}
	for i := range alerts {
		a := &alerts[i]
		if a.Delivered.Before(r.clock) {
			a.Delivered = r.clock
		}
		r.clock = a.Delivered
		s := senderRef{senderID(a), a.ID, r.tenantOf(a.Tenant)}
		if key := maphash.Comparable(r.seed, s); !r.known[key] {
			r.known[key] = true
			r.senders = append(r.senders, s)
		}
	}
	return alerts
}

// readByProvider reads body with the first function that recognizes it.
func (r *Replay) readByProvider(body []byte) ([]alert.Alert, ingest.Receipt, error) {
	var firstErr error
	var firstReceipt ingest.Receipt
	for k := range r.Functions {
		i := (r.last + k) % len(r.Functions)
		alerts, receipt, err := r.Functions[i].Read(ingest.Delivery{Body: body})
		if err == nil && len(receipt.Rejected) == 0 && len(alerts)+len(receipt.Ignored) > 0 {
			r.last = i
			return alerts, receipt, nil
		}
		if len(alerts) > 0 { // it is this function's, with some bad records among them
			return alerts, receipt, nil
		}
		if err == nil && len(receipt.Rejected) == 0 {
			return nil, receipt, nil // an empty page
		}
		if firstErr == nil && len(firstReceipt.Rejected) == 0 || isRecognized(receipt) {
			firstErr, firstReceipt = err, receipt
		}
	}
	return nil, firstReceipt, firstErr
}

// isRecognized reports whether a provider recognized the record, so that its reason is the one to tell.
func isRecognized(r ingest.Receipt) bool {
	return len(r.Rejected) == 1 && !ingest.IsUnrecognized(r.Rejected[0].Reason)
}

// senderID is the sender's own id of an alert.
func senderID(a *alert.Alert) string {
	if id := a.Extra["sender_id"]; id != "" {
		return id
	}
	return a.ReportID
}

// applyReports applies reports of one tenant.
func (r *Replay) applyReports(id string, reports []*correlation.Report) {
	t := r.tenantOf(id)
	if t.engine == nil || t.engine.Len() > max(leastRecords, maxRecords/len(r.tenants)) {
		t.engine = correlation.NewEngine(id, r.paramsOf(id))
	}
	for refs := t.engine.Missing(reports); !refs.Empty(); refs = t.engine.Missing(reports) {
		t.engine.Put(t.memory.loadRecords(refs), refs)
	}
	for _, rep := range reports {
		r.countOutcome(rep.Alert, t.engine.Apply(rep, 0, rep.Alert.Delivered))
	}
	t.memory.commitChanges(t.engine.Take())
}

func (r *Replay) paramsOf(tenant string) *correlation.Params {
	if r.ParamsOf != nil {
		return r.ParamsOf(tenant)
	}
	return r.Params
}

func (r *Replay) tenantOf(name string) *tenant {
	t := r.tenants[name]
	if t == nil {
		t = &tenant{name: name, memory: newMemory()}
		r.tenants[name] = t
	}
	return t
}

func (r *Replay) countOutcome(a alert.Alert, o correlation.Outcome) {
	switch {
	case o.Folded && o.New:
		r.result.Folded++
	case !o.New:
		r.result.Repeats++
	case a.Class == alert.Exposure:
		r.result.Exposures++
	default:
		r.result.Alerts++
	}
	r.result.Merged += len(o.MergedFrom)
}

// reportProblem tells whoever asked of a record that could not be read.
func (r *Replay) reportProblem(file string, record int, reason string) {
	if r.Problem != nil {
		r.Problem(file, record, reason)
	}
}

// Result gives the counts so far.
func (r *Replay) Result() Result { return r.result }

// Assignment says which incident one of the sender's alerts ended in.
type Assignment struct {
	AlertID   string // the sender's own
	Incident  string // tenant and incident, survivors of merges; empty for an exposure
	Canonical string // the sender's id of the alert it was folded into; empty when it was not
}

// Assignments lists every distinct alert id given, in order of first appearance.
func (r *Replay) Assignments() iter.Seq[Assignment] {
	return func(yield func(Assignment) bool) {
		type name struct {
			tenant *tenant
			alert  string
		}
		own := make(map[name]int, len(r.senders)) // the sender that named the alert first
		for i, s := range r.senders {
			if _, has := own[name{s.tenant, s.alert}]; !has {
				own[name{s.tenant, s.alert}] = i
			}
		}
		for i, s := range r.senders {
			as, m := Assignment{AlertID: s.id}, s.tenant.memory
			b := m.alerts[s.alert]
			if b.foldedInto != "" {
				if first, known := own[name{s.tenant, b.foldedInto}]; known {
					as.Canonical = r.senders[first].id
				}
				b = m.alerts[b.foldedInto]
			} else if first := own[name{s.tenant, s.alert}]; first != i { // two products' reports of one alert
				as.Canonical = r.senders[first].id
			}
			if id := m.survivorOf(b.incident); id != "" {
				as.Incident = s.tenant.name + "/" + id
			}
			if !yield(as) {
				return
			}
		}
	}
}

// Incidents lists the incidents that live on, per tenant in order of first activity.
func (r *Replay) Incidents() []incident.Incident {
	var out []incident.Incident
	for _, t := range r.tenants {
		out = append(out, t.memory.activeIncidents()...)
	}
	sortIncidents(out)
	return out
}

// errNotJSON is what an input that is neither JSON nor NDJSON gets.
func errNotJSON(reason string) error { return fault.Errorf(fault.Invalid, "%s", reason) }
