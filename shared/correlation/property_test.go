package correlation

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/incident"
)

// alertStream is n alerts of one tenant with most of what decides: a few machines under several names, people, shared
// and strange addresses, drips, bursts, copies of another product, exposures, later states and repeats.
func alertStream(seed uint64, n int) []alert.Alert {
	r := rand.New(rand.NewPCG(seed, 9))
	names := []func(int) string{
		func(i int) string { return fmt.Sprintf("resource=i-0abc%04d", i) },
		func(i int) string { return fmt.Sprintf("host=ip-10-0-0-%d.eu-west-1.compute.internal", i) },
		func(i int) string { return fmt.Sprintf("host=box-%d", i) },
		func(i int) string { return fmt.Sprintf("ip=10.0.0.%d", i) },
		func(i int) string { return fmt.Sprintf("user=user%d@contoso.example", i) },
		func(i int) string { return fmt.Sprintf("user=CONTOSO\\user%d", i) },
		func(i int) string { return fmt.Sprintf("attacker:ip=198.51.100.%d", i%3) },
		func(i int) string { return fmt.Sprintf("file_hash=%064x", i%5) },
	}
	severities := []alert.Severity{alert.Low, alert.Low, alert.Medium, alert.High, alert.Critical}
	tactics := []attack.Tactic{attack.InitialAccess, attack.Execution, attack.CredentialAccess, attack.LateralMovement, attack.Impact}
	var out []alert.Alert
	minute := 0.0
	for i := range n {
		minute += r.ExpFloat64() * 4
		var things []string
		for range 1 + r.IntN(3) {
			things = incident.Union(things, []string{names[r.IntN(len(names))](r.IntN(12))})
		}
		a := alertFrom(fmt.Sprintf("detection-%06d", i), minute-r.Float64()*r.Float64()*90, fmt.Sprintf("kind %d", r.IntN(1+i%25)), things...)
		a.Severity = severities[r.IntN(len(severities))]
		if r.IntN(3) == 0 {
			a.Tactics = []attack.Tactic{tactics[r.IntN(len(tactics))]}
		}
		if r.IntN(15) == 0 {
			a.Class = alert.Exposure
		}
		if i > 0 && r.IntN(6) == 0 {
			old := out[r.IntN(len(out))]
			switch r.IntN(3) {
			case 0: // later news
				a = old
				a.Updated, a.Last, a.Severity = old.Updated.Add(time.Hour), old.Last.Add(time.Hour), alert.High
				if a.Class == alert.Exposure {
					a.Status = alert.StatusResolved
				}
			case 1: // a copy that carries the id
				a.Origin.Provider, a.Reporter, a.ReportID, a.Class = "siem", "siem", old.ReportID, old.Class
				a.ID = alert.MakeID(a.Tenant, a.Origin)
			default: // a repeat
				a = old
			}
		}
		out = append(out, a)
	}
	return out
}

// recordStore is a store that forgets nothing and keeps everything as a store would: encoded.
type recordStore struct {
	alerts, incidents, nodes map[string][]byte
	sequence                 int64
}

func newRecordStore() *recordStore {
	return &recordStore{map[string][]byte{}, map[string][]byte{}, map[string][]byte{}, 0}
}

func (k *recordStore) load(t *testing.T, refs incident.Refs) incident.Loaded {
	l := incident.Loaded{Sequence: k.sequence}
	l.Alerts = decodeRecords[incident.AlertRecord](t, k.alerts, refs.Alerts)
	l.Incidents = decodeRecords[incident.Incident](t, k.incidents, refs.Incidents)
	l.Nodes = decodeRecords[incident.Node](t, k.nodes, refs.Nodes)
	return l
}

func decodeRecords[T any](t *testing.T, from map[string][]byte, names []string) []T {
	var out []T
	for _, n := range names {
		b, ok := from[n]
		if !ok {
			continue
		}
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func (k *recordStore) commit(t *testing.T, c incident.Changes) {
	k.sequence = c.Sequence
	for _, m := range c.Alerts {
		k.alerts[m.Alert.ID] = encodeRecord(t, m)
	}
	for _, i := range c.Incidents {
		k.incidents[i.ID] = encodeRecord(t, i)
	}
	for _, n := range c.Nodes {
		k.nodes[n.Key] = encodeRecord(t, n)
	}
}

func encodeRecord(t *testing.T, v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// storeAfter is what a store holds after the alerts came in batches of the sizes that next gives; a state is kept
// between batches unless forgets says otherwise.
func storeAfter(t *testing.T, alerts []alert.Alert, next func() int, forgets func() bool) *recordStore {
	t.Helper()
	k := newRecordStore()
	var s *Engine
	for len(alerts) > 0 {
		n := min(next(), len(alerts))
		reports := make([]*Report, n)
		for i, a := range alerts[:n] {
			reports[i] = NewReport(a)
		}
		if s == nil || forgets() {
			s = NewEngine("contoso", nil)
		}
		for refs := s.Missing(reports); !refs.Empty(); refs = s.Missing(reports) {
			s.Put(k.load(t, refs), refs)
		}
		for _, r := range reports {
			s.Apply(r, 0, t0)
		}
		k.commit(t, s.Take())
		alerts = alerts[n:]
	}
	return k
}

func (k *recordStore) firstDifference(o *recordStore) string {
	for _, pair := range []struct {
		what string
		a, b map[string][]byte
	}{{"alert", k.alerts, o.alerts}, {"incident", k.incidents, o.incidents}, {"node", k.nodes, o.nodes}} {
		for name := range pair.a {
			if string(pair.a[name]) != string(pair.b[name]) {
				a, b := string(pair.a[name]), string(pair.b[name])
				at := 0
				for at < min(len(a), len(b)) && a[at] == b[at] {
					at++
				}
				from := max(at-120, 0)
				return fmt.Sprintf("%s %s, byte %d:\n…%s\n…%s", pair.what, name, at, a[from:min(at+200, len(a))], b[from:min(at+200, len(b))])
			}
		}
		if len(pair.a) != len(pair.b) {
			return fmt.Sprintf("%d and %d of %ss", len(pair.a), len(pair.b), pair.what)
		}
	}
	return ""
}

func never() bool                           { return false }
func always() bool                          { return true }
func batchesOf(n int) func() int            { return func() int { return n } }
func randomBatches(r *rand.Rand) func() int { return func() int { return 1 + r.IntN(90) } }

// TestTheSameInputGivesTheSameState to the last byte of every record, whatever the batches and however often the memory
// between them is lost. A map's order, a field that is not stored or a load that is missing would show.
func TestTheSameInputGivesTheSameState(t *testing.T) {
	for seed := range uint64(4) {
		alerts := alertStream(seed, 500)
		r := rand.New(rand.NewPCG(seed, 3))
		want := storeAfter(t, alerts, batchesOf(50), never)
		if len(want.incidents) < 30 || len(want.incidents) > len(alerts)*3/4 {
			t.Fatalf("seed %d: %d incidents of %d alerts prove nothing", seed, len(want.incidents), len(alerts))
		}
		for name, got := range map[string]*recordStore{
			"again":                             storeAfter(t, alerts, batchesOf(50), never),
			"one by one":                        storeAfter(t, alerts, batchesOf(1), never),
			"all at once":                       storeAfter(t, alerts, batchesOf(len(alerts)), never),
			"restarted each batch":              storeAfter(t, alerts, batchesOf(7), always),
			"any batch, restarted now and then": storeAfter(t, alerts, randomBatches(r), func() bool { return r.IntN(4) == 0 }),
		} {
			if d := want.firstDifference(got); d != "" {
				t.Errorf("seed %d, %s: %s", seed, name, d)
			}
		}
	}
}

// TestRedeliveryOfAnythingChangesNothing: whatever was seen may come again, in any order, and not a byte changes.
func TestRedeliveryOfAnythingChangesNothing(t *testing.T) {
	for seed := range uint64(6) {
		alerts := alertStream(seed, 400)
		k := storeAfter(t, alerts, batchesOf(50), never)
		before := newRecordStore()
		before.sequence = k.sequence
		for to, from := range map[*map[string][]byte]map[string][]byte{&before.alerts: k.alerts, &before.incidents: k.incidents, &before.nodes: k.nodes} {
			for name, b := range from {
				(*to)[name] = b
			}
		}
		rand.New(rand.NewPCG(seed, 5)).Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
		s := NewEngine("contoso", nil)
		for _, a := range alerts {
			reports := []*Report{NewReport(a)}
			for refs := s.Missing(reports); !refs.Empty(); refs = s.Missing(reports) {
				s.Put(k.load(t, refs), refs)
			}
			if o := s.Apply(reports[0], 0, t0.Add(time.Hour)); o.New || o.Changed {
				t.Fatalf("seed %d: %s again: %+v", seed, a.ReportID, o)
			}
		}
		if c := s.Take(); !c.Empty() {
			t.Errorf("seed %d: %d alerts, %d incidents, %d nodes changed", seed, len(c.Alerts), len(c.Incidents), len(c.Nodes))
		}
	}
}

// TestEveryAlertSaysWhyItIsThere: it opened its incident, or has a reason; what opened an incident that was merged is
// named by the merger, with the alert and the link that caused it.
func TestEveryAlertSaysWhyItIsThere(t *testing.T) {
	merged, folded := 0, 0
	for seed := range uint64(8) {
		k := storeAfter(t, alertStream(seed, 600), batchesOf(50), never)
		incidents := map[string]incident.Incident{}
		for id := range k.incidents {
			incidents[id] = decodeRecords[incident.Incident](t, k.incidents, []string{id})[0]
		}
		for id := range k.alerts {
			m := decodeRecords[incident.AlertRecord](t, k.alerts, []string{id})[0]
			switch {
			case m.Alert.Class == alert.Exposure:
			case m.FoldedInto != "":
				if folded++; len(m.Reasons) == 0 || m.Reasons[0].Alert != m.FoldedInto || m.Reasons[0].Rule == "" {
					t.Errorf("seed %d: folded %s does not say why", seed, id)
				}
			case len(m.Reasons) == 0 && incidents[m.Incident].Opener != id:
				t.Errorf("seed %d: %s neither opened incident %s nor says why it is there", seed, id, m.Incident)
			}
			for _, why := range m.Reasons {
				if why.Rule == "" || why.Alert == "" || why.Weight <= 0 || why.Weight > 1 || k.alerts[why.Alert] == nil {
					t.Errorf("seed %d: %s: reason %+v", seed, id, why)
				}
			}
		}
		for _, i := range incidents {
			if len(i.Mergers) != min(len(i.Merged), incident.MaxMergers) && i.RedirectTo == "" {
				t.Errorf("seed %d: incident %s has %d merged and tells of %d", seed, i.ID, len(i.Merged), len(i.Mergers))
			}
			for _, g := range i.Mergers {
				if merged++; k.alerts[g.Alert] == nil || g.Because.Rule == "" || g.Opener != incidents[g.Incident].Opener {
					t.Errorf("seed %d: incident %s: merger %+v", seed, i.ID, g)
				}
			}
		}
	}
	if merged < 5 || folded < 20 {
		t.Errorf("%d merges and %d folds prove little", merged, folded)
	}
}
