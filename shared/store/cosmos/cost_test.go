package cosmos_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	local "github.com/onepane/onepane/infra/local/cosmos"

	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/testdata/attacks"
)

// batch is how many alerts the bus hands over at once.
const batch = 100

// rig is a store on a strict server, with a correlator before it.
type rig struct {
	account   local.Account
	store     *cosmos.Store
	correlate *correlate.Function
	now       time.Time

	alerts, bytes int
}

func newRig(t testing.TB, opts cosmos.Options) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	r.account = account(t, local.Options{Now: func() time.Time { return r.now }})
	r.store = r.open(t, opts)
	r.correlate = r.function(r.store)
	return r
}

func (r *rig) open(t testing.TB, opts cosmos.Options) *cosmos.Store {
	opts.Now = func() time.Time { return r.now }
	return open(t, r.account, opts)
}

func (r *rig) function(s correlate.Store) *correlate.Function {
	return &correlate.Function{Store: s, Now: func() time.Time { return r.now }}
}

// feed correlates events in batches, as their deliveries pass on the clock.
func (r *rig) feed(t testing.TB, evs []cloudevent.Event) {
	t.Helper()
	for _, e := range evs {
		r.alerts++
		r.bytes += len(e.Data)
	}
	for part := range slices.Chunk(evs, batch) {
		r.handle(t, r.correlate, part)
	}
}

func (r *rig) handle(t testing.TB, f *correlate.Function, part []cloudevent.Event) {
	t.Helper()
	if last := part[len(part)-1].Time; last.After(r.now) {
		r.now = last
	}
	if err := f.Handle(context.Background(), part); err != nil {
		t.Fatal(err)
	}
}

// cost is what alerts cost at a number stored: request units an alert, and where they went.
func (r *rig) cost(t testing.TB, tr *traffic, stored, measured int) (perAlert float64, lines string) {
	t.Helper()
	for left := stored; left > 0; left -= 10_000 {
		r.feed(t, tr.take(t, min(left, 10_000)))
	}
	r.account.ResetMeter()
	for left := measured; left > 0; left -= 10_000 {
		r.feed(t, tr.take(t, min(left, 10_000)))
	}
	meter := r.account.Meter()
	var out []string
	for e, spent := range meter {
		out = append(out, fmt.Sprintf("  %-6s %-8s %6.3f RU, %5.2f operations, %5.2f requests an alert of 100", e.Container, e.Kind,
			spent.Charge/float64(measured), float64(spent.Operations)/float64(measured)*batch, float64(spent.Requests)/float64(measured)*batch))
	}
	slices.Sort(out)
	return meter.Total().Charge / float64(measured), strings.Join(out, "\n")
}

// goal and limit are shares of the 63 units an alert that a design with an item for everything takes.
const (
	goal  = 0.12 * 63
	limit = 0.18 * 63
)

// TestCost counts what an alert costs once everything is in motion: two flushes of the log are in the count.
func TestCost(t *testing.T) {
	r := newRig(t, cosmos.Options{})
	tr := newTraffic(attacks.Medium)
	perAlert, lines := r.cost(t, tr, 2400, 6400)
	t.Logf("%.2f RU an alert of %d bytes\n%s", perAlert, r.bytes/r.alerts, lines)
	if perAlert > goal {
		t.Errorf("an alert costs %.2f RU, the goal is %.2f", perAlert, goal)
	}
	for _, p := range r.account.Partitions("onepane", "state") {
		t.Logf("partition %s: %d items, %d bytes an alert", p.Key, p.Items, p.Bytes/8800)
	}
	readCost(t, r)
	restarted(t, r, tr)
}

// restarted counts what an alert costs when every thousand meet a new process, as functions that come and go do.
func restarted(t *testing.T, r *rig, tr *traffic) {
	t.Helper()
	const alerts, each = 6000, 1000
	r.account.ResetMeter()
	for range alerts / each {
		r.store = r.open(t, cosmos.Options{})
		r.correlate = r.function(r.store)
		r.feed(t, tr.take(t, each))
	}
	perAlert := r.account.Meter().Total().Charge / alerts
	t.Logf("%.2f RU an alert with a new process every %d", perAlert, each)
	if perAlert > goal {
		t.Errorf("an alert costs %.2f RU with a new process every %d, the goal is %.2f", perAlert, each, goal)
	}
}

// readCost counts what readers pay, on a store that has just been opened and then again: none of it may depend on
// how much is stored.
func readCost(t *testing.T, r *rig) {
	t.Helper()
	s := r.open(t, cosmos.Options{})
	newest, err := r.store.Alerts(t.Context(), tenant, query.Query{Top: 1})
	if err != nil {
		t.Fatal(err)
	}
	old, err := r.store.Alerts(t.Context(), tenant, query.Query{Top: 1, Order: []query.Order{{Field: query.Created}}})
	if err != nil {
		t.Fatal(err)
	}
	high := query.Compare{Field: query.Severity, Op: query.Eq, Text: "high"}
	for _, q := range []struct {
		name string
		most float64
		ask  func() error
	}{
		{"first question of a reader", 250, func() error { return second(s.Load(t.Context(), tenant, incident.Refs{})) }},
		{"an alert of the log", 10, func() error { return second(s.Alert(t.Context(), tenant, newest.Items[0].Alert.ID)) }},
		{"an old alert", 15, func() error { return second(s.Alert(t.Context(), tenant, old.Items[0].Alert.ID)) }},
		{"100 newest alerts", 60, func() error { return second(s.Alerts(t.Context(), tenant, query.Query{Top: 100})) }},
		{"100 newest alerts, high", 150, func() error { return second(s.Alerts(t.Context(), tenant, query.Query{Top: 100, Where: high})) }},
		{"100 after the oldest", 150, func() error {
			return second(s.Alerts(t.Context(), tenant, query.Query{Top: 100, Order: []query.Order{{Field: query.Created}}}))
		}},
		{"50 alerts of an incident", 300, func() error {
			return second(s.IncidentAlerts(t.Context(), tenant, old.Items[0].Incident, query.Query{Top: 50}))
		}},
		{"50 newest incidents", 60, func() error { return second(s.Incidents(t.Context(), tenant, query.Query{Top: 50})) }},
		{"100 changes", 30, func() error { _, _, err := s.Changes(t.Context(), tenant, "", 100); return err }},
	} {
		var charges [2]float64
		for i := range charges {
			r.account.ResetMeter()
			if err := q.ask(); err != nil {
				t.Fatal(err)
			}
			charges[i] = r.account.Meter().Total().Charge
		}
		t.Logf("%-28s %6.1f RU, again %6.1f", q.name, charges[0], charges[1])
		if charges[0] > q.most {
			t.Errorf("%s costs %.1f RU, more than %.0f", q.name, charges[0], q.most)
		}
	}
}

// BenchmarkCommit counts request units an alert at numbers of alerts stored, one after the other in one tenant:
// they must not grow. ONEPANE_COST_STORED names other numbers. One operation is 76,800 alerts: 16 flushes and the
// merge that they lead to.
//
//	ONEPANE_COST_STORED=10000,100000,1000000 go test -run - -bench Commit -benchtime 1x ./shared/store/cosmos
func BenchmarkCommit(b *testing.B) {
	r, tr := newRig(b, cosmos.Options{}), newTraffic(attacks.High)
	for _, stored := range volumes(b) {
		b.Run(fmt.Sprintf("%d stored", stored), func(b *testing.B) {
			for b.Loop() {
				perAlert, lines := r.cost(b, tr, stored-r.alerts, 76_800)
				b.Log("\n" + lines)
				b.ReportMetric(perAlert, "RU/alert")
			}
		})
	}
}

// volumes are numbers of alerts, rising.
func volumes(b *testing.B) (out []int) {
	b.Helper()
	for text := range strings.SplitSeq(cmp.Or(os.Getenv("ONEPANE_COST_STORED"), "10000,100000"), ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || len(out) > 0 && n < out[len(out)-1] {
			b.Fatalf("ONEPANE_COST_STORED: %q", text)
		}
		out = append(out, n)
	}
	return out
}
