package main

// scoreCopies compares groups of copies by pairs: precision and recall.
func scoreCopies(pairs [][2]string, said map[string]string) (precision, recall float64) {
	real, claimed := groups{}, groups{}
	for _, p := range pairs {
		real.joinGroups(p[0], p[1])
	}
	for id, canonical := range said {
		if id != canonical {
			claimed.joinGroups(id, canonical)
		}
	}
	both, there, here := map[[2]string]int{}, map[string]int{}, map[string]int{}
	for id := range claimed {
		here[claimed.rootOf(id)]++
		if _, ok := real[id]; ok {
			both[[2]string{claimed.rootOf(id), real.rootOf(id)}]++
		}
	}
	for id := range real {
		there[real.rootOf(id)]++
	}
	hit := pairsIn(both)
	return ratioOr(hit, pairsIn(here), 1), ratioOr(hit, pairsIn(there), 1)
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

func (g groups) rootOf(x string) string {
	if _, ok := g[x]; !ok {
		g[x] = x
	}
	for g[x] != x {
		g[x] = g[g[x]]
		x = g[x]
	}
	return x
}

func (g groups) joinGroups(a, b string) { g[g.rootOf(a)] = g.rootOf(b) }
