//go:build unix

package wire

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/config"
)

// BenchmarkDelivery is the whole way of a GuardDuty finding on one machine: POST, on the disk, answered, correlated,
// queryable. One operation is one alert, on one of 5,000 machines.
//
//	go test -run xxx -bench Delivery -benchtime 20000x ./functions/cmd/internal/wire
func BenchmarkDelivery(b *testing.B) {
	for _, bb := range []struct{ batch, senders int }{{1, 64}, {100, 8}} {
		b.Run(fmt.Sprintf("batch %d", bb.batch), func(b *testing.B) { deliver(b, bb.batch, bb.senders) })
	}
}

func deliver(b *testing.B, batch, senders int) {
	cfg, err := config.Load(func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	cfg.Data = b.TempDir()
	s, err := NewStandalone(cfg, "bench", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Bus.Subscribe(ctx, s.Correlate) }()
	finding := findings(b)
	bodies := make([][]byte, 0, b.N/batch+1)
	for from := 0; from < b.N; from += batch {
		bodies = append(bodies, finding(from, min(from+batch, b.N)))
	}
	handler := s.Handler()
	var next atomic.Int64
	var sending sync.WaitGroup
	b.ReportAllocs()
	cpu := cpuTime()
	b.ResetTimer()
	for range senders {
		sending.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(bodies) {
					return
				}
				r := httptest.NewRequest(http.MethodPost, "http://localhost/api/ingest/aws", bytes.NewReader(bodies[n]))
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != http.StatusAccepted {
					b.Errorf("%d %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	sending.Wait()
	if err := s.Bus.Drained(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "µs-cpu/alert")
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	stats, err := s.Store.Stats(b.Context())
	if err != nil || stats.Alerts != int64(b.N) {
		b.Errorf("%d alerts stored, want %d (%v)", stats.Alerts, b.N, err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRead takes deliveries apart and makes alert events of them, and back: what ingest and correlate do beside
// the disk and the decision.
func BenchmarkRead(b *testing.B) {
	functions, err := ingestFunctions(config.Config{})
	if err != nil {
		b.Fatal(err)
	}
	byRoute := map[string]*ingest.Function{}
	for _, fn := range functions {
		byRoute[fn.Route] = fn
	}
	bodies := findings(b)
	for _, bb := range []struct {
		name, route string
		body        []byte
		alerts      int
	}{
		{"guardduty", "aws", bodies(0, 1), 1},
		{"guardduty by 100", "aws", bodies(0, 100), 100},
		{"generic", "webhook", []byte(`{"id":"a1","time":"2026-03-03T00:07:33Z","source":"acme.edr","type":"CredentialDump","title":"LSASS memory read",
			"severity":"high","tactics":["credential-access"],"techniques":["T1003.001"],"entities":[{"kind":"host","value":"FIN-LT057","role":"victim"},
			{"kind":"user","value":"dora@contoso.example"},{"kind":"file","value":"rundll32.exe","role":"attacker"}]}`), 1},
	} {
		fn := byRoute[bb.route]
		b.Run("open "+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N / bb.alerts {
				if alerts, _, err := fn.Read(ingest.Delivery{Body: bb.body}); err != nil || len(alerts) != bb.alerts {
					b.Fatal(len(alerts), err)
				}
			}
		})
		alerts, _, err := fn.Read(ingest.Delivery{Body: bb.body, Received: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		alerts[0].Tenant = "contoso"
		event, err := events.NewAlert(alerts[0], "")
		if err != nil {
			b.Fatal(err)
		}
		b.Run("event of "+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := events.NewAlert(alerts[0], ""); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("parse "+bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := events.ParseAlert(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// findings gives EventBridge deliveries of the findings from one number to before another: a recorded one of some 3 KB
// with ids, machines and addresses of its own.
func findings(b *testing.B) func(from, to int) []byte {
	b.Helper()
	recorded, err := os.ReadFile("../../../ingest/guardduty/testdata/instance-outbound-c2.json")
	if err != nil {
		b.Fatal(err)
	}
	return func(from, to int) []byte {
		var out bytes.Buffer
		out.WriteByte('[')
		for n := from; n < to; n++ {
			machine := uint32(n) * 2654435761 % 5000
			of := strings.NewReplacer("1ac0ffee000000000000000000000001", fmt.Sprintf("%032x", n*7919+1),
				"i-0a1b2c3d4e5f60718", fmt.Sprintf("i-%017x", machine),
				"10.0.4.17", fmt.Sprintf("10.%d.%d.%d", machine>>16&255, machine>>8&255, machine&255),
				"2026-03-03T00", fmt.Sprintf("2026-%02d-%02dT%02d", 1+n/20000%12, 1+n/700%28, n/30%24))
			if n > from {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, `{"version":"0","id":"%032x","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"111122223333","time":"2026-03-03T00:25:00Z","region":"eu-west-1","resources":[],"detail":`, n)
			_, _ = of.WriteString(&out, string(recorded)) // a buffer takes all
			out.WriteByte('}')
		}
		out.WriteByte(']')
		return out.Bytes()
	}
}

// cpuTime is what this process has used so far, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
