package lsm

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// Run is some nodes in the order of their hashes.
type Run struct {
	Low     uint32 `json:"low,omitzero"` // the upper half of the least hash it may hold
	Index   Ref    `json:"ref"`
	Written int64  `json:"at"` // Unix seconds
}

// runIndex says where a run's nodes are.
type runIndex struct {
	Blocks []nodeBlock `json:"blocks"`
	Filter bloomFilter `json:"filter"`
}

// nodeBlock is a part of a run that is read at once, []*Node.
type nodeBlock struct {
	Low uint32 `json:"low"`
	Ref Ref    `json:"ref"`
}

const (
	blockBytes   = 48 << 10 // of JSON, which packs to a fifth: a dozen nodes as large as they get
	segmentBytes = 8 << 20  // of JSON
)

func upperHash(key string) uint32 { return upperHalf(hashOf(key)) }

func upperHalf(hash uint64) uint32 { return uint32(hash >> 32) }

// cutNodes cuts nodes, which are in the order of their hashes, into parts of some bytes of JSON. Nodes that a Low
// cannot tell apart are in one part.
func cutNodes(nodes []*Node, bytes int) (parts [][]*Node) {
	for from := 0; from < len(nodes); {
		to := from
		for size := 0; to < len(nodes) && (size < bytes || upperHash(nodes[to-1].Key) == upperHash(nodes[to].Key)); to++ {
			size += len(nodes[to].JSON)
		}
		parts = append(parts, nodes[from:to])
		from = to
	}
	return parts
}

// writeRun writes nodes, which are in the order of their hashes and not none, as a run that begins at low.
func (t *Tree) writeRun(ctx context.Context, low uint32, nodes []*Node) (Run, error) {
	parts := cutNodes(nodes, blockBytes)
	ix := runIndex{Filter: newBloomFilter(len(nodes)), Blocks: make([]nodeBlock, len(parts))}
	for _, n := range nodes {
		ix.Filter.addHash(hashOf(n.Key))
	}
	writes, writeCtx := errgroup.WithContext(ctx)
	writes.SetLimit(parallel)
	for i, part := range parts {
		ix.Blocks[i].Low = upperHash(part[0].Key)
		writes.Go(func() (err error) {
			ix.Blocks[i].Ref, err = t.putFrame(writeCtx, part)
			return err
		})
	}
	if err := writes.Wait(); err != nil {
		return Run{}, err
	}
	ref, err := t.putFrame(ctx, ix)
	return Run{Low: low, Index: ref, Written: t.Now().Unix()}, err
}

func (t *Tree) putFrame(ctx context.Context, v any) (Ref, error) {
	data, err := frame.Encode(v)
	if err != nil {
		return Ref{}, err
	}
	return t.RunBlobs.PutBlob(ctx, data, blobTTL)
}

func compareHashes(a, b *Node) int {
	return cmp.Or(cmp.Compare(hashOf(a.Key), hashOf(b.Key)), cmp.Compare(a.Key, b.Key))
}

// readIndex reads a run's index, once as long as it is remembered. That of a run that may be gone is empty.
func (t *Tree) readIndex(ctx context.Context, r Run) (*runIndex, error) {
	if t.isPastUse(r.Written) {
		return &runIndex{}, nil
	}
	if ix, known := t.Indexes.Get(r.Index); known {
		return ix, nil
	}
	data, err := t.RunBlobs.GetBlob(ctx, r.Index)
	if err != nil {
		return nil, err
	}
	ix := &runIndex{}
	if err := frame.Decode(data, ix); err != nil {
		return nil, fmt.Errorf("index %s of a run: %w", r.Index.ID, err)
	}
	t.Indexes.Put(r.Index, ix)
	return ix, nil
}

// findInLevels looks for keys in the runs, newest first, and then in the bottom level.
func (t *Tree) findInLevels(ctx context.Context, l Levels, keys []string, found map[string]*Node) (err error) {
	for _, r := range slices.Backward(l.Runs) {
		if len(keys) == 0 {
			return nil
		}
		if keys, err = t.findInRun(ctx, r, keys, found); err != nil {
			return err
		}
	}
	bySegment := map[int][]string{}
	for _, key := range keys {
		if i := segmentFor(l.Bottom, upperHash(key)); i >= 0 {
			bySegment[i] = append(bySegment[i], key)
		}
	}
	for i, keys := range bySegment {
		if _, err := t.findInRun(ctx, l.Bottom[i], keys, found); err != nil {
			return err
		}
	}
	return nil
}

// segmentFor is the segment whose range an upper hash is in; -1 when there is none.
func segmentFor(bottom []Run, upper uint32) int {
	i, found := slices.BinarySearchFunc(bottom, upper, func(r Run, upper uint32) int { return cmp.Compare(r.Low, upper) })
	if !found {
		i--
	}
	return i
}

// blockFor is the block that would hold an upper hash; -1 when none would.
func (ix *runIndex) blockFor(upper uint32) int {
	i, found := slices.BinarySearchFunc(ix.Blocks, upper, func(b nodeBlock, upper uint32) int { return cmp.Compare(b.Low, upper) })
	if !found {
		i--
	}
	return i
}

// findInRun looks for keys in one run and gives those it does not hold.
func (t *Tree) findInRun(ctx context.Context, r Run, keys []string, found map[string]*Node) (missing []string, err error) {
	ix, err := t.readIndex(ctx, r)
	if err != nil {
		return nil, err
	}
	byBlock := map[int][]string{}
	for _, key := range keys {
		hash := hashOf(key)
		if i := ix.blockFor(upperHalf(hash)); i >= 0 && ix.Filter.mayContain(hash) {
			byBlock[i] = append(byBlock[i], key)
		} else {
			missing = append(missing, key)
		}
	}
	var mu sync.Mutex
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for _, i := range slices.Sorted(maps.Keys(byBlock)) {
		reads.Go(func() error {
			nodes, err := t.readBlock(readCtx, ix.Blocks[i])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, key := range byBlock[i] {
				at := slices.IndexFunc(nodes, func(n *Node) bool { return n.Key == key })
				if at < 0 {
					missing = append(missing, key)
				} else {
					found[key] = nodes[at]
				}
			}
			return nil
		})
	}
	return missing, reads.Wait()
}

func (t *Tree) readBlock(ctx context.Context, b nodeBlock) ([]*Node, error) {
	data, err := t.RunBlobs.GetBlob(ctx, b.Ref)
	if err != nil {
		return nil, err
	}
	nodes, err := decodeNodes(data)
	if err != nil {
		return nil, fmt.Errorf("block %s of nodes: %w", b.Ref.ID, err)
	}
	return nodes, nil
}

// nodesInRange gives a run's nodes whose upper hashes are from low to high, both included.
func (t *Tree) nodesInRange(ctx context.Context, r Run, low, high uint32) ([]*Node, error) {
	ix, err := t.readIndex(ctx, r)
	if err != nil {
		return nil, err
	}
	first, last := max(0, ix.blockFor(low)), ix.blockFor(high)
	parts := make([][]*Node, max(0, last-first+1))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for i := range parts {
		reads.Go(func() (err error) {
			parts[i], err = t.readBlock(readCtx, ix.Blocks[first+i])
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Concat(parts...), func(n *Node) bool {
		upper := upperHash(n.Key)
		return upper < low || upper > high
	}), nil
}
