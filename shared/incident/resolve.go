package incident

import (
	"hash/fnv"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// tie is one entity of an alert, resolved to the name the tenant knows it by.
type tie struct {
	key      string // the canonical node key
	display  string // as the alert names it
	class    string
	weight   float64 // what sharing it is worth, before time
	machine  bool    // a host, instance or container: what background is counted on
	surprise float64 // how much the alert looks like part of an attack by what it says of this entity
	evidence int     // index into the alert's evidence
}

// resolve finds what an alert's evidence is, learning names on the way: two strong names in one piece of evidence are
// one thing from then on; a weak name stands for the thing it was last seen with, while that is beyond doubt.
func (s *State) resolve(a alert.Alert) []tie {
	ties := make([]tie, 0, min(len(a.Evidence), maxTies))
	for i, e := range a.Evidence {
		if i == maxTies {
			break
		}
		keys := e.Keys()
		if len(keys) == 0 {
			continue
		}
		key, weak := s.thing(e.Entity, keys, a.First)
		if slices.ContainsFunc(ties, func(t tie) bool { return t.key == key }) {
			continue
		}
		t := tie{key: key, display: cmpName(e), evidence: i}
		t.class, _, _ = strings.Cut(key, ":")
		t.machine = t.class == "machine" || t.class == "host" || t.class == "container" || t.class == "pod"
		t.weight = s.worth(t, e, weak)
		ties = append(ties, t)
	}
	return ties
}

func cmpName(e alert.Evidence) string {
	if e.Name != "" {
		return e.Name
	}
	return e.Value
}

// thing gives the name under which e is kept, and whether it is known by a weak name only.
func (s *State) thing(e entity.Entity, keys []entity.Key, at time.Time) (key string, weak bool) {
	var strong, loose []string
	machine := slices.ContainsFunc(keys, func(k entity.Key) bool { return k.Strong && k.Class() == "machine" })
	for _, k := range keys {
		// An address on a machine says where the machine was, not what it is, and a host name can be given to the next one.
		moves := k.Class() == "ip" && e.Kind != entity.IP || k.Class() == "host" && machine
		if k.Strong && !moves {
			strong = append(strong, k.Text)
		} else {
			loose = append(loose, k.Text)
		}
	}
	if len(strong) == 0 {
		return s.loose(loose, at)
	}
	own := s.unite(strong)
	for _, k := range loose {
		s.own(k, own, at)
	}
	return own, false
}

// own records that a weak name stood for a thing. What the name had gathered alone so far was about that thing, if it
// is the first.
func (s *State) own(weak, own string, at time.Time) {
	if common[weak] || weak == own {
		return
	}
	n := s.edit(weak)
	if len(n.Owners) == 0 && len(n.Touches) > 0 {
		strong := s.edit(own)
		for _, t := range n.Touches {
			strong.touched(t, s.tune)
		}
		for _, t := range n.Types {
			strong.counted(t)
		}
	}
	n.owned(Owner{own, at})
	n.span(at, at)
}

// loose finds the thing a weak name stands for at that time: its owner if there is exactly one, else the name itself.
func (s *State) loose(keys []string, at time.Time) (string, bool) {
	for _, k := range keys {
		if owner := s.owner(k, at); owner != "" {
			return owner, false
		}
	}
	own := keys[0]
	for _, k := range keys[1:] { // several weak names of one thing: a bare host with its address
		if strings.HasPrefix(k, "host:") || strings.HasPrefix(own, "ip:") {
			own = k
		}
	}
	return own, true
}

// owner is the one thing that a weak name stood for lately; "" when nobody or more than one did.
func (s *State) owner(weak string, at time.Time) string {
	n := s.nodes[weak]
	if n == nil {
		return ""
	}
	life := NodeLife
	if strings.HasPrefix(weak, "ip:") {
		life = s.tune.AddressLife
	}
	found := ""
	for _, o := range n.Owners {
		if gap(at, o.Last, o.Last) > life {
			continue
		}
		own := s.name(o.Key)
		if found != "" && found != own {
			return ""
		}
		found = own
	}
	return found
}

// worth is what sharing a thing says about belonging together, before time: less for a name that is weak, common,
// or shared by many.
func (s *State) worth(t tie, e alert.Evidence, weak bool) float64 {
	w, ok := s.tune.Weights[t.class]
	if !ok {
		w = s.tune.Weights["other"]
	}
	switch e.Role {
	case alert.Attacker:
		w *= s.tune.Attacker
	case alert.Victim:
		w *= s.tune.Victim
	case alert.Context:
		w *= s.tune.Context
	}
	if weak {
		w *= s.tune.Weak
		if t.class == "user" {
			w *= 0.75 // a bare account name may be two people's
		}
		if t.class == "ip" {
			w *= s.private(t.key)
		}
	}
	if common[t.key] {
		w = s.tune.Common
	}
	if n := s.nodes[t.key]; n != nil && !t.machine {
		crowd := float64(len(n.Company)) / s.tune.Company
		w /= 1 + crowd*crowd
	}
	return min(w, 0.98)
}

// private scales the weight of an address that only means something inside one network.
func (s *State) private(key string) float64 {
	a, err := netip.ParseAddr(strings.TrimPrefix(key, "ip:"))
	if err == nil && a.IsLinkLocalUnicast() {
		return 0
	}
	return 0.8
}

// remember makes an alert's ids lead to it, each to the first alert that carried it.
func (s *State) remember(m *Member) {
	for _, id := range carried(m.Alert) {
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
func (s *State) touch(inc *Incident, m *Member, ties []tie, newKind bool) {
	a := m.Alert
	pulse := s.tune.Pulse // a flood of one kind is no burst
	if newKind {
		pulse = 1
	}
	for i, t := range ties {
		s.edit(t.key).touched(Touch{Incident: inc.ID, Alert: a.ID, First: a.First, Last: a.Last, Alerts: 1, Recent: pulse, Credit: t.surprise}, s.tune)
		n := s.nodes[t.key]
		for j, o := range ties {
			if i != j && (o.machine || o.class == "user" || o.class == "resource") {
				n.met(hash(o.key))
			}
		}
	}
	for _, name := range claims(a) {
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
