package incident

// drip is the incident that gathers a kind of alert that fires on an entity all the time: one more of it belongs there,
// unless it ties to something better.
func (s *State) drip(v *arrival) (candidate, bool) {
	t, ok := ground(v.ties)
	if !ok {
		return candidate{}, false
	}
	c := s.nodes[t.key].typed(v.kind)
	if c == nil || c.Episodes < s.tune.DripCount {
		return candidate{}, false
	}
	inc, apart := s.incident(c.Incident), gap(v.Alert.First, c.First, c.Last)
	if inc == nil || !inc.open() || !inc.Noise || apart > s.tune.DripWindow || inc.Alerts >= s.tune.MaxAlerts {
		return candidate{}, false
	}
	return candidate{incident: inc, score: 1, reasons: []Reason{{
		Rule: "keeps firing on one " + spoken(t.class), Alert: inc.Opener, Entity: t.key, Name: t.display, Weight: 1, Gap: apart,
	}}}, true
}

// dripping reports whether a kind fires on its entity so often that an incident of its own may gather it.
func (s *State) dripping(v *arrival) bool {
	t, ok := ground(v.ties)
	if !ok {
		return false
	}
	c := s.nodes[t.key].typed(v.kind)
	return c != nil && c.Episodes >= s.tune.DripCount
}
