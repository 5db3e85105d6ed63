package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/testdata/attacks"
)

// repeats is how often a product tells the same again within a minute, as sensors do that nobody tuned: the public AIT
// set has 2.6 million alerts of which 1 in 10 to 20 are left when such repeats are dropped.
const repeats = 10

// writeVolume writes about n alerts in delivery order: the noisiest scenario, each alert repeated under ids of its own
// within a minute, in as many tenants as it takes. It holds one scenario, however many alerts it writes.
func writeVolume(out io.Writer, seed uint64, n int) error {
	alerts := attacks.Generate(attacks.Options{Seed: seed, Noise: attacks.High}).Alerts
	copies := (n + len(alerts) - 1) / len(alerts)
	b := bufio.NewWriterSize(out, 1<<20)
	for _, l := range alerts {
		for i := range min(copies, n) {
			if err := json.MarshalWrite(b, repeatedAlert(l.Alert, i/repeats, i%repeats)); err != nil {
				return err
			}
			b.WriteByte('\n') // Flush tells of the error
		}
		n -= min(copies, n)
	}
	return b.Flush()
}

// replayVolume replays so many alerts in this process and prints what that took, the making of the alerts included: CPU
// for each alert while little was remembered and at the end, and the most memory there ever was.
func replayVolume(ctx context.Context, out io.Writer, seed uint64, n int) error {
	functions, err := wire.Readers(config.Default(), "")
	if err != nil {
		return err
	}
	replay.LimitMemory()
	type mark struct {
		records int
		cpu     time.Duration
	}
	var marks []mark
	r := &replay.Replay{Functions: functions, Progress: func(records int) {
		cpu, _ := processUsage()
		marks = append(marks, mark{records, cpu})
	}}
	start := time.Now()
	began, _ := processUsage()
	in, w := io.Pipe()
	go func() { w.CloseWithError(writeVolume(w, seed, n)) }()
	if err := r.Read(ctx, "volume", in); err != nil {
		return err
	}
	cpu, peak := processUsage()
	cpu -= began
	fmt.Fprintf(out, "%d alerts: %.0f s, %.0f s of CPU, %.0f alerts per CPU second, peak %d MB\n",
		n, time.Since(start).Seconds(), cpu.Seconds(), float64(n)/cpu.Seconds(), peak>>20)
	const window = 5 // marks, of 10,000 alerts each
	if last := len(marks) - 1; last > 2*window {
		each := func(a, b mark) float64 { return (b.cpu - a.cpu).Seconds() * 1e6 / float64(b.records-a.records) }
		few, many := each(marks[0], marks[window]), each(marks[last-window], marks[last])
		fmt.Fprintf(out, "CPU for an alert: %.0f µs after %d, %.0f µs after %d: %.2f times\n", few, marks[0].records, many, marks[last-window].records, many/few)
	}
	return nil
}

// repeatedAlert is the alert as it happens to another tenant, and once more after some seconds.
func repeatedAlert(a attacks.Alert, tenant, repeat int) attacks.Alert {
	a.Tenant = fmt.Sprintf("%s-%d", a.Tenant, tenant)
	a.ID = fmt.Sprintf("%s-%d", a.ID, repeat)
	if a.ProviderID != "" {
		a.ProviderID = fmt.Sprintf("%s-%d", a.ProviderID, repeat)
	}
	after := time.Duration(repeat) * 5 * time.Second
	a.Time, a.Delivered = a.Time.Add(after), a.Delivered.Add(after)
	return a
}
