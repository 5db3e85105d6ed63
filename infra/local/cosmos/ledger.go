package cosmos

import "maps"

// Ledger is what was spent: for each kind of operation in each container. Operations in a batch are entered under their
// own kind, the batch itself as one request without operations or charge, so that the sum of all charges is what was
// spent.
type Ledger map[Entry]Spent

// Entry is what a line of the ledger is about.
type Entry struct {
	Database, Container string
	Kind                Kind
}

// Spent is one line.
type Spent struct {
	Requests   int     // calls over the wire
	Operations int     // items written or read by them, queries and feed pages
	Charge     float64 // request units
	Refused    int     // operations answered with an error
}

// Ledger is a copy of what was spent since New or the last ResetLedger.
func (s *Server) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ledger)
}

// ResetLedger starts a new one.
func (s *Server) ResetLedger() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger = Ledger{}
}

// Total adds up all lines, or those of the kinds given.
func (l Ledger) Total(kinds ...Kind) Spent {
	var sum Spent
	for e, line := range l {
		wanted := len(kinds) == 0
		for _, k := range kinds {
			wanted = wanted || k == e.Kind
		}
		if wanted {
			sum.Requests += line.Requests
			sum.Operations += line.Operations
			sum.Charge += line.Charge
			sum.Refused += line.Refused
		}
	}
	return sum
}

// enter adds to a line.
func (s *Server) enter(r *request, kind Kind, more Spent) {
	e := Entry{r.op.Database, r.op.Container, kind}
	line := s.ledger[e]
	line.Requests += more.Requests
	line.Operations += more.Operations
	line.Charge += more.Charge
	line.Refused += more.Refused
	s.ledger[e] = line
}
