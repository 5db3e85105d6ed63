package incident

import (
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/alert"
)

// remember makes an alert's ids lead to it, each to the first alert that carried it.
func (s *State) remember(m *AlertRecord, ids []string) {
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
		mark := Activity{Incident: inc.ID, Alert: a.ID, First: a.First, Last: a.Last, Episodes: 1, Burst: pulse, Dilution: 1 - v.share(t.class)}
		if t.began { // a flood says no more than its first
			mark.Suspicion = t.credit
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
		n.touched(Activity{Incident: inc.ID, Alert: a.ID, First: a.First, Last: a.Last, Episodes: 1}, s.tune)
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
func (n *Node) touched(t Activity, tune *Tuning) {
	for i := range n.Activities {
		h := &n.Activities[i]
		if h.Incident != t.Incident {
			continue
		}
		if gap(t.First, h.First, h.Last) > tune.Episode {
			h.Episodes += t.Episodes
		}
		h.Burst = h.Burst*math.Exp2(-float64(gap(t.First, h.First, h.Last))/float64(tune.BurstHalfLife)) + t.Burst
		h.Dilution = min(h.Dilution, t.Dilution)
		h.Suspicion = 1 - (1-h.Suspicion)*(1-t.Suspicion)
		if !t.Last.Before(h.Last) {
			h.Alert = t.Alert
		}
		h.Last = later(t.Last, h.Last)
		if t.First.Before(h.First) {
			h.First = t.First
		}
		return
	}
	n.Activities = append(n.Activities, t)
	slices.SortStableFunc(n.Activities, func(a, b Activity) int { return a.Last.Compare(b.Last) })
	if len(n.Activities) > maxTouches {
		n.Activities = slices.Delete(n.Activities, 0, 1)
	}
}

func (n *Node) owned(o AliasTarget) {
	for i := range n.Targets {
		if n.Targets[i].Key == o.Key {
			n.Targets[i].Last = later(n.Targets[i].Last, o.Last)
			n.Targets[i].Inferred = n.Targets[i].Inferred && o.Inferred
			return
		}
	}
	n.Targets = append(n.Targets, o)
	if len(n.Targets) > maxOwners {
		n.Targets = slices.Delete(n.Targets, 0, 1)
	}
}

func (n *Node) met(who uint32) {
	if len(n.CoOccurring) < maxCompany && !slices.Contains(n.CoOccurring, who) {
		n.CoOccurring = append(n.CoOccurring, who)
	}
}
