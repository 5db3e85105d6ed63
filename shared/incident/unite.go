package incident

import (
	"slices"
	"strings"
)

// unite makes strong names of one thing lead to one node: the first that is known, else the first. A name that belongs
// to a thing which these names contradict stays there: two instance ids are two machines, whatever else they share.
func (s *State) unite(keys []string) string {
	own := ""
	for _, k := range keys {
		if s.nodes[k] != nil {
			own = s.name(k)
			break
		}
	}
	if own == "" || s.contradicts(own, keys) {
		own = keys[0]
		if s.nodes[own] != nil {
			own = s.name(own)
		}
	}
	for _, k := range keys {
		other := s.name(k)
		if other != own && !s.contradicts(other, append(s.names(own), keys...)) {
			s.absorb(own, other)
		}
	}
	return own
}

// names are the strong names that lead to a node, its own among them.
func (s *State) names(own string) []string {
	out := []string{own}
	if n := s.nodes[own]; n != nil {
		out = append(out, n.Aliases...)
	}
	return out
}

// contradicts reports whether a node has an id that differs from one of keys where a thing has only one.
func (s *State) contradicts(own string, keys []string) bool {
	for _, has := range s.names(own) {
		id := identity(has)
		if id == "" {
			continue
		}
		for _, k := range keys {
			if k != has && identity(k) == id {
				return true
			}
		}
	}
	return false
}

// identity says which kind of id a key is, of those of which a thing has exactly one; "" for other keys.
func identity(key string) string {
	class, rest, _ := strings.Cut(key, ":")
	switch class {
	case "machine":
		if i := strings.IndexAny(rest, "-/"); i >= 0 {
			return "machine:" + rest[:i] // "i" of i-0abc, "" of /subscriptions/…, "gce", "vm", "device", "aad"
		}
	case "user":
		if kind, _, ok := strings.Cut(rest, "/"); ok && (kind == "sid" || kind == "oid" || kind == "aws") {
			return "user:" + kind
		}
	case "file":
		return "file:" + strings.Repeat("x", min(len(rest), 64)) // hashes of one length are of one algorithm
	}
	return ""
}

// absorb makes gone another name of own and moves what was known of it.
func (s *State) absorb(own, gone string) {
	g := s.edit(gone)
	n := s.edit(own)
	for _, t := range g.Activities {
		n.touched(t, s.tune)
	}
	for _, t := range g.KindCounts {
		n.counted(t)
	}
	for _, o := range g.Targets {
		n.owned(o)
	}
	for _, c := range g.CoOccurring {
		n.met(c)
	}
	for _, k := range append(g.Aliases, gone) {
		if len(n.Aliases) < maxAlso && !slices.Contains(n.Aliases, k) {
			n.Aliases = append(n.Aliases, k)
		}
	}
	n.Fingerprints = append(n.Fingerprints, g.Fingerprints...)
	n.Fingerprints = n.Fingerprints[max(0, len(n.Fingerprints)-maxBriefs):]
	for _, x := range g.Exposures {
		n.Exposures = exposed(n.Exposures, x, false, maxExposedThing)
	}
	n.Episodes += g.Episodes
	n.span(g.First, g.Last)
	*g = Node{Key: gone, SameAs: own, First: g.First, Last: g.Last}
}
