package attacks

import (
	"fmt"
	"slices"
	"time"
)

// recipe is a kind of attack.
type recipe struct {
	name   string
	length time.Duration // at most, at the usual pace
	person bool          // begins with a person
	run    func(*attack)
}

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

var recipes = slices.Concat(userRecipes, cloudRecipes, serverRecipes, containerRecipes)

// campaign counts what has been staged.
type campaign struct {
	d       dice
	tenants []*tenant
	n       int
}

// planCampaigns lets n attacks happen. Three constellations come first: two attacks on one victim a week apart, one
// actor in two tenants, two actors in one tenant at the same time. The rest is drawn.
func planCampaigns(d dice, tenants []*tenant, n int) {
	c := &campaign{d: d, tenants: tenants}
	if t := tenants[0]; t.to.Sub(t.from) >= 10*day && d.isTrue(0.8) {
		c.attackTwice(pickOne(d, tenants))
	}
	if d.isTrue(0.8) {
		c.attackTwoTenants(pickSome(d, tenants, 2), pickOne(d, recipes))
	}
	two := pickSome(d, recipes, 2)
	t := pickOne(d, tenants)
	at := c.drawStart(t, max(two[0].length, two[1].length))
	c.runRecipe(t, two[0], newActor(d), at, nil)
	c.runRecipe(t, two[1], newActor(d), at.Add(d.drawDuration(0, hour)), nil)
	rest := pickSome(d, recipes, len(recipes))
	for i := 0; c.n < n; i++ {
		r, t := rest[i%len(rest)], pickOne(d, tenants)
		c.runRecipe(t, r, newActor(d), c.drawStart(t, r.length), nil)
	}
}

// attackTwice attacks one person twice, a week apart, by different means and different people.
func (c *campaign) attackTwice(t *tenant) {
	var personal []recipe
	for _, r := range recipes {
		if r.person && r.length <= 2*day {
			personal = append(personal, r)
		}
	}
	two := pickSome(c.d, personal, 2)
	p := claimFresh(c.d, t, t.people, nil)
	at := t.from.Add(c.d.drawDuration(26*hour, 40*hour))
	c.runRecipe(t, two[0], newActor(c.d), at, p)
	c.runRecipe(t, two[1], newActor(c.d), at.Add(7*day+c.d.drawDuration(0, 8*hour)), p)
}

// attackTwoTenants is one actor doing the same in two tenants within a day.
func (c *campaign) attackTwoTenants(tenants []*tenant, r recipe) {
	who, at := newActor(c.d), c.drawStart(tenants[0], r.length)
	for _, t := range tenants {
		c.runRecipe(t, r, who, at.Add(c.d.drawDuration(0, 6*hour)), nil)
	}
}

func (c *campaign) drawStart(t *tenant, length time.Duration) time.Time {
	latest := t.to.Add(-length * 5 / 4)
	earliest := t.from.Add(30 * hour) // after a day that shows what is usual
	if latest.Before(earliest) {
		return earliest
	}
	return c.d.drawTime(earliest, latest)
}

func (c *campaign) runRecipe(t *tenant, r recipe, who *actor, at time.Time, victim *person) {
	c.n++
	a := &attack{
		tenant: t, d: dice{newDice(c.d.Uint64(), r.name).Rand}, label: fmt.Sprintf("%s-%02d:%s", t.name, c.n, r.name),
		actor: who, at: at, pace: 0.5 + c.d.Float64(), preset: victim, touches: map[thing]*touch{},
	}
	r.run(a)
	for _, th := range a.order {
		t.touched = append(t.touched, *a.touches[th])
	}
}
