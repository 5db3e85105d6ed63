package cosmos_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	local "github.com/onepane/onepane/infra/local/cosmos"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/testdata/attacks"
)

// What versions of before form 3 have written, of the same 54 alerts: form 0 has all tables in the tenant's own
// partition, form 1 some of them in a volume, and of the third a flush did not end. seen.txt is what those versions
// showed of it.
var oldForms = []string{"form0", "form1", "interrupted"}

// flushing flushes and compacts all the time.
var flushing = cosmos.Options{Fold: 2, Merge: 2}.InBatches(4)

// oldForm is a server with the data of a file.
func oldForm(t *testing.T, name string) *rig {
	t.Helper()
	r := newRig(t, flushing)
	client, err := cosmos.ConnectWithKey(r.account.Endpoint, r.account.Key(), plain{})()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Container string         `json:"container"`
			Item      jsontext.Value `json:"item"`
		}
		var it struct {
			ID     string `json:"id"`
			Tenant string `json:"tenant"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || json.Unmarshal(line.Item, &it) != nil {
			t.Fatalf("%s: a line that is no item", name)
		}
		c, err := client.NewContainer("onepane", line.Container)
		if err != nil {
			t.Fatal(err)
		}
		pk := azcosmos.NewPartitionKeyString(it.Tenant)
		if line.Container == "blobs" {
			pk = pk.AppendString(it.ID)
		}
		if _, err := c.CreateItem(t.Context(), pk, line.Item, nil); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestOldFormsAreMigrated(t *testing.T) {
	want, err := os.ReadFile("testdata/seen.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range oldForms {
		t.Run(name, func(t *testing.T) {
			r := oldForm(t, name)
			_, err := r.store.Alert(t.Context(), tenant, "x")
			if fault.Of(err) != fault.Unavailable || !strings.Contains(err.Error(), "onepane migrate") {
				t.Errorf("before: %v", err)
			}
			if err := r.store.Commit(t.Context(), tenant, 9, incident.Changes{}); err == nil {
				t.Error("committed to an old form")
			}
			for range 2 {
				if err := r.store.Migrate(t.Context(), tenant); err != nil {
					t.Fatal(err)
				}
				if got := seen(t, r.open(t, flushing), string(want)); got != string(want) {
					t.Errorf("something else is seen than before: %s", firstDifference(got, string(want)))
				}
			}
			goesOn(t, r)
		})
	}
}

// goesOn commits more, so that what was migrated is flushed, compacted and counted.
func goesOn(t *testing.T, r *rig) {
	t.Helper()
	r.store = r.open(t, flushing)
	r.correlate = r.function(r.store)
	evs := newTraffic(attacks.High).take(t, 114)
	for ; len(evs) > 0; evs = evs[6:] { // the first 54 are known
		r.handle(t, r.correlate, evs[:6])
	}
	s := r.open(t, flushing)
	alerts, err := s.Alerts(t.Context(), tenant, query.Query{Top: 1000, Count: true})
	if err != nil || alerts.Total != int64(len(alerts.Items)) {
		t.Errorf("%d alerts of %d, %v", len(alerts.Items), alerts.Total, err)
	}
	incidents, err := s.Incidents(t.Context(), tenant, query.Query{Top: 1000, Count: true})
	if err != nil || incidents.Total != int64(len(incidents.Items)) {
		t.Errorf("%d incidents of %d, %v", len(incidents.Items), incidents.Total, err)
	}
}

// TestAMigrationThatBrokeOff kills a migration at every request in turn, before it is carried out or after: nobody
// works on half of it, and another finishes it to the same effect.
func TestAMigrationThatBrokeOff(t *testing.T) {
	want, err := os.ReadFile("testdata/seen.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range oldForms {
		for _, drop := range []local.Drop{local.DropBefore, local.DropAfter} {
			t.Run(fmt.Sprint(name, " ", drop), func(t *testing.T) {
				t.Parallel()
				n := 0
				for ; brokenMigration(t, name, drop, n, string(want)); n++ {
				}
				if n < 10 {
					t.Errorf("only %d places to crash at", n)
				}
			})
		}
	}
}

// brokenMigration is false when there were not so many requests.
func brokenMigration(t *testing.T, name string, drop local.Drop, n int, want string) bool {
	t.Helper()
	r := oldForm(t, name)
	var requests atomic.Int64
	var dead atomic.Bool
	r.account.Inject(func(local.Operation) local.Fault {
		switch {
		case dead.Load():
			return local.Fault{Drop: local.DropBefore}
		case requests.Add(1) == int64(n+1):
			dead.Store(true)
			return local.Fault{Drop: drop}
		}
		return local.Fault{}
	})
	_ = r.open(t, flushing).Migrate(t.Context(), tenant) // what became of it is seen below
	r.account.Inject(nil)
	s := r.open(t, flushing)
	if _, err := s.Alert(t.Context(), tenant, "x"); fault.Of(err) != fault.NotFound && !strings.Contains(err.Error(), "onepane migrate") {
		t.Errorf("killed at request %d: %v", n, err)
	}
	if err := s.Migrate(t.Context(), tenant); err != nil {
		t.Fatalf("killed at request %d: %v", n, err)
	}
	if got := seen(t, s, want); got != want {
		t.Errorf("killed at request %d: something else is seen than before: %s", n, firstDifference(got, want))
	}
	return dead.Load()
}

// TestTwoMigrations runs two at once, again and again until both have ended, while a correlator goes on as soon as
// it may.
func TestTwoMigrations(t *testing.T) {
	r := oldForm(t, "interrupted")
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			s := r.open(t, flushing)
			for try := 0; ; try++ {
				err := s.Migrate(context.Background(), tenant)
				if err == nil {
					return
				}
				if fault.Permanent(err) || try == 100 {
					t.Error(err)
					return
				}
			}
		})
	}
	both.Wait()
	goesOn(t, r)
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("%q, not %q", g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(g), len(w))
}

// seen is what readers see of a tenant, a line for each thing, with the nodes that an earlier such text names.
func seen(t *testing.T, s *cosmos.Store, earlier string) string {
	t.Helper()
	var out bytes.Buffer
	for _, desc := range []bool{false, true} {
		alerts, err := s.Alerts(t.Context(), tenant, query.Query{Top: 1000, Count: true, Order: []query.Order{{Field: query.Updated, Desc: desc}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alerts.Items {
			fmt.Fprintf(&out, "alert %s %s %s %d\n", m.Alert.ID, m.Incident, m.Status, len(m.Alert.Evidence))
		}
	}
	incidents, err := s.Incidents(t.Context(), tenant, query.Query{Top: 1000, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range incidents.Items {
		fmt.Fprintf(&out, "incident %s %s %d %s\n", i.ID, i.Status, i.Alerts, i.RedirectTo)
		page, err := s.IncidentAlerts(t.Context(), tenant, i.ID, query.Query{Top: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			fmt.Fprintf(&out, "  %s\n", m.Alert.ID)
		}
	}
	changes, cursor, err := s.Changes(t.Context(), tenant, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		fmt.Fprintf(&out, "change %s %s %d\n", c.Kind, c.ID, c.Version)
	}
	var keys []string
	for line := range strings.Lines(earlier) {
		if words := strings.Fields(line); words[0] == "node" { // a key may have spaces
			keys = append(keys, strings.TrimPrefix(strings.Join(words[:len(words)-2], " "), "node "))
		}
	}
	loaded, err := s.Load(t.Context(), tenant, incident.Refs{Nodes: keys})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "cursor %s, version %d, sequence %d\n", cursor, loaded.Version, loaded.Sequence)
	for _, n := range loaded.Nodes {
		fmt.Fprintf(&out, "node %s %d %x\n", n.Key, n.Last.Unix(), sha256.Sum256([]byte(n.SameAs)))
	}
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%d alerts, %d exposures, %d incidents\n", st.Alerts, st.Exposures, st.Incidents)
	return out.String()
}
