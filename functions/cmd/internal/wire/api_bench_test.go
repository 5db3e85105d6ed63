//go:build unix

package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// stored is how many alerts the API is measured over: ONEPANE_BENCH_ALERTS, a list with commas.
func stored(b *testing.B) []int {
	b.Helper()
	var out []int
	for n := range strings.SplitSeq(or(os.Getenv("ONEPANE_BENCH_ALERTS"), "100000"), ",") {
		v, err := strconv.Atoi(n)
		if err != nil {
			b.Fatalf("ONEPANE_BENCH_ALERTS: %v", err)
		}
		out = append(out, v)
	}
	return out
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// BenchmarkAPI asks a standalone server over HTTP what a portal asks, one question after the other. Ten alerts are an
// incident; one in a hundred incidents is of high severity, one in ten of those active; 5,000 machines share the
// alerts.
//
//	ONEPANE_BENCH_ALERTS=100000,1000000 go test -run - -bench API ./functions/cmd/internal/wire
func BenchmarkAPI(b *testing.B) {
	for _, n := range stored(b) {
		base := apiOver(b, n)
		for _, q := range []struct{ name, path string }{
			{"incidents, first page", "/v1.0/security/incidents"},
			{"incidents, high and active, counted", "/v1.0/security/incidents?$count=true&$filter=severity%20eq%20%27high%27%20and%20status%20eq%20%27active%27"},
			{"alerts, first page", "/v1.0/security/alerts_v2"},
			{"alerts, high and new", "/v1.0/security/alerts_v2?$top=50&$filter=severity%20eq%20%27high%27%20and%20status%20eq%20%27new%27"},
			{"search by an asset", "/api/v1/search?q=web-1234.contoso.example"},
			{"an entity's page", "/api/v1/entities/" + "aG9zdDp3ZWItMTIzNC5jb250b3NvLmV4YW1wbGU"},
		} {
			b.Run(fmt.Sprintf("%d stored/%s", n, q.name), func(b *testing.B) {
				took := make([]time.Duration, 0, b.N)
				for b.Loop() {
					took = append(took, timed(b, base+q.path))
				}
				percentiles(b, took)
			})
		}
	}
}

// percentiles reports the median and the 99th percentile in µs.
func percentiles(b *testing.B, took []time.Duration) (median time.Duration) {
	slices.Sort(took)
	at := func(p float64) time.Duration { return took[min(len(took)-1, int(p*float64(len(took))))] }
	b.ReportMetric(float64(at(0.5).Microseconds()), "p50-µs")
	b.ReportMetric(float64(at(0.99).Microseconds()), "p99-µs")
	return at(0.5)
}

func timed(b *testing.B, url string) time.Duration {
	begin := time.Now()
	resp, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); resp.StatusCode != http.StatusOK || err != nil || n == 0 {
		b.Fatalf("%s: %d, %d bytes, %v", url, resp.StatusCode, n, err)
	}
	return time.Since(begin)
}

// apiOver starts a server over a data directory with n alerts.
func apiOver(b *testing.B, n int) string {
	b.Helper()
	cfg := config.Default()
	cfg.Data = b.TempDir()
	s, err := NewStandalone(cfg, "bench", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	var version uint64
	for from := 0; from < n; from, version = from+100, version+1 {
		var c incident.Changes
		for i := from; i < min(from+100, n); i++ {
			c.Alerts = append(c.Alerts, aMember(i))
			if i%10 == 0 {
				c.Incidents = append(c.Incidents, anIncident(i/10))
			}
		}
		if err := s.Store.Commit(b.Context(), "default", version, c); err != nil {
			b.Fatal(err)
		}
	}
	server := httptest.NewServer(s.Handler())
	b.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return server.URL
}

var opening = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func aMember(i int) incident.AlertRecord {
	at := opening.Add(time.Duration(i) * time.Second)
	origin := alert.Origin{Provider: "guardduty", ID: fmt.Sprintf("%032x", i)}
	machine := entity.Entity{Kind: entity.Resource, Value: fmt.Sprintf("arn:aws:ec2:eu-west-1:111122223333:instance/i-%017x", i%5000)}.
		WithAlias(entity.Host, fmt.Sprintf("web-%d.contoso.example", i%5000)).WithAlias(entity.IP, fmt.Sprintf("10.0.%d.%d", i%5000/250, i%250))
	m := incident.AlertRecord{
		Alert: alert.Alert{
			ID: alert.MakeID("default", origin), Tenant: "default", Origin: origin, Reporter: "guardduty", ReportID: origin.ID, Product: "Amazon GuardDuty",
			Type: "Recon:EC2/PortProbeUnprotectedPort", Title: fmt.Sprintf("Unprotected port on %d is being probed", i), Severity: alert.Low, Status: alert.StatusNew,
			First: at, Last: at, Updated: at, Evidence: []alert.Evidence{
				{Entity: machine, Role: alert.Victim}, {Entity: entity.Entity{Kind: entity.IP, Value: fmt.Sprintf("203.0.113.%d", i%256)}, Role: alert.Attacker},
			},
			Raw: []byte(`{"detail":"` + strings.Repeat("x", 1000) + `"}`),
		},
		Incident: strconv.Itoa(1_000_000 + i/10), Status: alert.StatusNew, Created: at, Updated: at,
	}
	if i%1000 == 0 {
		m.Alert.Severity = alert.High
	}
	return m
}

func anIncident(i int) incident.Incident {
	at := opening.Add(time.Duration(i) * 10 * time.Second)
	out := incident.Incident{
		ID: strconv.Itoa(1_000_000 + i), Tenant: "default", Name: fmt.Sprintf("Port probing on %d", i), Severity: alert.Low, Status: incident.Resolved,
		Created: at, Updated: at, First: at, Last: at, Alerts: 10,
	}
	if i%100 == 0 {
		out.Severity = alert.High
	}
	if i%1000 == 0 {
		out.Status = incident.Active
	}
	return out
}

// BenchmarkBesideAlertmanager holds the first page of incidents at 100,000 alerts against what Alertmanager takes for
// its groups at as many: the goal is a hundredth. It needs an alertmanager on the PATH.
func BenchmarkBesideAlertmanager(b *testing.B) {
	program, err := exec.LookPath("alertmanager")
	if err != nil {
		b.Skip("no alertmanager on the PATH: install github.com/prometheus/alertmanager/cmd/alertmanager to compare with it")
	}
	const alerts = 100_000
	peer := alertmanager(b, program, alerts)
	base := apiOver(b, alerts)
	var ours []time.Duration
	for b.Loop() {
		ours = append(ours, timed(b, base+"/v1.0/security/incidents"))
	}
	median := percentiles(b, ours)
	var theirs []time.Duration
	for range 3 {
		theirs = append(theirs, timed(b, peer+"/api/v2/alerts/groups"))
	}
	slices.Sort(theirs)
	b.ReportMetric(float64(theirs[1].Microseconds()), "groups-µs")
	b.ReportMetric(float64(median)/float64(theirs[1]), "x-of-groups")
}

// alertmanager starts one that holds n alerts, ten a group, and notifies nobody.
func alertmanager(b *testing.B, program string, n int) string {
	b.Helper()
	dir := b.TempDir()
	settings := filepath.Join(dir, "am.yml")
	text := "route: {receiver: none, group_by: [account, incident], group_wait: 1h, group_interval: 1h}\nreceivers: [{name: none}]\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // for the peer to listen on
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config.file="+settings, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--cluster.listen-address=", "--log.level=error")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stop(); _ = cmd.Wait() })
	base := "http://" + address
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(base + "/-/ready"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(end) {
			b.Fatal("alertmanager does not become ready")
		}
	}
	ends := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
	for from := 0; from < n; from += 500 {
		var body bytes.Buffer
		for i := from; i < from+500; i++ {
			fmt.Fprintf(&body, `,{"labels":{"alertname":"PortProbe","account":"111122223333","incident":"%d","instance":"i-%d","severity":"low","id":"%d"},"annotations":{"title":"Unprotected port on %d is being probed","detail":"%s"},"endsAt":%q}`,
				i/10, i%5000, i, i, strings.Repeat("x", 400), ends)
		}
		body.WriteByte(']')
		payload := body.Bytes()
		payload[0] = '['
		resp, err := http.Post(base+"/api/v2/alerts", "application/json", bytes.NewReader(payload))
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("post: %v, %v", resp, err)
		}
		_ = resp.Body.Close()
	}
	return base
}
