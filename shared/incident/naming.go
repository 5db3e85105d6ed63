package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// This file answers whom a name stands for at a time. Some names are a thing's own (an instance id, a UPN, a hash). Others are
// lent: a host name, a private address, an account name without its domain, an object id nobody introduced. A lent name
// stands for the thing it was last seen with, as long as that is one thing; when it is two, it stands for itself.

// thing gives the name under which a piece of evidence is kept, and whether it is known by a weak name only.
func (s *State) thing(kind entity.Kind, names []entity.Key, at time.Time) (key string, weak bool) {
	var strong, lent []string
	machine := slices.ContainsFunc(names, func(k entity.Key) bool { return k.Strong && k.Class() == "machine" })
	for _, k := range names {
		// An address on a machine says where the machine was, not what it is, and a host name can be given to the next one.
		moves := k.Class() == "ip" && kind != entity.IP || k.Class() == "host" && machine
		if k.Strong && !moves {
			strong = append(strong, k.Text)
		} else {
			lent = append(lent, k.Text)
		}
	}
	if !slices.ContainsFunc(strong, anchors) {
		if key := s.borrower(strong, lent, at); key != "" {
			return key, false
		}
	}
	if len(strong) == 0 {
		return s.loose(lent, at)
	}
	own := s.unite(strong)
	for _, k := range lent {
		s.lend(k, own, at, false)
	}
	return own, false
}

// anchors reports whether a strong name says by itself what a thing is. A full host name and a down-level user name do only
// while nothing better is known of whom they belong to.
func anchors(key string) bool {
	return !strings.HasPrefix(key, "host:") && !(strings.HasPrefix(key, "user:") && strings.Contains(key, `\`))
}

// borrower is the thing that strong names without an anchor stand for: the one they were lent to, or the one machine that bears the
// short form of a full host name.
func (s *State) borrower(strong, lent []string, at time.Time) string {
	for _, k := range strong {
		if owner := s.owner(k, at); owner != "" {
			return owner
		}
	}
	machine := s.bearer(strong, lent, at)
	if machine != "" {
		for _, k := range strong {
			s.lend(k, machine, at, true)
		}
	}
	return machine
}

// bearer is the one machine that bears the short form of a full host name, if it bears no other full name.
func (s *State) bearer(full, short []string, at time.Time) string {
	if len(full) == 0 || !strings.HasPrefix(full[0], "host:") {
		return ""
	}
	for _, k := range short {
		machine := s.owner(k, at)
		if !strings.HasPrefix(k, "host:") || !strings.HasPrefix(machine, "machine:") {
			continue
		}
		if n := s.nodes[machine]; n != nil && slices.ContainsFunc(n.Aliases, func(o string) bool { return fullName(o) && !slices.Contains(full, o) }) {
			return ""
		}
		return machine
	}
	return ""
}

func fullName(key string) bool { return strings.HasPrefix(key, "host:") && strings.Contains(key, ".") }

// loose finds the thing a weak name stands for at that time: its owner if there is exactly one, else the name itself.
func (s *State) loose(names []string, at time.Time) (string, bool) {
	for _, k := range names {
		if owner := s.owner(k, at); owner != "" {
			for _, name := range names { // a host that names its address is whoever has the address
				if strings.HasPrefix(name, "host:") && strings.HasPrefix(k, "ip:") {
					s.lend(name, owner, at, false)
				}
			}
			return owner, false
		}
	}
	own := names[0]
	for _, k := range names[1:] { // several weak names of one thing: a bare host with its address
		if strings.HasPrefix(k, "host:") || strings.HasPrefix(own, "ip:") {
			own = k
		}
	}
	return own, true
}

// owner is the one thing that a lent name stood for lately; "" when nobody or more than one did.
func (s *State) owner(name string, at time.Time) string {
	n := s.nodes[name]
	if n == nil {
		return ""
	}
	life := NodeLifetime
	if strings.HasPrefix(name, "ip:") {
		life = s.tune.AddressLife
	}
	found := ""
	for _, o := range n.Targets {
		if gap(at, o.Last, o.Last) > life {
			continue
		}
		own := s.name(o.Key)
		if o.Inferred && s.doubted(name, own, at) {
			continue
		}
		if own != name && fullName(own) {
			if machine := s.owner(own, at); machine != "" {
				own = machine
			}
		}
		if found != "" && found != own {
			return ""
		}
		found = own
	}
	return found
}

// doubted reports whether the short form of a full host name has come to stand for another machine besides.
func (s *State) doubted(full, machine string, at time.Time) bool {
	short, _, _ := strings.Cut(full, ".")
	n := s.nodes[short]
	return n != nil && slices.ContainsFunc(n.Targets, func(o AliasTarget) bool {
		return strings.HasPrefix(o.Key, "machine:") && s.name(o.Key) != machine && gap(at, o.Last, o.Last) <= NodeLifetime
	})
}

// lend records that a name stood for a thing; guess says that nobody named both together. What the name had gathered alone so far
// was about that thing, if it is the first.
func (s *State) lend(name, to string, at time.Time, guess bool) {
	if common[name] || name == to {
		return
	}
	s.rename(name, to, at)
	n := s.edit(name)
	if len(n.Targets) == 0 && len(n.Activities) > 0 {
		strong := s.edit(to)
		for _, t := range n.Activities {
			strong.touched(t, s.tune)
		}
		for _, t := range n.KindCounts {
			strong.counted(t)
		}
	}
	if len(n.Targets) == 0 && len(n.Exposures) > 0 {
		strong := s.edit(to)
		for _, x := range n.Exposures {
			strong.Exposures = exposed(strong.Exposures, x, false, maxExposedThing)
		}
	}
	if fullName(name) && strings.HasPrefix(to, "machine:") {
		if m := s.edit(to); len(m.Aliases) < maxAlso && !slices.Contains(m.Aliases, name) {
			m.Aliases = append(m.Aliases, name)
		}
	}
	n.owned(AliasTarget{Key: to, Last: at, Inferred: guess})
	n.span(at, at)
}

// rename gives a full host name whose short form a machine turns out to bear to that machine, if it bears no other.
func (s *State) rename(short, machine string, at time.Time) {
	if !strings.HasPrefix(short, "host:") || fullName(short) || !strings.HasPrefix(machine, "machine:") {
		return
	}
	n, m := s.nodes[short], s.nodes[machine]
	if n == nil || len(n.Targets) != 1 || !fullName(n.Targets[0].Key) || m != nil && slices.ContainsFunc(m.Aliases, fullName) {
		return
	}
	full := s.name(n.Targets[0].Key)
	if full == short || s.owner(full, at) != "" {
		return
	}
	s.lend(full, machine, at, true)
	s.edit(short).Targets = nil
}

// introduce learns what one alert says by naming things side by side: the one machine in it has the one private address in it, the one
// person in it the one object id.
func (s *State) introduce(r *Report) {
	var machines, addresses, people, ids []string
	for i, names := range r.names {
		e := &r.Alert.Evidence[i]
		if len(names) == 0 || e.Role == alert.Attacker {
			continue
		}
		first := names[0]
		switch {
		case e.Kind == entity.IP && !first.Strong:
			addresses = with(addresses, first.Text)
		case e.Kind == entity.Host || e.Kind == entity.Resource:
			if key, weak := s.thing(e.Kind, names, r.Alert.First); strings.HasPrefix(key, "machine:") || strings.HasPrefix(key, "host:") && !weak {
				machines = with(machines, key)
			}
		case e.Kind == entity.User && strings.Contains(first.Text, "@"):
			key, _ := s.thing(e.Kind, names, r.Alert.First)
			people = with(people, key)
		case e.Kind == entity.User && !first.Strong && objectID(first.Text):
			ids = with(ids, first.Text)
		}
	}
	if len(machines) == 1 && len(addresses) == 1 {
		s.lend(addresses[0], machines[0], r.Alert.First, false)
	}
	if len(people) == 1 && len(ids) == 1 {
		s.lend(ids[0], people[0], r.Alert.First, false)
	}
}

func with(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// objectID reports whether a user is named by a directory's object id, a UUID.
func objectID(key string) bool {
	return len(key) == len("user:")+36 && strings.Count(key, "-") == 4
}

// name follows SameAs to the key that a thing is kept under. It ends: only a node that leads nowhere is made to lead on,
// and never to one that leads to it.
func (s *State) name(key string) string {
	for {
		n := s.nodes[key]
		if n == nil || n.SameAs == "" {
			return key
		}
		key = n.SameAs
	}
}
