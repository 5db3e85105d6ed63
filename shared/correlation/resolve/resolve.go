// Package resolve answers which entity a name means at a time. Some names are an entity's own: an instance id, a UPN, a
// hash. Others are aliases: a host name, a private address, an account name without its domain, an object id nobody
// introduced. An alias means the entity it was last seen with, as long as that is one entity; when it is two, it means
// itself.
//
//	evidence ──▶ LearnIntroductions ──▶ EntityKey ──▶ the key of a node, or a weak name
//	                        └── Nodes ──────┘
//
// It knows entities and nodes, and nothing of alerts' weights or of incidents.
package resolve

import (
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// Resolver resolves names over a tenant's nodes, and learns aliases on the way.
type Resolver struct {
	*Nodes
	// AddressLife is how long a private address is believed to stay with its machine.
	AddressLife time.Duration
}

// EntityKey gives the key under which a piece of evidence with these names is kept, and whether only a weak name is
// known of it. Two strong names in one piece of evidence are one entity from then on. There must be a name.
func (r *Resolver) EntityKey(kind entity.Kind, names []entity.Key, at time.Time) (key string, weak bool) {
	var strong, aliases []string
	onMachine := slices.ContainsFunc(names, func(k entity.Key) bool { return k.Strong && k.Class() == "machine" })
	for _, k := range names {
		// An address on a machine says where the machine was, not what it is, and a host name can be given to the next
		// one.
		moves := k.Class() == "ip" && kind != entity.IP || k.Class() == "host" && onMachine
		if k.Strong && !moves {
			strong = append(strong, k.Text)
		} else {
			aliases = append(aliases, k.Text)
		}
	}
	if !slices.ContainsFunc(strong, isAnchor) {
		if key := r.resolveAlias(strong, aliases, at); key != "" {
			return key, false
		}
	}
	if len(strong) == 0 {
		return r.resolveWeak(aliases, at)
	}
	key = r.union(strong)
	for _, alias := range aliases {
		r.learnAlias(alias, incident.AliasTarget{Key: key, Last: at})
	}
	return key, false
}

// resolveAlias finds the entity that strong names without an anchor stand for, "" when they stand for themselves: the
// one they are an alias of, or the one machine that has the short form of a full host name.
func (r *Resolver) resolveAlias(strong, aliases []string, at time.Time) string {
	for _, name := range strong {
		if target := r.targetOf(name, at); target != "" {
			return target
		}
	}
	machine := r.resolveHost(strong, aliases, at)
	if machine != "" {
		for _, name := range strong {
			r.learnAlias(name, incident.AliasTarget{Key: machine, Last: at, Inferred: true})
		}
	}
	return machine
}

// resolveHost finds the one machine that has the short form of a full host name, if it has no other full name.
func (r *Resolver) resolveHost(full, short []string, at time.Time) string {
	if len(full) == 0 || !strings.HasPrefix(full[0], "host:") {
		return ""
	}
	for _, name := range short {
		machine := r.targetOf(name, at)
		if !strings.HasPrefix(name, "host:") || !isMachine(machine) {
			continue
		}
		isOther := func(alias string) bool { return isFullHostName(alias) && !slices.Contains(full, alias) }
		if n := r.Get(machine); n != nil && slices.ContainsFunc(n.Aliases, isOther) {
			return ""
		}
		return machine
	}
	return ""
}

// resolveWeak finds the entity that weak names stand for at that time: the one target of one of them, else the name
// that says most.
func (r *Resolver) resolveWeak(names []string, at time.Time) (key string, weak bool) {
	for _, name := range names {
		target := r.targetOf(name, at)
		if target == "" {
			continue
		}
		for _, host := range names { // a host that names its address is whoever has the address
			if strings.HasPrefix(host, "host:") && strings.HasPrefix(name, "ip:") {
				r.learnAlias(host, incident.AliasTarget{Key: target, Last: at})
			}
		}
		return target, false
	}
	key = names[0]
	for _, name := range names[1:] { // several weak names of one thing: a bare host with its address
		if strings.HasPrefix(name, "host:") || strings.HasPrefix(key, "ip:") {
			key = name
		}
	}
	return key, true
}

// targetOf is the one entity that a name stood for lately, "" when there was none or more than one.
func (r *Resolver) targetOf(name string, at time.Time) string {
	n := r.Get(name)
	if n == nil {
		return ""
	}
	life := incident.NodeLifetime
	if strings.HasPrefix(name, "ip:") {
		life = r.AddressLife
	}
	found := ""
	for _, t := range n.Targets {
		if incident.Gap(at, t.Last, t.Last) > life {
			continue
		}
		target := r.Canonical(t.Key)
		if t.Inferred && r.isShortNameShared(name, target, at) {
			continue
		}
		if target != name && isFullHostName(target) {
			if machine := r.targetOf(target, at); machine != "" {
				target = machine
			}
		}
		if found != "" && found != target {
			return ""
		}
		found = target
	}
	return found
}

// isShortNameShared reports whether the short form of a full host name has come to stand for another machine besides.
func (r *Resolver) isShortNameShared(full, machine string, at time.Time) bool {
	short, _, _ := strings.Cut(full, ".")
	n := r.Get(short)
	return n != nil && slices.ContainsFunc(n.Targets, func(t incident.AliasTarget) bool {
		return isMachine(t.Key) && r.Canonical(t.Key) != machine && incident.Gap(at, t.Last, t.Last) <= incident.NodeLifetime
	})
}

// learnAlias records that a name stood for an entity, and what follows for the full host name whose short form it is.
func (r *Resolver) learnAlias(name string, to incident.AliasTarget) {
	if IsEverywhere(name) || name == to.Key {
		return
	}
	r.learnFullName(name, to.Key, to.Last)
	r.pointAlias(name, to)
}

// learnFullName gives a full host name to the machine that turns out to have its short form, if it has no other.
func (r *Resolver) learnFullName(short, machine string, at time.Time) {
	if !strings.HasPrefix(short, "host:") || isFullHostName(short) || !isMachine(machine) {
		return
	}
	n, m := r.Get(short), r.Get(machine)
	if n == nil || len(n.Targets) != 1 || !isFullHostName(n.Targets[0].Key) || m != nil && slices.ContainsFunc(m.Aliases, isFullHostName) {
		return
	}
	full := r.Canonical(n.Targets[0].Key)
	if full == short || r.targetOf(full, at) != "" {
		return
	}
	r.learnAlias(full, incident.AliasTarget{Key: machine, Last: at, Inferred: true})
	r.Edit(short).Targets = nil
}

// union makes strong names of one entity lead to one node, the first that is known, else the first, and returns its
// key. A name of an entity that these names contradict stays there: two instance ids are two machines, whatever else
// they share.
func (r *Resolver) union(names []string) string {
	key := ""
	for _, name := range names {
		if r.Get(name) != nil {
			key = r.Canonical(name)
			break
		}
	}
	if key == "" || r.isContradicted(key, names) {
		key = r.Canonical(names[0])
	}
	for _, name := range names {
		other := r.Canonical(name)
		if other != key && !r.isContradicted(other, append(r.aliasesOf(key), names...)) {
			r.mergeInto(key, other)
		}
	}
	return key
}

// isContradicted reports whether an entity has an id that differs from one of names where an entity has only one.
func (r *Resolver) isContradicted(key string, names []string) bool {
	for _, alias := range r.aliasesOf(key) {
		scheme := exclusiveScheme(alias)
		if scheme == "" {
			continue
		}
		for _, name := range names {
			if name != alias && exclusiveScheme(name) == scheme {
				return true
			}
		}
	}
	return false
}

// LearnIntroductions learns what one alert says by naming things side by side: the one machine in it has the one
// private address in it, the one person in it the one object id. names are the keys of each piece of evidence; evidence
// without keys, or beyond them, says nothing.
func (r *Resolver) LearnIntroductions(evidence []alert.Evidence, names [][]entity.Key, at time.Time) {
	var machines, addresses, people, objectIDs []string
	for i, keys := range names {
		e := &evidence[i]
		if len(keys) == 0 || e.Role == alert.Attacker {
			continue
		}
		first := keys[0]
		switch {
		case e.Kind == entity.IP && !first.Strong:
			addresses = addOnce(addresses, first.Text)
		case e.Kind == entity.Host || e.Kind == entity.Resource:
			if key, weak := r.EntityKey(e.Kind, keys, at); isMachine(key) || strings.HasPrefix(key, "host:") && !weak {
				machines = addOnce(machines, key)
			}
		case e.Kind == entity.User && strings.Contains(first.Text, "@"):
			key, _ := r.EntityKey(e.Kind, keys, at)
			people = addOnce(people, key)
		case e.Kind == entity.User && !first.Strong && isObjectID(first.Text):
			objectIDs = addOnce(objectIDs, first.Text)
		}
	}
	if len(machines) == 1 && len(addresses) == 1 {
		r.learnAlias(addresses[0], incident.AliasTarget{Key: machines[0], Last: at})
	}
	if len(people) == 1 && len(objectIDs) == 1 {
		r.learnAlias(objectIDs[0], incident.AliasTarget{Key: people[0], Last: at})
	}
}

func addOnce(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
