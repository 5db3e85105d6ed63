package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// whose gives every alert to the one tenant.
type whose struct{}

func (whose) Tenant(alert.Account, string) (string, error) { return tenant, nil }

// amount is how many alerts are sent.
func amount(t testing.TB, otherwise int) int {
	v := os.Getenv("ONEPANE_E2E_ALERTS")
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("ONEPANE_E2E_ALERTS=%q is no number of alerts", v)
	}
	return n
}

// deployment is the world with the binaries in it.
type deployment struct {
	*world
	t      testing.TB
	dir    string
	lambda *lambda
	run    *cloudRun
	host   *functionsHost
}

// deploy puts the binaries into a new world; app is more environment of the function app.
func deploy(t testing.TB, lock time.Duration, app ...string) *deployment {
	t.Helper()
	d := &deployment{t: t, world: newWorld(t, lock), dir: build(t, "ingest-aws", "ingest-gcp", "azure", "onepane")}
	at := d.issuer.platforms(t)
	d.lambda, d.host = d.world.lambda(t, d.dir, at), d.world.functionsHost(t, d.dir, at, app...)
	if d.google != nil { // not in a benchmark, whose pushes nobody could sign
		d.run = d.world.cloudRun(t, d.dir, at)
	}
	return d
}

// deliver offers a delivery until it is taken, as every platform does, and counts the offers.
func (d *deployment) deliver(x delivery) (offers int) {
	d.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		offers++
		taken, err := d.offer(x)
		if err != nil {
			d.t.Fatalf("%s: %v", x.by, err)
		}
		if taken {
			return offers
		}
	}
	d.t.Fatalf("%s: not taken in %d offers", x.by, offers)
	return offers
}

func (d *deployment) offer(x delivery) (bool, error) {
	switch x.by {
	case bySQS:
		return d.lambda.queue(x.records)
	case byURL:
		return d.lambda.post(x.records)
	case byHub:
		return d.host.hub(x.records)
	}
	return d.run.push(x.records[0])
}

// drained waits until the queue is empty, as long as it becomes shorter.
func (d *deployment) drained() {
	d.t.Helper()
	least, end := math.MaxInt, time.Now().Add(patience)
	for ; ; time.Sleep(20 * time.Millisecond) {
		q := d.bus.Stats().Queues["alerts"]
		left := q.Active + q.Locked
		if left == 0 {
			return
		}
		if left < least {
			least, end = left, time.Now().Add(patience)
		}
		if time.Now().After(end) {
			d.t.Fatalf("not drained: %+v", q)
		}
	}
}

// TestCloud sends one tenant's alerts through all clouds while everything goes wrong, and wants the incidents that
// `onepane replay` finds in the same alerts in the same order: none lost, none twice, none in other company.
func TestCloud(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this test builds and runs every binary")
	}
	n := amount(t, 600)
	batch, lock, strikes := atOnce, 10*time.Second, 54
	if n < 6000 {
		batch, lock, strikes = 10, 2*time.Second, 27
	}
	ds := newInput(t, batch, true).take(n)
	siem := newReceiver(t)
	d := deploy(t, lock, siem.settings()...)
	siem.follow(d.host)
	c := &chaos{w: d.world, lambda: d.lambda, run: d.run, host: d.host, every: max(1, len(ds)/strikes), done: map[string]int{}}
	c.storms(7)
	began, offers, twice := time.Now(), 0, 0
	for i, x := range ds {
		c.before(i)
		offers += d.deliver(x)
		if i%10 == 9 { // delivered at least once
			offers += d.deliver(ds[i-5])
			twice++
		}
	}
	d.drained()
	took := time.Since(began)
	d.cosmos.Inject(nil)
	sameAsReplay(t, d, ds)
	siem.complete(d)
	stats := d.bus.Stats()
	for name, q := range stats.Queues {
		if q.Active+q.DeadLettered+q.Deferred+q.Locked > 0 {
			t.Errorf("left in %s: %+v", name, q)
		}
	}
	t.Logf("%d alerts in %d deliveries, %d of them sent twice, %d offers, %v", n, len(ds), twice, offers, took.Round(time.Millisecond))
	for _, name := range slices.Sorted(maps.Keys(c.done)) {
		t.Logf("%4d × %s", c.done[name], name)
	}
	ledger := d.cosmos.Meter().Total()
	t.Logf("%4d × request to Cosmos DB throttled, failed or lost, of %d", c.stormy.Load(), ledger.Requests)
	t.Logf("%d messages in %d batches, %d abandoned; %d tokens", d.host.messages.Load(), d.host.batches.Load(), d.host.abandoned.Load(), d.issuer.tokens)
}

// sameAsReplay compares what is stored with what the built onepane says of the same deliveries.
func sameAsReplay(t *testing.T, d *deployment, ds []delivery) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alerts.ndjson")
	var lines bytes.Buffer
	for _, x := range ds {
		lines.WriteString(x.body() + "\n")
	}
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := d.store(t)
	ours := ids(t, ds)
	assigned := strings.Split(strings.TrimSpace(replay(t, d, "tsv", file)), "\n")
	if len(assigned) != len(ours) {
		t.Errorf("replay knows %d alerts, %d were sent", len(assigned), len(ours))
	}
	wrong := 0
	for _, line := range assigned {
		id, want, _ := strings.Cut(line, "\t")
		m, err := s.Alert(t.Context(), tenant, ours[id])
		if got := tenant + "/" + m.Incident; err != nil || got != want {
			if wrong++; wrong <= 10 {
				t.Errorf("alert %s is in %s, replay says %s (%v)", id, got, want, err)
			}
		}
	}
	var result struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	if err := json.Unmarshal([]byte(replay(t, d, "json", file)), &result); err != nil {
		t.Fatal(err)
	}
	got, want := told(incidents(t, s)), told(result.Incidents)
	if !slices.Equal(got, want) {
		t.Errorf("%d incidents, replay finds %d; first difference:\n%s", len(got), len(want), difference(got, want))
	}
	once(t, s, ours)
	t.Logf("%d alerts, %d incidents, as onepane replay", len(assigned), len(got))
}

func replay(t *testing.T, d *deployment, format, file string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(d.dir, "onepane"), "replay", "--format", format, file)
	cmd.Env = []string{"ONEPANE_TENANT=" + tenant}
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil || !strings.Contains(problems.String(), ", 0 rejected;") {
		t.Fatalf("replay: %v\n%s", err, problems.String())
	}
	return string(out)
}

// incidents lists all that live on.
func incidents(t *testing.T, s *cosmos.Store) (out []incident.Incident) {
	t.Helper()
	for more := true; more; {
		page, err := s.Incidents(t.Context(), tenant, query.Query{Skip: len(out), Top: 1000})
		if err != nil {
			t.Fatal(err)
		}
		out, more = append(out, page.Items...), page.More
	}
	return slices.DeleteFunc(out, func(i incident.Incident) bool { return i.RedirectTo != "" })
}

// told is what an incident says of itself, whenever it was stored.
func told(all []incident.Incident) []string {
	var out []string
	for _, i := range all {
		out = append(out, fmt.Sprintf("%s %q %s, %d alerts, %d assets, %v, %s to %s", i.ID, i.Name, i.Severity, i.Alerts, i.AssetCount, i.Clouds,
			i.First.UTC().Format(time.RFC3339), i.Last.UTC().Format(time.RFC3339)))
	}
	slices.Sort(out)
	return out
}

func difference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return "stored " + g + "\nreplay " + w
		}
	}
	return ""
}

// once looks at every alert that is listed: each was sent, and none is there twice.
func once(t *testing.T, s *cosmos.Store, ours map[string]string) {
	t.Helper()
	sent := map[string]bool{}
	for _, id := range ours {
		sent[id] = true
	}
	seen := map[string]bool{}
	for more := true; more; {
		page, err := s.Alerts(t.Context(), tenant, query.Query{Skip: len(seen), Top: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			if seen[m.Alert.ID] || !sent[m.Alert.ID] {
				t.Errorf("alert %s: listed twice (%v) or never sent", m.Alert.ID, seen[m.Alert.ID])
			}
			seen[m.Alert.ID] = true
		}
		more = page.More && len(page.Items) > 0
	}
}
