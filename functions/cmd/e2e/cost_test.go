package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What an alert costs in a design that spends everything on each alone: an item for each thing it touches, and a
// message sent, received and completed.
const (
	naiveUnits      = 63
	naiveOperations = 3
)

// atOnce is how many alerts are delivered at once where cost is counted.
const atOnce = 100

// cost is what alerts cost on the whole path.
type cost struct {
	alerts            int
	units, operations float64 // an alert
	billed            string  // which operations, for all
}

func (c cost) String() string {
	return fmt.Sprintf("%d alerts by %d: %.2f RU an alert, %.3f of %d; %.4f operations an alert, %.4f of %d (%s)", c.alerts, atOnce,
		c.units, c.units/naiveUnits, naiveUnits, c.operations, c.operations/naiveOperations, naiveOperations, c.billed)
}

// spend sends n alerts and counts what they cost.
func (d *deployment) spend(in *input, n int) cost {
	d.t.Helper()
	d.cosmos.ResetMeter()
	before := d.bus.Stats().Operations
	d.host.gate.Lock()
	for _, x := range in.take(n) {
		d.deliver(x)
	}
	d.host.gate.Unlock()
	d.drained()
	after := d.bus.Stats().Operations
	return cost{n, d.cosmos.Meter().Total().Charge / float64(n), float64(after.Total()-before.Total()) / float64(n),
		fmt.Sprintf("%d sent, %d received, %d settled, %d sessions accepted, %d managed", after.Send-before.Send, after.Receive-before.Receive,
			after.Settle-before.Settle, after.Accept-before.Accept, after.Manage-before.Manage)}
}

// TestCost counts request units and billed operations on the whole path, and holds them to the project's limits.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this test builds and runs every binary")
	}
	c := deploy(t, time.Minute).spend(newInput(t, atOnce, false), amount(t, 2000))
	t.Log(c)
	if c.units > 0.18*naiveUnits || c.operations > 0.03*naiveOperations {
		t.Errorf("more than 0.18 of %d RU and 0.03 of %d operations an alert", naiveUnits, naiveOperations)
	}
}

// measured is how many alerts the benchmark counts the cost of.
const measured = 40_000

// BenchmarkCost counts what an alert costs when so many are stored already: it must not grow. One operation is 40,000
// alerts, some four folds of the tail, for a fold is a fifth of what alerts cost. ONEPANE_E2E_STORED names the numbers
// stored, in order.
//
//	ONEPANE_E2E_STORED=10000,100000,1000000 go test -run - -bench Cost -benchtime 1x -timeout 6h ./functions/cmd/e2e
func BenchmarkCost(b *testing.B) {
	wanted := os.Getenv("ONEPANE_E2E_STORED")
	if wanted == "" {
		wanted = "10000"
	}
	d, in, stored := deploy(b, time.Minute), newInput(b, atOnce, false), 0
	for _, v := range strings.Split(wanted, ",") {
		n, err := strconv.Atoi(v)
		if err != nil || n < stored {
			b.Fatalf("ONEPANE_E2E_STORED: %q", wanted)
		}
		b.Run(v+" stored", func(b *testing.B) {
			for ; stored < n; stored += 2000 { // in steps, so that the queue stays short
				d.spend(in, 2000)
			}
			for b.Loop() {
				var units, operations float64
				for range measured / 2000 {
					c := d.spend(in, 2000)
					stored += c.alerts
					units += c.units * float64(c.alerts)
					operations += c.operations * float64(c.alerts)
				}
				b.ReportMetric(units/measured, "RU/alert")
				b.ReportMetric(operations/measured, "operations/alert")
			}
		})
	}
}
