package servicebus_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/guardduty"
	standin "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/cloudevent"
)

// naive is what an alert costs at one alert per message: sent, received, completed.
const naive = 3

// TestCost holds what is billed per alert to the project's goal, at 100 alerts a call and one tenant.
func TestCost(t *testing.T) {
	const calls = 20
	perAlert, bytes := measureCost(t, calls)
	t.Logf("%.4f operations per alert of %d bytes: %.4f of the naive design", perAlert, bytes, perAlert/naive)
	if ratio := perAlert / naive; ratio > 0.011 {
		t.Errorf("%.4f operations per alert are %.4f of the naive design, the goal is 0.01", perAlert, ratio)
	}
}

func BenchmarkCost(b *testing.B) {
	for b.Loop() {
		perAlert, bytes := measureCost(b, 50)
		b.ReportMetric(perAlert, "operations/alert")
		b.ReportMetric(perAlert/naive, "of-naive")
		b.ReportMetric(float64(bytes), "bytes/alert")
	}
}

func measureCost(t testing.TB, calls int) (perAlert float64, bytes int) {
	t.Helper()
	b := standin.Start(t, standin.Config{Queues: standin.Queues(time.Minute)})
	opts := quickOptions()
	opts.ConnectionString, opts.Lock, opts.Idle = b.ConnectionString(), time.Minute, time.Second
	q := openBus(t, opts)
	defer q.Close(t.Context())
	r := rand.New(rand.NewPCG(7, 7))
	for range calls {
		evs := randomAlerts(t, r, 100)
		for _, e := range evs {
			bytes += len(e.Data)
		}
		if err := q.Publish(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
	}
	receiveAll(t, q, calls*100)
	return float64(b.Stats().Operations.Total()) / float64(calls*100), bytes / (calls * 100)
}

// receiveAll subscribes until n events came and were completed.
func receiveAll(t testing.TB, q *servicebus.Bus, n int) {
	t.Helper()
	got := make(chan int, n)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- q.Subscribe(ctx, func(_ context.Context, evs []cloudevent.Event) error {
			got <- len(evs)
			return nil
		})
	}()
	for left := n; left > 0; {
		select {
		case k := <-got:
			left -= k
		case <-time.After(patience):
			t.Fatalf("%d of %d events did not come", left, n)
		}
	}
	stop() // what is handled is completed before Subscribe returns
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

var (
	texts   = regexp.MustCompile(`"[^"]*"`)
	numbers = regexp.MustCompile(`[0-9a-f]{6,}`)
	octets  = regexp.MustCompile(`\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b`)
)

// randomAlerts are GuardDuty findings of 2 to 4 KB with their raw records, each with ids, resources and addresses of
// its own.
func randomAlerts(t testing.TB, r *rand.Rand, n int) []cloudevent.Event {
	t.Helper()
	files, err := filepath.Glob("../../../functions/ingest/guardduty/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded findings: %v", err)
	}
	var out []cloudevent.Event
	for len(out) < n {
		raw, err := os.ReadFile(files[r.IntN(len(files))])
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := reportedEvent(t, r, varyFinding(r, raw), len(out)); ok {
			out = append(out, e)
		}
	}
	return out
}

func varyFinding(r *rand.Rand, raw []byte) jsontext.Value {
	v := jsontext.Value(slices.Clone(raw))
	if err := v.Compact(); err != nil {
		return nil
	}
	return texts.ReplaceAllFunc(v, func(s []byte) []byte {
		s = octets.ReplaceAllFunc(s, func(a []byte) []byte {
			return octets.ReplaceAll(a, fmt.Appendf(nil, "${1}.%d.%d", r.IntN(256), r.IntN(256)))
		})
		return numbers.ReplaceAllFunc(s, func(h []byte) []byte {
			for i, c := range h {
				if c >= 'a' {
					h[i] = "abcdef"[r.IntN(6)]
				} else {
					h[i] = "0123456789"[r.IntN(10)]
				}
			}
			return h
		})
	})
}

func reportedEvent(t testing.TB, r *rand.Rand, raw jsontext.Value, i int) (cloudevent.Event, bool) {
	t.Helper()
	a, err := guardduty.Provider{}.Normalize(ingest.NewRecord(raw, nil))
	if err != nil {
		return cloudevent.Event{}, false // a recording of what must be refused
	}
	a.Tenant, a.Raw, a.Delivered = "contoso", raw, a.First.Add(time.Duration(i)*time.Second)
	a.ID = fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	e, err := events.NewAlert(a, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err != nil {
		t.Fatal(err)
	}
	return e, true
}
