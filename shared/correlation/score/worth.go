package score

// Entity is an entity of an alert, as far as it matters what sharing it is worth.
type Entity struct {
	Class       string // the part of its key before the colon: see Params.Weights
	Role        string // what the alert says it was: attacker, victim, context, or nothing
	Weak        bool   // its name identifies only while nothing contradicts it
	Everywhere  bool   // an account or host that exists everywhere: root, SYSTEM, localhost
	LinkLocal   bool   // an address that means something on one wire only
	Sort        Sort
	CoOccurring int // how many others it appeared with
}

// Worth is what sharing an entity says about belonging together, before time, 0 to 1: less for a name that is weak or
// common, or shared by many.
func (p *Params) Worth(e Entity) float64 {
	w, ok := p.Weights[e.Class]
	if !ok {
		w = p.Weights["other"]
	}
	switch e.Role {
	case "attacker":
		w *= p.Attacker
	case "victim":
		w *= p.Victim
	case "context":
		if e.Sort != Machine { // an attack may well have come from it
			w *= p.Context
		}
	}
	if e.Weak {
		w = p.weakenWorth(w*p.Weak, e)
	}
	if e.Everywhere {
		w = p.Common
	}
	if e.CoOccurring > 0 && e.Sort != Machine {
		crowd := float64(e.CoOccurring) / p.Company
		w /= 1 + crowd*crowd
	}
	return min(w, p.WorthMost)
}

// weakenWorth scales the worth of a weak name by how easily it means two entities.
func (p *Params) weakenWorth(w float64, e Entity) float64 {
	switch {
	case e.Class == "user":
		return w * p.BareAccount
	case e.Class == "ip" && e.LinkLocal:
		return 0
	case e.Class == "ip":
		return w * p.PrivateAddress
	}
	return w
}
