package cosmos_test

import (
	"testing"

	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/testdata/attacks"
)

// TestGrowth measures what an alert leaves in the tenant's partition, which is the one that can become full: while rows are kept
// there, and when they are not any more.
func TestGrowth(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spreadAt int64
		most     int64 // bytes an alert
	}{{"rows inside", 0, 400}, {"rows beside", 1, 200}} {
		const alerts = 6400
		r := newRig(t, cosmos.Options{SpreadAt: tt.spreadAt})
		r.feed(t, newTraffic(attacks.Medium).take(t, alerts))
		with := r.partition()
		r.now = r.now.Add(5 * day) // names are over
		page, err := r.store.Alerts(t.Context(), tenant, query.Query{Top: alerts, Count: true})
		if err != nil || int64(len(page.Items)) != page.Total {
			t.Fatalf("%d alerts of %d, %v", len(page.Items), page.Total, err)
		}
		for _, p := range r.account.Partitions("onepane", "blobs") {
			if p.Bytes > 512<<10 {
				t.Errorf("a blob of %d bytes", p.Bytes)
			}
		}
		left := r.partition()
		t.Logf("%s: %d bytes an alert and %d for three days", tt.name, left/alerts, (with-left)/alerts)
		if left/alerts > tt.most {
			t.Errorf("%s: that is more than %d", tt.name, tt.most)
		}
	}
}

// partition is the size of the tenant's partition. What finds alerts by name lies in another.
func (r *rig) partition() int64 {
	for _, p := range r.account.Partitions("onepane", "state") {
		if p.Key == `["`+tenant+`"]` {
			return p.Bytes
		}
	}
	return 0
}
