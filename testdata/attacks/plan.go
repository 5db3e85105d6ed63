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

// stage lets n attacks happen. Three constellations come first: two attacks on one victim a week apart, one actor in
// two tenants, two actors in one tenant at the same time. The rest is drawn.
func stage(d dice, tenants []*tenant, n int) {
	c := &campaign{d: d, tenants: tenants}
	if t := tenants[0]; t.to.Sub(t.from) >= 10*day && d.chance(0.8) {
		c.again(pick(d, tenants))
	}
	if d.chance(0.8) {
		c.abroad(sample(d, tenants, 2), pick(d, recipes))
	}
	two := sample(d, recipes, 2)
	t := pick(d, tenants)
	at := c.moment(t, max(two[0].length, two[1].length))
	c.run(t, two[0], newActor(d), at, nil)
	c.run(t, two[1], newActor(d), at.Add(d.span(0, hour)), nil)
	rest := sample(d, recipes, len(recipes))
	for i := 0; c.n < n; i++ {
		r, t := rest[i%len(rest)], pick(d, tenants)
		c.run(t, r, newActor(d), c.moment(t, r.length), nil)
	}
}

// again attacks one person twice, a week apart, by different means and different people.
func (c *campaign) again(t *tenant) {
	var personal []recipe
	for _, r := range recipes {
		if r.person && r.length <= 2*day {
			personal = append(personal, r)
		}
	}
	two := sample(c.d, personal, 2)
	p := fresh(c.d, t, t.people, nil)
	at := t.from.Add(c.d.span(26*hour, 40*hour))
	c.run(t, two[0], newActor(c.d), at, p)
	c.run(t, two[1], newActor(c.d), at.Add(7*day+c.d.span(0, 8*hour)), p)
}

// abroad is one actor doing the same in two tenants within a day.
func (c *campaign) abroad(tenants []*tenant, r recipe) {
	who, at := newActor(c.d), c.moment(tenants[0], r.length)
	for _, t := range tenants {
		c.run(t, r, who, at.Add(c.d.span(0, 6*hour)), nil)
	}
}

func (c *campaign) moment(t *tenant, length time.Duration) time.Time {
	latest := t.to.Add(-length * 5 / 4)
	earliest := t.from.Add(30 * hour) // after a day that shows what is usual
	if latest.Before(earliest) {
		return earliest
	}
	return c.d.moment(earliest, latest)
}

func (c *campaign) run(t *tenant, r recipe, who *actor, at time.Time, victim *person) {
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
