package cosmos

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Meter is what was used: for each kind of operation in each container. Operations in a batch are counted under their
// own kind, the batch itself as one request without operations or charge, so that all charges together are what was
// used.
type Meter map[MeterLine]Usage

// MeterLine says what a Usage is of.
type MeterLine struct {
	Database, Container string
	Kind                Kind
}

// Usage is what one MeterLine has used.
type Usage struct {
	Requests   int     // calls over the wire
	Operations int     // items written or read by them, queries and feed pages
	Charge     float64 // request units
	Refused    int     // operations answered with an error
}

// Meter is a copy of what was used since New or the last ResetMeter.
func (s *Server) Meter() Meter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.meter)
}

// ResetMeter begins to count anew.
func (s *Server) ResetMeter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meter = Meter{}
}

// Total adds up all lines, or those of the kinds given.
func (m Meter) Total(kinds ...Kind) Usage {
	var sum Usage
	for line, usage := range m {
		if len(kinds) == 0 || slices.Contains(kinds, line.Kind) {
			sum.add(usage)
		}
	}
	return sum
}

func (u *Usage) add(more Usage) {
	u.Requests += more.Requests
	u.Operations += more.Operations
	u.Charge += more.Charge
	u.Refused += more.Refused
}

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
	c, err := s.catalog.findContainer(database, container)
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
