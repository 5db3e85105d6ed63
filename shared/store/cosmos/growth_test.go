package cosmos_test

import (
	"testing"

	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/testdata/attacks"
)

// TestGrowth measures what an alert leaves in a partition of the tenant's tables, which is what can become full: in
// its own, and in volumes, which take over before that.
func TestGrowth(t *testing.T) {
	const alerts = 9600
	for _, tt := range []struct {
		name     string
		volumeAt int64
	}{{"one volume", 0}, {"many volumes", 400_000}} {
		r := newRig(t, cosmos.Options{VolumeAt: tt.volumeAt, Fold: 12})
		r.feed(t, newTraffic(attacks.Medium).take(t, alerts))
		with := r.partition(tenant)
		r.now = r.now.Add(5 * day) // names are over
		page, err := r.store.Alerts(t.Context(), tenant, query.Query{Top: alerts, Count: true})
		if err != nil || int64(len(page.Items)) != page.Total {
			t.Fatalf("%d alerts of %d, %v", len(page.Items), page.Total, err)
		}
		left := r.partition(tenant)
		cost := r.account.Meter().Total().Charge / alerts
		if t.Logf("%s: %.2f RU an alert", tt.name, cost); cost > goal {
			t.Errorf("%s: an alert costs %.2f RU, the goal is %.2f", tt.name, cost, goal)
		}
		t.Logf("%s: %d bytes an alert and %d for three days", tt.name, left/alerts, (with-left)/alerts)
		for _, p := range r.account.Partitions("onepane", "state") {
			t.Logf("  %s: %d bytes", p.Key, p.Bytes)
			if tt.volumeAt > 0 && p.Bytes > 2*tt.volumeAt {
				t.Errorf("partition %s has %d bytes, tables should go on in the next at %d", p.Key, p.Bytes, tt.volumeAt)
			}
		}
		for _, p := range r.account.Partitions("onepane", "blobs") {
			if p.Bytes > 512<<10 {
				t.Errorf("a blob of %d bytes", p.Bytes)
			}
		}
	}
}

// partition is the size of a partition of state.
func (r *rig) partition(name string) int64 {
	for _, p := range r.account.Partitions("onepane", "state") {
		if p.Key == `["`+name+`"]` {
			return p.Bytes
		}
	}
	return 0
}
