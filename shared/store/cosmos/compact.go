package cosmos

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/onepane/onepane/shared/incident"
)

// needsCompaction is true while a compaction is under way, when there are enough runs for one, and when something is old enough to
// expire before long.
func (s *Store) needsCompaction(v *view) bool {
	r := v.manifest
	if r.Compaction != nil || len(r.Runs) >= s.opts.Merge {
		return true
	}
	return slices.ContainsFunc(r.Runs, func(r sortedRun) bool { return s.isDueForRenewal(r.Written) }) ||
		slices.ContainsFunc(r.Bottom, func(r sortedRun) bool { return s.isDueForRenewal(r.Written) })
}

// compactStep takes one step: one segment of the bottom level is written anew with what the runs have in its range. A step reads and
// writes a few megabytes at most, however large the bottom level.
func (s *Store) compactStep(ctx context.Context, t *tenant, v *view) error {
	r := v.manifest
	m := compaction{Runs: len(r.Runs)}
	if r.Compaction != nil {
		m = *r.Compaction
	}
	at := segmentFor(r.Bottom, m.Next)
	low, high := m.Next, uint32(math.MaxUint32)
	sources := slices.Clone(r.Runs[:m.Runs])
	if at >= 0 {
		low = r.Bottom[at].Low
		sources = append([]sortedRun{r.Bottom[at]}, sources...)
	}
	if at+1 < len(r.Bottom) {
		high = r.Bottom[at+1].Low - 1
	}
	nodes, err := s.mergeNodes(ctx, t, v, sources, low, high)
	if err != nil {
		return err
	}
	segments, err := s.writeSegments(ctx, t, low, nodes)
	if err != nil {
		return err
	}
	r.Bottom = slices.Concat(r.Bottom[:max(0, at)], segments, r.Bottom[min(len(r.Bottom), at+1):])
	r.Compaction = &compaction{Runs: m.Runs, Next: high + 1}
	if high == math.MaxUint32 {
		r.Runs, r.Compaction = slices.Clone(r.Runs[m.Runs:]), nil
	}
	next := *v
	if err := s.replaceManifest(ctx, t, &next, r, nil); err != nil {
		return err
	}
	t.replaceView(v, &next)
	return nil
}

// mergeNodes gives the newest version of each node in a range, oldest source first, without those that are of no use any more.
func (s *Store) mergeNodes(ctx context.Context, t *tenant, v *view, sources []sortedRun, low, high uint32) ([]*node, error) {
	newest := map[string]*node{}
	for _, source := range sources {
		nodes, err := s.nodesInRange(ctx, t, source, low, high)
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			newest[n.Key] = n
		}
	}
	var out []*node
	for _, n := range newest {
		alive, err := s.isAlive(ctx, t, v, n)
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

// isAlive says whether a node may still be asked for: its life since its last event has not passed, nor that since it was
// written. Another name of a node lives as long as that one may.
func (s *Store) isAlive(ctx context.Context, t *tenant, v *view, n *node) (bool, error) {
	if s.isYoung(n) {
		return true, nil
	}
	if n.SameAs == "" {
		return false, nil
	}
	if err := s.openLog(ctx, t, v); err != nil {
		return false, err
	}
	if v.nodeInLog(n.SameAs) != nil {
		return true, nil
	}
	h := hashOf(n.SameAs)
	holders := slices.Clone(v.manifest.Runs)
	if i := segmentFor(v.manifest.Bottom, upperHash(h)); i >= 0 {
		holders = append(holders, v.manifest.Bottom[i])
	}
	for _, r := range holders {
		ix, err := s.runIndexOf(ctx, t, r)
		if err != nil {
			return false, err
		}
		if ix.Filter.mayContain(h) {
			return true, nil
		}
	}
	return false, nil
}

// isYoung says that less than a life has passed since a node was touched or written.
func (s *Store) isYoung(n *node) bool {
	return s.opts.Now().Sub(time.Unix(max(n.Written, n.Last), 0)) <= incident.NodeLifetime
}

// writeSegments writes nodes as segments of the bottom level, the first of which begins at low.
func (s *Store) writeSegments(ctx context.Context, t *tenant, low uint32, nodes []*node) ([]sortedRun, error) {
	var out []sortedRun
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
			low = upperHash(hashOf(nodes[from].Key))
		}
	}
	return out, nil
}
