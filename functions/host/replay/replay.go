// Package replay runs recorded deliveries through the real pipeline in memory and in virtual time: a backtest. What
// it decides is what correlate would have decided on the same alerts in the same order.
//
//	files ─▶ values ─▶ ingest.Read ─▶ alerts ─▶ correlation.Engine ─▶ incidents, folds
//	                                                └── memory: what a store would keep, as small as a decision needs it
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
	// Tuning is used for every tenant; nil is the default.
	Tuning *correlation.Params
	// TuningOf gives each tenant its own, and is asked instead of Tuning unless it is nil.
	TuningOf func(tenant string) *correlation.Params
	// Problem is told of records that could not be read, with file and record number from 1. Nil drops them silently.
	Problem func(file string, record int, reason string)
	// Progress is called now and then with the number of records read.
	Progress func(records int)

	tenants map[string]*tenant
	senders []sender
	known   map[uint64]bool // senders, hashed: millions fit
	seed    maphash.Seed
	clock   time.Time
	records int
	result  Result
	last    int
}

// sender ties the sender's own id of an alert to ours.
type sender struct {
	id, alert string
	tenant    *tenant
}

// Result counts what happened.
type Result struct {
	Records, Alerts, Exposures, Ignored, Rejected, Folded, Repeats, Merged int
}

// tenant is one tenant's state and memory.
type tenant struct {
	name   string
	state  *correlation.Engine
	memory *memory
}

const (
	// maxStates is the number of records of all tenants' states: one that has more than its share is dropped and read back from
	// memory on demand, leastState or fewer excepted.
	maxStates, leastState = 100_000, 2_000
	// batch is how many alerts are decided between two Takes.
	batch = 100
)

// Read replays one input. Alerts that arrive "now" arrive at their event time, but never before what came before.
func (r *Replay) Read(ctx context.Context, name string, in io.Reader) error {
	if r.tenants == nil {
		r.tenants, r.known, r.seed = map[string]*tenant{}, map[uint64]bool{}, maphash.MakeSeed()
	}
	waiting := map[string][]*correlation.Report{}
	flush := func() {
		for id, as := range waiting {
			r.decide(id, as)
		}
		clear(waiting)
	}
	n, held := 0, 0
	err := values(in, func(body []byte) error {
		for _, a := range r.read(name, &n, body) {
			waiting[a.Tenant] = append(waiting[a.Tenant], correlation.NewReport(a))
			held++
		}
		if held >= batch {
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

// read turns one value of the input into alerts.
func (r *Replay) read(name string, n *int, body []byte) []alert.Alert {
	alerts, receipt, err := r.function(body)
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
		r.problem(name, first, err.Error())
	}
	for _, rej := range receipt.Rejected {
		r.problem(name, first+rej.Index, rej.Reason)
	}
	for i := range alerts {
		a := &alerts[i]
		if a.Delivered.Before(r.clock) {
			a.Delivered = r.clock
		}
		r.clock = a.Delivered
		s := sender{senderID(a), a.ID, r.tenant(a.Tenant)}
		if key := maphash.Comparable(r.seed, s); !r.known[key] {
			r.known[key] = true
			r.senders = append(r.senders, s)
		}
	}
	return alerts
}

// function reads body with the first function that recognizes it.
func (r *Replay) function(body []byte) ([]alert.Alert, ingest.Receipt, error) {
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
		if firstErr == nil && len(firstReceipt.Rejected) == 0 || understood(receipt) {
			firstErr, firstReceipt = err, receipt
		}
	}
	return nil, firstReceipt, firstErr
}

// understood reports whether a provider recognized the record, so that its reason is the one to tell.
func understood(r ingest.Receipt) bool {
	return len(r.Rejected) == 1 && !ingest.Unrecognized(r.Rejected[0].Reason)
}

// senderID is the sender's own id of an alert.
func senderID(a *alert.Alert) string {
	if id := a.Extra["sender_id"]; id != "" {
		return id
	}
	return a.ReportID
}

// decide applies reports of one tenant.
func (r *Replay) decide(id string, reports []*correlation.Report) {
	t := r.tenant(id)
	if t.state == nil || t.state.Len() > max(leastState, maxStates/len(r.tenants)) {
		t.state = correlation.NewEngine(id, r.tuning(id))
	}
	for refs := t.state.Missing(reports); !refs.Empty(); refs = t.state.Missing(reports) {
		t.state.Put(t.memory.load(refs), refs)
	}
	for _, rep := range reports {
		r.tally(rep.Alert, t.state.Apply(rep, 0, rep.Alert.Delivered))
	}
	t.memory.commit(t.state.Take())
}

func (r *Replay) tuning(tenant string) *correlation.Params {
	if r.TuningOf != nil {
		return r.TuningOf(tenant)
	}
	return r.Tuning
}

func (r *Replay) tenant(name string) *tenant {
	t := r.tenants[name]
	if t == nil {
		t = &tenant{name: name, memory: newMemory()}
		r.tenants[name] = t
	}
	return t
}

func (r *Replay) tally(a alert.Alert, o correlation.Outcome) {
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

func (r *Replay) problem(file string, record int, reason string) {
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
			b := m.members[s.alert]
			if b.folded != "" {
				if first, known := own[name{s.tenant, b.folded}]; known {
					as.Canonical = r.senders[first].id
				}
				b = m.members[b.folded]
			} else if first := own[name{s.tenant, s.alert}]; first != i { // two products' reports of one alert
				as.Canonical = r.senders[first].id
			}
			if id := m.survivor(b.incident); id != "" {
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
		out = append(out, t.memory.open()...)
	}
	sortIncidents(out)
	return out
}

// errNotJSON is what an input that is neither JSON nor NDJSON gets.
func errNotJSON(reason string) error { return fault.Errorf(fault.Invalid, "%s", reason) }
