package lsm

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// Flush writes the log as one more run, each node as it is now. The levels are to be published with the end of the log.
func (t *Tree) Flush(ctx context.Context, s Snapshot) (Levels, error) {
	if err := t.openLog(ctx, s); err != nil {
		return s.Levels, err
	}
	newest := map[string]*Node{}
	for _, l := range s.Log {
		for key, n := range l.nodes {
			if n.SameAs != "" || t.isYoung(n) {
				newest[key] = n
			}
		}
	}
	if len(newest) == 0 {
		return s.Levels, nil
	}
	r, err := t.writeRun(ctx, 0, slices.SortedFunc(maps.Values(newest), compareHashes))
	if err != nil {
		return s.Levels, err
	}
	next := s.Levels
	next.Runs = append(slices.Clone(s.Runs), r)
	return next, nil
}

// NeedsCompaction is true while a compaction is under way, when there are enough runs for one, and when something
// is old enough to expire before long.
func (t *Tree) NeedsCompaction(l Levels) bool {
	if l.Compaction != nil || len(l.Runs) >= t.CompactAt {
		return true
	}
	isOld := func(r Run) bool { return t.NeedsRenewal(r.Written) }
	return slices.ContainsFunc(l.Runs, isOld) || slices.ContainsFunc(l.Bottom, isOld)
}

// CompactStep takes a compaction one step on: one segment of the bottom level is written anew with what the runs
// have in its range. A step reads and writes a few megabytes at most, however large the bottom level.
func (t *Tree) CompactStep(ctx context.Context, s Snapshot) (Levels, error) {
	l := s.Levels
	step := Compaction{Runs: len(l.Runs)}
	if l.Compaction != nil {
		step = *l.Compaction
	}
	at := segmentFor(l.Bottom, step.Next)
	low, high := step.Next, uint32(math.MaxUint32)
	sources := slices.Clone(l.Runs[:step.Runs])
	if at >= 0 {
		low = l.Bottom[at].Low
		sources = append([]Run{l.Bottom[at]}, sources...)
	}
	if at+1 < len(l.Bottom) {
		high = l.Bottom[at+1].Low - 1
	}
	nodes, err := t.mergeNodes(ctx, s, sources, low, high)
	if err != nil {
		return l, err
	}
	segments, err := t.writeSegments(ctx, low, nodes)
	if err != nil {
		return l, err
	}
	l.Bottom = slices.Concat(l.Bottom[:max(0, at)], segments, l.Bottom[min(len(l.Bottom), at+1):])
	l.Compaction = &Compaction{Runs: step.Runs, Next: high + 1}
	if high == math.MaxUint32 {
		l.Runs, l.Compaction = slices.Clone(l.Runs[step.Runs:]), nil
	}
	return l, nil
}

// mergeNodes gives the newest version of each node in a range, of sources that are oldest first, without those that
// are of no use any more.
func (t *Tree) mergeNodes(ctx context.Context, s Snapshot, sources []Run, low, high uint32) ([]*Node, error) {
	newest := map[string]*Node{}
	for _, source := range sources {
		nodes, err := t.nodesInRange(ctx, source, low, high)
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			newest[n.Key] = n
		}
	}
	var out []*Node
	for _, n := range newest {
		alive, err := t.isAlive(ctx, s, n)
		if err != nil {
			return nil, err
		}
		if alive {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, compareHashes)
	return out, nil
}

// isAlive says whether a node may still be asked for: its life since it was touched or written has not passed.
// Another name of a node lives as long as that one may.
func (t *Tree) isAlive(ctx context.Context, s Snapshot, n *Node) (bool, error) {
	if t.isYoung(n) {
		return true, nil
	}
	if n.SameAs == "" {
		return false, nil
	}
	if err := t.openLog(ctx, s); err != nil {
		return false, err
	}
	if same, _ := s.newestInLog(n.SameAs); same != nil {
		return true, nil
	}
	hash := hashOf(n.SameAs)
	holders := slices.Clone(s.Runs)
	if i := segmentFor(s.Bottom, upperHalf(hash)); i >= 0 {
		holders = append(holders, s.Bottom[i])
	}
	for _, r := range holders {
		ix, err := t.readIndex(ctx, r)
		if err != nil {
			return false, err
		}
		if ix.Filter.mayContain(hash) {
			return true, nil
		}
	}
	return false, nil
}

// isYoung says that less than a life has passed since a node was touched or written.
func (t *Tree) isYoung(n *Node) bool {
	return t.Now().Sub(time.Unix(max(n.Written, n.Last), 0)) <= t.Life
}

// writeSegments writes nodes as segments of the bottom level, the first of which begins at low.
func (t *Tree) writeSegments(ctx context.Context, low uint32, nodes []*Node) ([]Run, error) {
	var out []Run
	for i, part := range cutNodes(nodes, segmentBytes) {
		if i > 0 {
			low = upperHash(part[0].Key)
		}
		r, err := t.writeRun(ctx, low, part)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
