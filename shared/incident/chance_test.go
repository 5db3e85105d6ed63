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
