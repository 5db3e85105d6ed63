package exporttest

import (
	"testing"
)

// Bench measures how fast a target and its receiver take what a store has: records a second, and memory for each.
func Bench(b *testing.B, r Receiver) {
	const alerts = 2000
	w := NewWorld(b)
	for from := 0; from < alerts; from += 100 {
		w.Report(from, from+100)
	}
	records := 0
	b.ReportAllocs()
	for b.Loop() {
		f := w.Function(r.Target(), nil)
		before, err := f.Status(b.Context(), func(string) bool { return true })
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Start(b.Context(), Name, Begin.AddDate(-1, 0, 0), Begin.AddDate(1, 0, 0)); err != nil {
			b.Fatal(err)
		}
		f.Run(ended())
		after, err := f.Status(b.Context(), func(string) bool { return true })
		if err != nil || after[0].Job.Sent == 0 || before[0].Aside != after[0].Aside {
			b.Fatal(after, err)
		}
		records += int(after[0].Job.Sent)
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
