package main

// duplicates compares groups of copies by pairs: precision and recall.
func duplicates(pairs [][2]string, said map[string]string) (precision, recall float64) {
	real, claimed := groups{}, groups{}
	for _, p := range pairs {
		real.join(p[0], p[1])
	}
	for id, canonical := range said {
		if id != canonical {
			claimed.join(id, canonical)
		}
	}
	both, there, here := map[[2]string]int{}, map[string]int{}, map[string]int{}
	for id := range claimed {
		here[claimed.find(id)]++
		if _, ok := real[id]; ok {
			both[[2]string{claimed.find(id), real.find(id)}]++
		}
	}
	for id := range real {
		there[real.find(id)]++
	}
	hit := pairsIn(both)
	return div(hit, pairsIn(here), 1), div(hit, pairsIn(there), 1)
}

// pairsIn counts the pairs within groups of those sizes.
func pairsIn[K comparable](sizes map[K]int) (n float64) {
	for _, k := range sizes {
		n += float64(k * (k - 1) / 2)
	}
	return n
}

// groups joins ids into groups: each points at another of its group.
type groups map[string]string

func (g groups) find(x string) string {
	if _, ok := g[x]; !ok {
		g[x] = x
	}
	for g[x] != x {
		g[x] = g[g[x]]
		x = g[x]
	}
	return x
}

func (g groups) join(a, b string) { g[g.find(a)] = g.find(b) }
