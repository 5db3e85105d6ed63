package cosmos

import "maps"

// recent remembers values by name: those that were asked for or put lately, up to about a number of them. What falls out are
// the ones nobody has asked for in a while, never all at once.
type recent[V any] struct {
	most       int
	young, old map[string]V // each with half of them at most; what is in both is newer in young
}

func newRecent[V any](most int) *recent[V] { return &recent[V]{most: most} }

func (r *recent[V]) get(name string) (v V, known bool) {
	if v, known = r.young[name]; known {
		return v, true
	}
	if v, known = r.old[name]; known {
		r.put(name, v)
	}
	return v, known
}

func (r *recent[V]) put(name string, v V) {
	if len(r.young) >= r.most/2 {
		r.young, r.old = nil, r.young
	}
	if r.young == nil {
		r.young = map[string]V{}
	}
	r.young[name] = v
}

// withAll is a copy that knows more.
func (r *recent[V]) withAll(more map[string]V) *recent[V] {
	next := &recent[V]{r.most, maps.Clone(r.young), maps.Clone(r.old)}
	for name, v := range more {
		next.put(name, v)
	}
	return next
}
