package cosmos

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/incident"
)

// mergeDue is true while a merge is under way, when there are enough runs for one, and when something is old enough to
// expire before long.
func (s *Store) mergeDue(v *view) bool {
	r := v.root
	if r.Merging != nil || len(r.Runs) >= s.opts.Merge {
		return true
	}
	return slices.ContainsFunc(r.Runs, func(r run) bool { return s.old(r.At) }) ||
		slices.ContainsFunc(r.Base, func(r run) bool { return s.old(r.At) })
}

// merge takes one step: one segment of the base is written anew with what the runs have in its range. A step reads and
// writes a few megabytes at most, however large the base.
func (s *Store) merge(ctx context.Context, t *tenant, v *view) error {
	r := v.root
	m := merging{Runs: len(r.Runs)}
	if r.Merging != nil {
		m = *r.Merging
	}
	at := segment(r.Base, m.Next)
	low, high := m.Next, uint32(math.MaxUint32)
	sources := slices.Clone(r.Runs[:m.Runs])
	if at >= 0 {
		low = r.Base[at].Low
		sources = append([]run{r.Base[at]}, sources...)
	}
	if at+1 < len(r.Base) {
		high = r.Base[at+1].Low - 1
	}
	nodes, err := s.merged(ctx, t, v, sources, low, high)
	if err != nil {
		return err
	}
	segments, err := s.segments(ctx, t, low, nodes)
	if err != nil {
		return err
	}
	r.Base = slices.Concat(r.Base[:max(0, at)], segments, r.Base[min(len(r.Base), at+1):])
	r.Merging = &merging{Runs: m.Runs, Next: high + 1}
	if high == math.MaxUint32 {
		r.Runs, r.Merging = slices.Clone(r.Runs[m.Runs:]), nil
	}
	next := *v
	if err := s.replace(ctx, t, &next, r, nil); err != nil {
		return err
	}
	t.remember(v, &next)
	return nil
}

// merged gives the newest version of each node in a range, oldest source first, without those that are of no use any more.
func (s *Store) merged(ctx context.Context, t *tenant, v *view, sources []run, low, high uint32) ([]*node, error) {
	newest := map[string]*node{}
	for _, source := range sources {
		nodes, err := s.within(ctx, t, source, low, high)
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			newest[n.Key] = n
		}
	}
	var out []*node
	for _, n := range newest {
		alive, err := s.alive(ctx, t, v, n)
		if err != nil {
			return nil, err
		}
		if alive {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, byHash)
	return out, nil
}

// alive says whether a node may still be asked for: its life since its last event has not passed, nor that since it was
// written. Another name of a node lives as long as that one may.
func (s *Store) alive(ctx context.Context, t *tenant, v *view, n *node) (bool, error) {
	if s.young(n) {
		return true, nil
	}
	if n.Same == "" {
		return false, nil
	}
	if err := s.openLayers(ctx, t, v); err != nil {
		return false, err
	}
	if v.inTail(n.Same) != nil {
		return true, nil
	}
	h := hashOf(n.Same)
	holders := slices.Clone(v.root.Runs)
	if i := segment(v.root.Base, upper(h)); i >= 0 {
		holders = append(holders, v.root.Base[i])
	}
	for _, r := range holders {
		ix, err := s.index(ctx, t, r)
		if err != nil {
			return false, err
		}
		if ix.Filter.may(h) {
			return true, nil
		}
	}
	return false, nil
}

// young says that less than a life has passed since a node was touched or written.
func (s *Store) young(n *node) bool {
	return s.opts.Now().Sub(time.Unix(max(n.At, n.Last), 0)) <= incident.NodeLifetime
}

// segments writes nodes as segments of the base, the first of which begins at low.
func (s *Store) segments(ctx context.Context, t *tenant, low uint32, nodes []*node) ([]run, error) {
	var out []run
	for from := 0; from < len(nodes); {
		to := from
		for size := 0; to < len(nodes) && (size < segmentBytes || sameUpper(nodes[to-1], nodes[to])); to++ {
			size += len(nodes[to].JSON)
		}
		r, err := s.writeRun(ctx, t, low, nodes[from:to])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		if from = to; from < len(nodes) {
			low = upper(hashOf(nodes[from].Key))
		}
	}
	return out, nil
}
