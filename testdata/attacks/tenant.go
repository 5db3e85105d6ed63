package attacks

import (
	"fmt"
	"slices"
	"time"
)

// tenant is an organisation and all that happens to it.
type tenant struct {
	name, domain, region string
	sso, ssoID           string
	aws, azure, gcp      []string // accounts, subscriptions, projects
	from, to             time.Time
	shift                time.Duration // its office hours against UTC

	products map[voice]*product
	people   []*person
	machines []*machine // servers of all clouds, nodes included
	clusters []*cluster
	pods     []*pod
	stores   []*store

	nats, proxies, vpns, scanners []string   // addresses that many share; internet scanners
	scanner                       *machine   // the vulnerability scanner
	shared                        []*service // CI role, deployer, monitoring, SYSTEM, root, admin
	deployer, ciRole              *service
	tools                         []string // hashes of signed tools that are everywhere

	ids      registry
	used     map[thing]bool // claimed by an attack
	records  []record
	touched  []touch
	forwards map[voice]forward
	chatter  []kind // the background types of this tenant
	subnet   int
}

// record is an alert before delivery.
type record struct {
	Labelled
	product *product
	kind    kind
	things  []thing
}

// touch is a thing under attack for a while.
type touch struct {
	thing    thing
	label    string
	from, to time.Time
}

var serverRoles = []string{"web", "app", "db", "batch", "bastion", "files", "build", "mq", "report", "vpn"}

// newTenant builds a tenant of 20–45 people and 30–70 servers.
func newTenant(d dice, name string, n int, from, to time.Time, ids registry) *tenant {
	t := &tenant{
		name: name, domain: name + ".example", region: pickOne(d, []string{"eu-west-1", "eu-central-1", "us-east-1"}),
		sso: pickOne(d, []string{"CloudAdmin", "PowerUser", "DataOps"}) + "_" + d.drawHex(16), ssoID: "AROA" + d.drawBase32(17),
		from: from, to: to, shift: time.Duration(d.drawInt(-6, 8)) * time.Hour, products: drawProducts(d), ids: ids, used: map[thing]bool{},
		subnet: 16 + n, // tenants overlap in private addresses all the same, because leases start alike
	}
	for range 2 {
		t.aws, t.azure = append(t.aws, d.drawDigits(12)), append(t.azure, d.drawGUID())
		t.gcp = append(t.gcp, fmt.Sprintf("%s-%s-%s", name, pickOne(d, []string{"data", "web", "prod"}), d.drawDigits(4)))
		t.nats, t.proxies, t.vpns = append(t.nats, d.drawPublicIP()), append(t.proxies, fmt.Sprintf("10.8.0.%d", d.drawInt(2, 250))), append(t.vpns, d.drawPublicIP())
	}
	for range 30 {
		t.scanners = append(t.scanners, d.drawPublicIP())
	}
	for range 6 {
		t.tools = append(t.tools, d.drawHex(64))
	}
	taken := registry{}
	for range d.drawInt(20, 45) {
		t.people = append(t.people, newPerson(d, t, taken))
	}
	t.addResources(d)
	t.addTraps(d)
	t.forwards = drawForwards(d)
	return t
}

// addResources adds machines, clusters, stores and service identities.
func (t *tenant) addResources(d dice) {
	number := map[string]int{}
	for range d.drawInt(28, 60) {
		role := pickOne(d, serverRoles)
		number[role]++
		t.machines = append(t.machines, newMachine(d, t, pickOne(d, []string{"aws", "azure", "gcp", "office", "aws", "azure"}), role, number[role]))
	}
	for i, cloud := range []string{"aws", "azure", "gcp"} {
		for range 2 { // every cloud faces the internet somewhere, and every office has servers
			number["web"]++
			number["files"]++
			t.machines = append(t.machines, newMachine(d, t, cloud, "web", number["web"]), newMachine(d, t, "office", "files", number["files"]))
		}
		c := newCluster(d, t, cloud, []string{"prod", "core", "ml"}[i])
		t.clusters = append(t.clusters, c)
		t.machines = append(t.machines, c.nodes...)
		for _, w := range pickSome(d, []string{"checkout", "cart", "search", "auth", "ledger", "feed", "billing"}, 5) {
			t.pods = append(t.pods, newPod(d, t, c, w))
		}
		for _, purpose := range pickSome(d, []string{"customers", "backups", "logs", "exports", "media", "finance", "hr"}, 5) {
			t.stores = append(t.stores, newStore(d, t, cloud, "bucket", purpose))
		}
		for _, purpose := range pickSome(d, []string{"orders", "crm", "warehouse", "payroll"}, 3) {
			t.stores = append(t.stores, newStore(d, t, cloud, "database", purpose), newStore(d, t, cloud, "vault", purpose))
		}
	}
	t.scanner = newMachine(d, t, "office", "vulnscan", 1)
	t.ciRole = &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/ci-deploy/github-actions", t.aws[0])}
	t.deployer = &service{"user", "svc-deployer@" + t.domain}
	t.shared = []*service{
		t.ciRole, t.deployer, {"user", fmt.Sprintf("arn:aws:iam::%s:root", t.aws[0])}, {"user", `NT AUTHORITY\SYSTEM`},
		{"user", "root"}, {"user", "administrator"}, {"user", "svc-monitoring@" + t.domain},
		{"user", fmt.Sprintf("terraform@%s.iam.gserviceaccount.com", t.gcp[0])},
	}
}

// addTraps makes names that mislead: one host name in two subscriptions, private addresses that move to another
// machine.
func (t *tenant) addTraps(d dice) {
	for _, n := range pickSome(d, []int{1, 2, 3, 4}, 2) {
		for i, subscription := range t.azure {
			m := newMachine(d, t, "azure", "web", n)
			m.domain, m.twin = []string{"eu.", "us."}[i]+t.domain, true
			m.resource = azureMachine(subscription, "web", m.host)
			t.machines = append(t.machines, m)
		}
	}
	for _, m := range t.machines {
		for _, other := range t.machines {
			m.twin = m.twin || m != other && m.host == other.host
		}
	}
	var aws []*machine
	for _, m := range t.machines {
		if m.cloud == "aws" && m.domain == t.domain {
			aws = append(aws, m)
		}
	}
	for i := 0; i+1 < len(aws) && i < 8; i += 2 { // i gives its first address to i+1
		half := d.drawTime(t.from.Add(t.to.Sub(t.from)/3), t.to)
		aws[i+1].leases = append(aws[i+1].leases, lease{half, aws[i].leases[0].address})
		aws[i].leases = append(aws[i].leases, lease{half.Add(-2 * time.Hour), t.privateAddress()})
	}
}

// privateAddress is the next free private address.
func (t *tenant) privateAddress() string {
	t.subnet++
	return fmt.Sprintf("10.20.%d.%d", t.subnet/200, 10+t.subnet%200)
}

// claimFresh picks a thing that fits and that no attack has claimed, and claims it. When all are taken the attack
// shares one.
func claimFresh[T thing](d dice, t *tenant, list []T, fits func(T) bool) T {
	var taken []T
	for _, x := range pickSome(d, list, len(list)) {
		if fits != nil && !fits(x) {
			continue
		}
		if claims := claimsOf(x); !slices.ContainsFunc(claims, func(c thing) bool { return t.used[c] }) {
			for _, c := range claims {
				t.used[c] = true
			}
			return x
		}
		taken = append(taken, x)
	}
	return taken[0] // every tenant has at least one of everything: see furnish
}

// claimsOf is what an attack on a thing claims: of a pod its node too, for what escapes from it gets there.
func claimsOf(x thing) []thing {
	if p, ok := x.(*pod); ok && p.node != nil {
		return []thing{p, p.node}
	}
	return []thing{x}
}
