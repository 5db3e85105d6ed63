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

// newKind makes a kind. Tactic and technique may be empty.
func newKind(v voice, typ, title, severity, tactic, technique string) kind {
	return kind{voice: v, typ: typ, title: title, severity: severity, tactic: tactic, technique: technique}
}

// emitAlert lets a product tell an event. The alert has no delivery time yet.
func (t *tenant) emitAlert(d dice, k kind, at time.Time, label Label, things ...thing) {
	p := t.products[k.voice]
	a := Alert{Tenant: t.name, Source: p.source, Type: p.style.spellType(k.typ), Title: k.title, Severity: k.severity, Time: at.Truncate(time.Second)}
	if p.fractional {
		a.Time = a.Time.Add(time.Duration(d.IntN(1000)) * time.Millisecond)
	}
	if k.tactic != "" && d.isTrue(p.tactics) {
		a.Tactics = []string{k.tactic}
	}
	if k.technique != "" && d.isTrue(p.techniques) {
		a.Techniques = []string{k.technique}
	}
	a.ID, a.ProviderID = p.drawIDs(d, t)
	if d.isTrue(0.3) {
		a.Status = "new"
	}
	for _, th := range things {
		a.Entities = mergeEntities(a.Entities, p.entitiesOf(th, at, d))
	}
	t.records = append(t.records, record{Labelled{a, label}, p, k, things})
}

// entitiesOf names a thing, with its role when the product has a sense for it.
func (p *product) entitiesOf(th thing, at time.Time, d dice) []Entity {
	role := ""
	if r, ok := th.(as); ok {
		th = r.thing
		if d.isTrue(p.roles) {
			role = r.role
		}
	}
	out := th.entityNames(p.voice, at, d)
	for i := range out {
		out[i].Role = role
	}
	return out
}

// mergeEntities adds entities that are not there yet.
func mergeEntities(list, more []Entity) []Entity {
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

// drawIDs gives an alert its id, and the detecting product's id when that is another.
func (p *product) drawIDs(d dice, t *tenant) (id, providerID string) {
	unique := t.ids.drawUnique
	switch p.voice {
	case guardDuty:
		return unique(func() string { return d.drawHex(32) }), ""
	case defender:
		return unique(func() string { return "25173" + d.drawDigits(14) + "_" + d.drawGUID() }), ""
	case scc:
		return unique(func() string { return "organizations/4242/sources/5353/findings/" + d.drawHex(32) }), ""
	case edr:
		*p.counter++
		n := "det-" + decimalText(*p.counter) // the same numbers in every tenant
		return unique(func() string { return strings.SplitN(p.source, ".", 2)[0] + "-" + d.drawHex(12) }), n
	case dlp, mail, waf:
		return unique(func() string { return string(p.voice) + "-" + d.drawHex(10) }), ""
	}
	return unique(d.drawGUID), ""
}

func decimalText(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimalText(n/10) + string(rune('0'+n%10))
}
