// Package attacks invents months of security alerts with known attacks in them, to judge correlation on. It models
// tenants (people, machines, clusters, stores, service identities, offices), lets attacks and everyday noise happen to
// them, and tells each event in the voice of the product that saw it. It knows nothing of how the engine decides.
//
//	Options ─▶ tenants ─▶ attacks ─┐
//	              └─────▶ noise ───┴▶ events ─▶ told by a product ─▶ delivered (late, twice, cross-posted) ─▶ Scenario
//
// The same options give the same bytes. Labels are what an excellent analyst could find from the alerts alone; what
// nobody can know is "?".
package attacks

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Noise is how much everyday noise surrounds the attacks.
type Noise string

// The three noise levels give about 3,000, 10,000 and 28,000 alerts a scenario.
const (
	Low    Noise = "low"
	Medium Noise = "medium"
	High   Noise = "high"
)

// Levels lists the noise levels.
var Levels = []Noise{Low, Medium, High}

var volume = map[Noise]int{Low: 2_400, Medium: 9_000, High: 25_000}

// Options choose a scenario. Zero values of Tenants, Days and Attacks let the seed decide.
type Options struct {
	Seed    uint64
	Noise   Noise // default Medium
	Tenants int   // 3–5
	Days    int   // 7–21
	Attacks int   // 12–30
}

// Entity is an entity in the generic alert format.
type Entity struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Role  string `json:"role,omitzero"`
}

// Alert is a generic alert as a product sends it.
type Alert struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Time       time.Time `json:"time"`
	Delivered  time.Time `json:"delivered"`
	Source     string    `json:"source"`
	Type       string    `json:"type,omitzero"`
	Title      string    `json:"title,omitzero"`
	Severity   string    `json:"severity,omitzero"`
	Tactics    []string  `json:"tactics,omitempty"`
	Techniques []string  `json:"techniques,omitempty"`
	ProviderID string    `json:"provider_id,omitzero"`
	Status     string    `json:"status,omitzero"`
	Entities   []Entity  `json:"entities,omitempty"`
}

// Labels that are no attack.
const (
	IsNoise   = "-"
	IsUnknown = "?" // not scored
)

// Label is the truth about an alert.
type Label struct {
	Incident string // an attack, IsNoise or IsUnknown
	Stage    string // step of the attack
	DupOf    string // id of the alert that this one repeats through another product
}

// Labelled is one delivery of an alert with its truth. Deliveries of one id are the same alert, as it was or later.
type Labelled struct {
	Alert Alert
	Label Label
}

// Scenario is what happened, in delivery order.
type Scenario struct {
	Options Options
	Alerts  []Labelled
}

// start is the first moment of every scenario; the seed moves it by up to two months.
var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Generate invents a scenario.
func Generate(o Options) Scenario {
	d := newDice(o.Seed, "scenario")
	o.Noise = cmp.Or(o.Noise, Medium)
	o.Tenants = cmp.Or(o.Tenants, d.drawInt(3, 5))
	o.Days = cmp.Or(o.Days, d.drawInt(7, 21))
	o.Attacks = cmp.Or(o.Attacks, d.drawInt(12, 30))
	from := start.AddDate(0, 0, d.drawInt(0, 60))
	ids := registry{}
	var tenants []*tenant
	for i, name := range pickSome(d, companies, o.Tenants) {
		td := newDice(o.Seed, "tenant "+name)
		tenants = append(tenants, newTenant(td, name, i, from, from.AddDate(0, 0, o.Days), ids))
	}
	planCampaigns(newDice(o.Seed, "attacks"), tenants, o.Attacks)
	s := Scenario{Options: o}
	for _, t := range tenants {
		addNoise(newDice(o.Seed, "noise "+t.name), t, volume[o.Noise]/o.Tenants)
		t.addDoubt()
		s.Alerts = append(s.Alerts, deliverAlerts(newDice(o.Seed, "delivery "+t.name), t)...)
	}
	slices.SortStableFunc(s.Alerts, func(a, b Labelled) int {
		return cmp.Or(a.Alert.Delivered.Compare(b.Alert.Delivered), cmp.Compare(a.Alert.Tenant, b.Alert.Tenant))
	})
	return s
}

// registry keeps ids from being given twice.
type registry map[string]bool

func (r registry) drawUnique(draw func() string) string {
	for {
		id := draw()
		if !r[id] {
			r[id] = true
			return id
		}
	}
}

// String names the scenario.
func (o Options) String() string { return fmt.Sprintf("seed %d, %s noise", o.Seed, o.Noise) }
