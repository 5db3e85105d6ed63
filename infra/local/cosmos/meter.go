package cosmos

import (
	"maps"
	"slices"
)

// Meter is what was used: for each kind of operation in each container. Operations in a batch are counted under their own
// kind, the batch itself as one request without operations or charge, so that all charges together are what was used.
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

// addUsage adds to the line of a request's container.
func (s *Server) addUsage(r *request, kind Kind, more Usage) {
	line := MeterLine{r.op.Database, r.op.Container, kind}
	usage := s.meter[line]
	usage.add(more)
	s.meter[line] = usage
}
