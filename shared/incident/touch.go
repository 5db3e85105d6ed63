package incident

import (
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// remember makes an alert's ids lead to it, each to the first alert that carried it.
func (s *State) remember(m *Member, ids []string) {
	for _, id := range ids {
		if n := s.nodes[id]; n == nil || n.Alert == "" {
			s.lead(id, m.Alert)
		}
	}
}

func (s *State) lead(name string, a alert.Alert) {
	n := s.edit(name)
	n.Alert = a.ID
	n.span(a.First, a.Last)
}

// touch records that an incident's alert used these entities, and who appeared together.
func (s *State) touch(inc *Incident, v *arrival, newKind bool) {
	a := &v.Alert
	pulse := s.tune.Pulse // a flood of one kind is no burst
	if newKind {
		pulse = 1
	}
	for i, t := range v.ties {
		mark := Touch{Incident: inc.ID, Alert: a.ID, First: a.First, Last: a.Last, Alerts: 1, Recent: pulse, Vague: 1 - v.share(t.class)}
		if t.began { // a flood says no more than its first
			mark.Credit = t.credit
		}
		s.edit(t.key).touched(mark, s.tune)
		n := s.nodes[t.key]
		for j, o := range v.ties {
			if i != j && (o.machine || o.class == "user" || o.class == "resource") {
				n.met(hash(o.key))
			}
		}
	}
	for _, name := range v.claims {
		n := s.edit(name)
		n.span(a.First, a.Last)
		n.touched(Touch{Incident: inc.ID, Alert: a.ID, First: a.First, Last: a.Last, Alerts: 1}, s.tune)
	}
}

func hash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s)) // never fails
	return h.Sum32()
}

func (n *Node) span(first, last time.Time) {
	if n.First.IsZero() || first.Before(n.First) {
		n.First = first
	}
	if last.After(n.Last) {
		n.Last = last
	}
}

// touched notes an incident's use of this node. Of too many, the one that has been quiet longest is forgotten.
func (n *Node) touched(t Touch, tune *Tuning) {
	for i := range n.Touches {
		h := &n.Touches[i]
		if h.Incident != t.Incident {
			continue
		}
		if gap(t.First, h.First, h.Last) > tune.Episode {
			h.Alerts += t.Alerts
		}
		h.Recent = h.Recent*math.Exp2(-float64(gap(t.First, h.First, h.Last))/float64(tune.BurstHalfLife)) + t.Recent
		h.Vague = min(h.Vague, t.Vague)
		h.Credit = 1 - (1-h.Credit)*(1-t.Credit)
		if !t.Last.Before(h.Last) {
			h.Alert = t.Alert
		}
		h.Last = later(t.Last, h.Last)
		if t.First.Before(h.First) {
			h.First = t.First
		}
		return
	}
	n.Touches = append(n.Touches, t)
	slices.SortStableFunc(n.Touches, func(a, b Touch) int { return a.Last.Compare(b.Last) })
	if len(n.Touches) > maxTouches {
		n.Touches = slices.Delete(n.Touches, 0, 1)
	}
}

func (n *Node) owned(o Owner) {
	for i := range n.Owners {
		if n.Owners[i].Key == o.Key {
			n.Owners[i].Last = later(n.Owners[i].Last, o.Last)
			n.Owners[i].Guess = n.Owners[i].Guess && o.Guess
			return
		}
	}
	n.Owners = append(n.Owners, o)
	if len(n.Owners) > maxOwners {
		n.Owners = slices.Delete(n.Owners, 0, 1)
	}
}

func (n *Node) met(who uint32) {
	if len(n.Company) < maxCompany && !slices.Contains(n.Company, who) {
		n.Company = append(n.Company, who)
	}
}
