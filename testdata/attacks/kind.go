package attacks

import (
	"strings"
	"time"
)

// kind is a kind of alert: which family of products raises it, and what it says.
type kind struct {
	voice                                   voice
	typ, title, severity, tactic, technique string
	background                              bool // fires all day: on an attack's victim it is still noise
}

const (
	info     = "informational"
	low      = "low"
	medium   = "medium"
	high     = "high"
	critical = "critical"
)

// k makes a kind. Tactic and technique may be empty.
func k(v voice, typ, title, severity, tactic, technique string) kind {
	return kind{voice: v, typ: typ, title: title, severity: severity, tactic: tactic, technique: technique}
}

// emit lets a product tell an event. The alert has no delivery time yet.
func (t *tenant) emit(d dice, k kind, at time.Time, label Label, things ...thing) {
	p := t.products[k.voice]
	a := Alert{Tenant: t.name, Source: p.source, Type: p.style.spell(k.typ), Title: k.title, Severity: k.severity, Time: at.Truncate(time.Second)}
	if p.fractional {
		a.Time = a.Time.Add(time.Duration(d.IntN(1000)) * time.Millisecond)
	}
	if k.tactic != "" && d.chance(p.tactics) {
		a.Tactics = []string{k.tactic}
	}
	if k.technique != "" && d.chance(p.techniques) {
		a.Techniques = []string{k.technique}
	}
	a.ID, a.ProviderID = p.identify(d, t)
	if d.chance(0.3) {
		a.Status = "new"
	}
	for _, th := range things {
		a.Entities = merge(a.Entities, p.tell(th, at, d))
	}
	t.records = append(t.records, record{Labelled{a, label}, p, k, things})
}

// tell names a thing, with its role when the product has a sense for it.
func (p *product) tell(th thing, at time.Time, d dice) []Entity {
	role := ""
	if r, ok := th.(as); ok {
		th = r.thing
		if d.chance(p.roles) {
			role = r.role
		}
	}
	out := th.names(p.voice, at, d)
	for i := range out {
		out[i].Role = role
	}
	return out
}

// merge adds entities that are not there yet.
func merge(list, more []Entity) []Entity {
	for _, e := range more {
		known := false
		for _, o := range list {
			known = known || o.Kind == e.Kind && o.Value == e.Value
		}
		if !known {
			list = append(list, e)
		}
	}
	return list
}

// identify gives an alert its id, and the detecting product's id when that is another.
func (p *product) identify(d dice, t *tenant) (id, providerID string) {
	unique := t.ids.unique
	switch p.voice {
	case guardDuty:
		return unique(func() string { return d.hex(32) }), ""
	case defender:
		return unique(func() string { return "25173" + d.digits(14) + "_" + d.guid() }), ""
	case scc:
		return unique(func() string { return "organizations/4242/sources/5353/findings/" + d.hex(32) }), ""
	case edr:
		*p.counter++
		n := "det-" + decimal(*p.counter) // the same numbers in every tenant
		return unique(func() string { return strings.SplitN(p.source, ".", 2)[0] + "-" + d.hex(12) }), n
	case dlp, mail, waf:
		return unique(func() string { return string(p.voice) + "-" + d.hex(10) }), ""
	}
	return unique(d.guid), ""
}

func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}
