package attacks

import (
	"fmt"
	"strings"
	"time"
)

// person is a user of the tenant with her names in every directory.
type person struct {
	login, upn, downLevel, object string
	session                       string // her AWS role session
	principal                     string // AROA…:upn, what GuardDuty calls her now and then
	laptop                        *machine
	nat                           string // address of her office
}

func (p *person) entityNames(v voice, _ time.Time, d dice) []Entity {
	user := func(s string) Entity { return Entity{Kind: "user", Value: s} }
	switch v {
	case guardDuty, securityHub:
		if d.isTrue(0.25) {
			return []Entity{user(p.session), {Kind: "session", Value: p.principal}}
		}
		return []Entity{user(p.session)}
	case scc:
		if d.isTrue(0.5) {
			return []Entity{user("user:" + p.upn)}
		}
		return []Entity{user(p.upn)}
	case edr:
		return []Entity{user(p.downLevel)}
	case xdr:
		return []Entity{user(p.upn), user(p.downLevel)}
	case siem:
		return []Entity{user(pickOne(d, []string{p.upn, p.downLevel, strings.ToUpper(p.upn[:1]) + p.upn[1:], p.downLevel, p.login, p.upn}))}
	case mail:
		return []Entity{{Kind: "mailbox", Value: p.upn}}
	case identity, defender:
		if d.isTrue(0.45) {
			return []Entity{user(p.upn), user(p.object)}
		}
		if d.isTrue(0.06) {
			return []Entity{user(p.object)}
		}
	}
	return []Entity{user(p.upn)}
}

// service is an identity that is no person: an IAM user or role, a managed identity, a service account, root, SYSTEM.
type service struct{ kind, value string }

func (s *service) entityNames(v voice, _ time.Time, d dice) []Entity {
	if strings.Contains(s.value, ".gserviceaccount.com") && d.isTrue(0.4) {
		return []Entity{{Kind: s.kind, Value: "serviceAccount:" + s.value}}
	}
	if strings.HasPrefix(s.value, "arn:aws:iam::") && v == siem && d.isTrue(0.3) {
		return []Entity{{Kind: s.kind, Value: s.value[strings.LastIndexByte(s.value, '/')+1:]}}
	}
	return []Entity{{Kind: s.kind, Value: s.value}}
}

var companies = []string{"contoso", "fabrikam", "northwind", "tailspin", "wingtip", "adatum", "litware", "proseware", "lucerne", "woodgrove", "alpine", "humongous"}

var firstNames = []string{"dora", "emil", "fatima", "grace", "hugo", "ines", "jonas", "kaya", "liam", "mina", "noah", "olga", "pavel", "quinn", "rosa", "sven", "tara", "umar", "vera", "wim", "xenia", "yusuf", "zoe", "alex", "bea", "carl"}
var lastNames = []string{"adler", "brandt", "costa", "demir", "ekberg", "fischer", "garcia", "hansen", "ivanov", "jensen", "klein", "lopez", "meyer", "novak", "okafor", "petit", "rossi", "silva", "tanaka", "weber"}

// newPerson names a person; several share a first name.
func newPerson(d dice, t *tenant, taken registry) *person {
	login := taken.drawUnique(func() string {
		first := pickBusy(d, firstNames)
		if !taken["short "+first] && d.isTrue(0.2) {
			taken["short "+first] = true
			return first
		}
		return first + "." + pickOne(d, lastNames)
	})
	p := &person{login: login, upn: login + "@" + t.domain, downLevel: strings.ToUpper(t.name) + `\` + login, object: d.drawGUID(), nat: pickOne(d, t.nats)}
	p.session = fmt.Sprintf("arn:aws:sts::%s:assumed-role/AWSReservedSSO_%s/%s", t.aws[0], t.sso, p.upn)
	p.principal = t.ssoID + ":" + p.upn
	p.laptop = &machine{host: strings.ToUpper(t.name[:3]) + "-LT" + d.drawDigits(4), domain: t.domain, cloud: "office"}
	p.laptop.leases = []lease{{t.from, fmt.Sprintf("10.9.%d.%d", d.drawInt(0, 3), d.drawInt(2, 250))}}
	return p
}
