package cosmos

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What one logical partition can do.
// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum RUs per partition (logical)", "Maximum storage
// across all items per (logical) partition".
const (
	LogicalPartitionThroughput = 10_000   // request units a second
	LogicalPartitionBytes      = 20 << 30 // items and nothing else
)

// partitionMeter counts what one logical partition spends in each second of the clock.
type partitionMeter struct {
	second int64
	spent  float64 // in that second
	peak   float64 // of any second
	total  float64
}

func (m *partitionMeter) addCharge(now time.Time, charge float64) {
	if second := now.Unix(); second != m.second {
		m.second, m.spent = second, 0
	}
	m.spent += charge
	m.total += charge
	m.peak = max(m.peak, m.spent)
}

// admitRequest refuses a request when the second is already used up: the service lets a request through as long as anything is
// left, and makes the next ones wait.
func (s *Server) admitRequest(p *partition, now time.Time) error {
	limit := s.options.PartitionThroughput
	if limit <= 0 || p.meter.second != now.Unix() || p.meter.spent < limit {
		return nil
	}
	wait := now.Truncate(time.Second).Add(time.Second).Sub(now)
	e := newRefusal(http.StatusTooManyRequests, "429", "Request rate is large. More Request Units may be needed, so no changes were made").withSubstatus(3200)
	e.header = map[string]string{"x-ms-retry-after-ms": fmt.Sprint(max(1, wait.Milliseconds()))}
	return e
}

// PartitionUse is what one logical partition holds and has served.
type PartitionUse struct {
	Key    string // JSON array
	Items  int
	Bytes  int64
	Charge float64 // request units in all
	Peak   float64 // request units in its busiest second
}

// Partitions lists the logical partitions of a container by key; nil when there is no such container.
func (s *Server) Partitions(database, container string) []PartitionUse {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.findContainer(database, container)
	if err != nil {
		return nil
	}
	c.expireItems(s.options.Now())
	out := []PartitionUse{}
	for _, p := range c.partitions {
		out = append(out, PartitionUse{p.key.text, len(p.items), p.bytes, p.meter.total, p.meter.peak})
	}
	slices.SortFunc(out, func(a, b PartitionUse) int { return strings.Compare(a.Key, b.Key) })
	return out
}
