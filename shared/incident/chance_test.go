package incident

import (
	"fmt"
	"testing"
)

// What fires on a thing all day, and what everything touches, is likely by chance; what was never seen is not.
func TestChance(t *testing.T) {
	w := newWorld(t)
	for i := range 60 { // a drip on one host, and an address that every kind of alert has
		w.see(told(fmt.Sprint("drip-", i), float64(30*i), "av update", "host=web-03"))
		w.see(told(fmt.Sprint("nat-", i), float64(30*i+7), fmt.Sprint("kind-", i), "ip=198.51.100.1", fmt.Sprintf("host=pc-%d", i)))
	}
	arrive := func(id, title string) *arrival {
		v := w.s.arrive(NewReport(told(id, 1800, title)))
		v.odds = w.s.oddsOf(v)
		return v
	}
	chance := func(v *arrival, class, name string) float64 {
		key := class + ":" + name
		return w.s.chance(v, &tie{key: key, class: class, endless: indicator(key)}, w.s.nodes[key], nil)
	}
	seen, fresh := arrive("x-1", "av update"), arrive("x-2", "never seen")
	if drip, rare := chance(seen, "host", "web-03"), chance(fresh, "host", "web-03"); drip < 50*rare {
		t.Errorf("a drip is %v, a new kind on the same host %v: want the drip far likelier", drip, rare)
	}
	if shared, own := chance(fresh, "ip", "198.51.100.1"), chance(fresh, "ip", "203.0.113.9"); shared < 20*own {
		t.Errorf("a shared address is %v, a new one %v: want the shared one far likelier", shared, own)
	}
	if often, once := w.s.telling(seen, nil, nil), w.s.telling(fresh, nil, nil); once != 1 || often > 0.1 {
		t.Errorf("a kind seen 60 times tells %v, a new one %v", often, once)
	}
}

// An alert that names many people says little of each.
func TestManyShareWhatAnAlertSays(t *testing.T) {
	credit := func(people ...string) float64 {
		w := newWorld(t)
		v := w.s.arrive(NewReport(told("x-0001", 0, "spray", people...)))
		w.s.weigh(v)
		return v.ties[0].credit
	}
	one := credit("user=a@contoso.example")
	if many := credit("user=a@contoso.example", "user=b@contoso.example", "user=c@contoso.example", "user=d@contoso.example"); many > one*0.6 {
		t.Errorf("each of four gets %v, one alone %v: want about half", many, one)
	}
}

// What usually comes from the office is far rarer from an address never heard of.
func TestStrangeIndicatorsAreRarer(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.see(told(fmt.Sprint("s-", i), float64(60*i), "sign-in", fmt.Sprintf("user=u%d@contoso.example", i%9), "ip=198.51.100.1"))
	}
	chance := func(id, address string) float64 {
		v := w.s.arrive(NewReport(told(id, 2500, "sign-in", "user=u1@contoso.example", address)))
		w.s.weigh(v)
		return w.s.chance(v, &v.ties[0], w.s.nodes[v.ties[0].key], nil)
	}
	if usual, strange := chance("x-0001", "ip=198.51.100.1"), chance("x-0002", "ip=203.0.113.9"); strange > usual/10 {
		t.Errorf("from a new address %v, from the office %v: want the new one far rarer", strange, usual)
	}
}

// What an incident brought before it was merged is the survivor's own.
func TestOwnThroughMerges(t *testing.T) {
	w := newWorld(t)
	survivor := &Incident{ID: "1", Merged: []string{"2"}}
	w.s.incidents["1"], w.s.incidents["2"] = survivor, &Incident{ID: "2", RedirectTo: "1", Status: Redirected}
	if own := w.s.own(&KindCount{Kind: "k", Episodes: 3, Streak: 3, Incident: "2"}, survivor); own != 3 {
		t.Errorf("own is %v, want 3", own)
	}
}
