package correlate

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/testdata/attacks"
)

// claimed takes each alert's tenant at its word.
type claimed struct{}

func (claimed) Tenant(_ alert.Account, tenant string) (string, error) { return tenant, nil }

func ingestFunction() *ingest.Function {
	return &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}, Tenants: claimed{}}
}

// attackEvents is a generated scenario of several tenants, as the events that ingest would publish, and as NDJSON.
func attackEvents(t *testing.T, seed uint64, most int, order func([]attacks.Labelled)) (evs []cloudevent.Event, ndjson []byte) {
	t.Helper()
	alerts := attacks.Generate(attacks.Options{Seed: seed, Noise: attacks.Low, Tenants: 3, Days: 7, Attacks: 12}).Alerts
	alerts = alerts[:min(len(alerts), most)]
	if order != nil {
		order(alerts)
	}
	fn := ingestFunction()
	var b bytes.Buffer
	for _, l := range alerts {
		body, err := json.Marshal(l.Alert)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(body, '\n'))
		as, _, err := fn.Read(ingest.Delivery{Body: body})
		if err != nil || len(as) != 1 {
			t.Fatalf("%s: %v", body, err)
		}
		e, err := events.NewAlert(as[0], "")
		if err != nil {
			t.Fatal(err)
		}
		evs = append(evs, e)
	}
	return evs, b.Bytes()
}

// groupedBySender are the alerts of each incident by the senders' ids, in memory.
func groupedBySender(t *testing.T, ndjson []byte) []string {
	t.Helper()
	r := &replay.Replay{Functions: []*ingest.Function{ingestFunction()}}
	if err := r.Read(context.Background(), "scenario", bytes.NewReader(ndjson)); err != nil {
		t.Fatal(err)
	}
	by := map[string][]string{}
	for a := range r.Assignments() {
		if a.Canonical == "" && a.Incident != "" {
			by[a.Incident] = append(by[a.Incident], a.AlertID)
		}
	}
	return sortedGroups(by)
}

// sortedGroups are groups without their names, in one order.
func sortedGroups(by map[string][]string) []string {
	var out []string
	for in, ids := range by {
		if strings.HasSuffix(in, "/") { // exposures
			continue
		}
		slices.Sort(ids)
		out = append(out, strings.Join(ids, " "))
	}
	slices.Sort(out)
	return out
}

// TestMemoryStoreAndRestartsAgree: replay in memory, the store, and a store whose correlator is lost and whose
// batches come twice, of any size, put the same alerts into the same incidents.
func TestMemoryStoreAndRestartsAgree(t *testing.T) {
	for seed := range uint64(1) {
		evs, ndjson := attackEvents(t, 500+seed, 1200, nil)
		memory := groupedBySender(t, ndjson)
		r := rand.New(rand.NewPCG(seed, 1))
		for name, fresh := range map[string]bool{"kept": false, "restarted": true} {
			s := newStore(t)
			fn := newFunction(s)
			for rest := evs; len(rest) > 0; {
				n := min(1+r.IntN(120), len(rest))
				if fresh && r.IntN(2) == 0 {
					fn = newFunction(s)
				}
				for range 1 + r.IntN(2) {
					if err := fn.Handle(context.Background(), rest[:n]); err != nil {
						t.Fatal(err)
					}
				}
				rest = rest[n:]
			}
			if stored := sortedGroups(namedBySender(t, alertsByIncident(t, s), evs)); !slices.Equal(stored, memory) {
				t.Errorf("seed %d, %s: %d incidents in the store, %d in memory, and not the same", seed, name, len(stored), len(memory))
			}
		}
		if len(memory) < 50 {
			t.Errorf("seed %d: %d incidents prove little", seed, len(memory))
		}
	}
}

// namedBySender calls alerts as their senders do.
func namedBySender(t *testing.T, by map[string][]string, evs []cloudevent.Event) map[string][]string {
	t.Helper()
	names := map[string]string{}
	for _, e := range evs {
		a, err := events.ParseAlert(e)
		if err != nil {
			t.Fatal(err)
		}
		names[a.ID] = cmp.Or(a.Extra["sender_id"], a.ReportID)
	}
	out := map[string][]string{}
	for in, ids := range by {
		for _, id := range ids {
			out[in] = append(out[in], names[id])
		}
	}
	return out
}

// TestTenantsNeverMeet: a tenant's incidents are those it would have alone, whoever else was attacked by the same
// actor in the same minutes, through the same batches.
func TestTenantsNeverMeet(t *testing.T) {
	evs, _ := attackEvents(t, 700, 1000, nil)
	together := newStore(t)
	fn := newFunction(together)
	handleInBatches(t, together, evs, 77, func(int) *Function { return fn })
	all := alertsByIncident(t, together)
	byTenant := map[string][]cloudevent.Event{}
	for _, e := range evs {
		byTenant[e.Tenant] = append(byTenant[e.Tenant], e)
	}
	if len(byTenant) < 2 {
		t.Fatalf("%d tenants prove nothing", len(byTenant))
	}
	met := 0
	for _, own := range byTenant {
		alone := newStore(t)
		fn := newFunction(alone)
		handleInBatches(t, alone, own, 31, func(int) *Function { return fn })
		for in, ids := range alertsByIncident(t, alone) {
			if !slices.Equal(all[in], ids) {
				t.Errorf("%s: %d alerts alone, %d among others", in, len(ids), len(all[in]))
			}
			met++
		}
	}
	if met != len(all) {
		t.Errorf("%d incidents of tenants alone, %d together", met, len(all))
	}
}

// TestLateAlertsFindTheirPlace measures the promise of package correlation on order: one alert in ten arrives up to an
// hour late. Of all pairs of alerts that share an incident and of which one at least is an attack's (how noise is
// grouped with noise costs nobody anything), these parts must agree with the incidents of order: attacks hardly ever
// fall apart, or swallow something.
func TestLateAlertsFindTheirPlace(t *testing.T) {
	const leastRecall, leastPrecision = 0.97, 0.95
	both, inOrder, inLate := 0, 0, 0
	for seed := range uint64(3) {
		attacker := map[string]bool{}
		_, ordered := attackEvents(t, 800+seed, 1500, func(as []attacks.Labelled) {
			for _, a := range as {
				attacker[a.Alert.ID] = a.Label.Incident != attacks.IsNoise && a.Label.Incident != attacks.IsUnknown
			}
			byTime(as)
		})
		_, late := attackEvents(t, 800+seed, 1500, func(as []attacks.Labelled) { delayEvents(as, seed) })
		want, got := sharedPairs(groupedBySender(t, ordered), attacker), sharedPairs(groupedBySender(t, late), attacker)
		for p := range want {
			if got[p] {
				both++
			}
		}
		inOrder, inLate = inOrder+len(want), inLate+len(got)
	}
	recall, precision := float64(both)/float64(inOrder), float64(both)/float64(inLate)
	t.Logf("%d pairs in order, %d late; recall %.3f, precision %.3f", inOrder, inLate, recall, precision)
	if inOrder < 300 || recall < leastRecall || precision < leastPrecision {
		t.Errorf("want recall %v and precision %v", leastRecall, leastPrecision)
	}
}

// delayEvents orders alerts by time but for one in ten, which comes up to an hour later.
func delayEvents(as []attacks.Labelled, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	at := map[string]int64{}
	for _, a := range as {
		at[a.Alert.ID] = a.Alert.Time.UnixNano()
		if r.IntN(10) == 0 {
			at[a.Alert.ID] += int64(r.Float64() * 3600e9)
		}
	}
	slices.SortStableFunc(as, func(a, b attacks.Labelled) int { return cmp.Compare(at[a.Alert.ID], at[b.Alert.ID]) })
}

func byTime(as []attacks.Labelled) {
	slices.SortStableFunc(as, func(a, b attacks.Labelled) int { return a.Alert.Time.Compare(b.Alert.Time) })
}

// sharedPairs are the pairs of alerts that share an incident, one of them at least among those.
func sharedPairs(groups []string, among map[string]bool) map[[2]string]bool {
	out := map[[2]string]bool{}
	for _, g := range groups {
		ids := strings.Fields(g)
		for i, a := range ids {
			for _, b := range ids[i+1:] {
				if among[a] || among[b] {
					out[[2]string{a, b}] = true
				}
			}
		}
	}
	return out
}
