package attacks

import (
	"strings"
	"time"
)

// A voice is the way a family of products names things.
type voice string

const (
	guardDuty   voice = "guardduty"
	securityHub voice = "securityhub"
	defender    voice = "defender"
	xdr         voice = "xdr"
	scc         voice = "scc"
	edr         voice = "edr"
	siem        voice = "siem"
	falco       voice = "falco"
	identity    voice = "identity"
	mail        voice = "mail"
	waf         voice = "waf"
	ci          voice = "ci"
	dlp         voice = "dlp"
)

// A thing is what an alert can name.
type thing interface {
	// names are the entities by which a product of this voice names the thing at that time.
	entityNames(v voice, at time.Time, d dice) []Entity
}

// as gives a thing a role, which products with a sense for roles pass on.
type as struct {
	thing
	role string
}

func asAttacker(t thing) thing { return as{t, "attacker"} }
func asVictim(t thing) thing   { return as{t, "victim"} }
func asContext(t thing) thing  { return as{t, "context"} }

// plain is a thing that everybody names alike.
type plain struct{ kind, value string }

func (p plain) entityNames(v voice, _ time.Time, d dice) []Entity {
	if p.kind == "file_hash" && v == siem && d.isTrue(0.5) {
		return []Entity{{Kind: p.kind, Value: strings.ToUpper(p.value)}}
	}
	return []Entity{{Kind: p.kind, Value: p.value}}
}

func ipAddress(s string) thing   { return plain{"ip", s} }
func fileHash(s string) thing    { return plain{"file_hash", s} }
func domainName(s string) thing  { return plain{"domain", s} }
func urlLink(s string) thing     { return plain{"url", s} }
func processName(s string) thing { return plain{"process", s} }
func appName(s string) thing     { return plain{"app", s} }

// A product is one product of a tenant: its source name, its voice and its habits.
type product struct {
	source     string
	voice      voice
	style      style
	tactics    float64 // how often it says the tactic
	techniques float64
	roles      float64
	lag        [2]time.Duration // from event to delivery
	fractional bool             // whether its times have milliseconds
	counter    *int             // its own numbering, for products that count
}

// style is how a product spells alert types.
type style int

const (
	asIs style = iota
	snake
	titleOnly
	spaced
)

// spellType writes a CamelCase type in the product's style.
func (s style) spellType(t string) string {
	switch s {
	case titleOnly:
		return ""
	case snake:
		return strings.ToLower(splitWords(t, "_"))
	case spaced:
		return splitWords(t, " ")
	}
	return t
}

func splitWords(t, by string) string {
	var b strings.Builder
	for i, r := range t {
		if i > 0 && r >= 'A' && r <= 'Z' && t[i-1] >= 'a' && t[i-1] <= 'z' {
			b.WriteString(by)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// drawProducts draws the products of a tenant, one for each voice.
func drawProducts(d dice) map[voice]*product {
	p := func(v voice, tactics, techniques, roles float64, lo, hi time.Duration, sources ...string) *product {
		out := &product{source: pickOne(d, sources), voice: v, tactics: tactics, techniques: techniques, roles: roles, lag: [2]time.Duration{lo, hi}, fractional: d.isTrue(0.4), counter: new(int)}
		if v == edr || v == siem || v == dlp || v == identity {
			out.style = style(d.IntN(4))
		}
		*out.counter = 8000 + d.IntN(40) // small numbers that meet those of other tenants
		return out
	}
	const s, m = time.Second, time.Minute
	list := []*product{
		p(guardDuty, 0.1, 0, 0.3, 2*m, 9*m, "aws.guardduty"),
		p(securityHub, 0, 0, 0, 3*m, 15*m, "aws.securityhub"),
		p(defender, 0.9, 0.5, 0, m, 8*m, "microsoft.defender-for-cloud"),
		p(xdr, 0.8, 0.7, 0.5, m, 5*m, "microsoft.defender-xdr"),
		p(scc, 0.6, 0.3, 0, m, 6*m, "google.scc"),
		p(edr, 0.9, 0.9, 0.4, 5*s, 90*s, "acme.edr", "crowdstrike.falcon", "sentinelone.singularity", "elastic.endpoint"),
		p(siem, 0.4, 0.3, 0.2, 2*m, 10*m, "splunk.es", "microsoft.sentinel", "google.secops", "qradar"),
		p(falco, 0.5, 0.5, 0, s, 20*s, "falco"),
		p(identity, 0.3, 0.1, 0.2, 10*s, 4*m, "microsoft.entra-id-protection", "okta.threatinsight"),
		p(mail, 0.5, 0.3, 0.5, 5*s, 2*m, "proofpoint.tap", "microsoft.defender-for-office"),
		p(waf, 0, 0, 0.6, s, 30*s, "cloudflare.waf", "acme.waf"),
		p(ci, 0, 0, 0, s, m, "github.advanced-security", "gitlab.security", "acme.ci-guard"),
		p(dlp, 0.2, 0, 0.2, m, 9*m, "acme.dlp", "netskope.dlp"),
	}
	out := map[voice]*product{}
	for _, one := range list {
		out[one.voice] = one
	}
	return out
}
