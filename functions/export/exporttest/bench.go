package exporttest

import (
	"context"
	"runtime"
	"testing"

	"github.com/onepane/onepane/functions/export"
)

// Bench measures how fast a target and its receiver take what a store has: records (alerts and their incidents) a
// second, the memory made for each, the stand-in's included, and the most that the heap held after a batch.
func Bench(b *testing.B, r Receiver) {
	const alerts = 2000
	w := NewWorld(b)
	for from := 0; from < alerts; from += 100 {
		w.Report(from, from+100)
	}
	w.SkipFeed(b)
	records := 0
	var begin, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&begin)
	heap := &watermark{Target: r.Target()}
	b.ReportAllocs()
	for b.Loop() {
		f := w.Function(heap, nil)
		before, err := f.Status(b.Context(), func(string) bool { return true })
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.StartBackfill(b.Context(), Name, Begin.AddDate(-1, 0, 0), Begin.AddDate(1, 0, 0)); err != nil {
			b.Fatal(err)
		}
		f.RunOnce(b.Context())
		after, err := f.Status(b.Context(), func(string) bool { return true })
		if err != nil || after[0].Backfill.Sent == 0 || before[0].DeadLettered != after[0].DeadLettered {
			b.Fatal(after, err)
		}
		records += int(after[0].Backfill.Sent)
	}
	runtime.ReadMemStats(&end)
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(end.TotalAlloc-begin.TotalAlloc)/float64(records), "B/record")
	b.ReportMetric(float64(max(heap.most, begin.HeapAlloc)-begin.HeapAlloc)/(1<<20), "heap-MB")
}

// watermark remembers the most that the heap held after a batch.
type watermark struct {
	export.Target
	most uint64
}

// Send implements export.Target.
func (m *watermark) Send(ctx context.Context, rs []export.Record) (int, error) {
	n, err := m.Target.Send(ctx, rs)
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	m.most = max(m.most, now.HeapAlloc)
	return n, err
}
