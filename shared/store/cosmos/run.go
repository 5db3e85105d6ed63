package cosmos

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// nodeLevels is where a tenant's nodes are, but for those of the log.
type nodeLevels struct {
	Runs   []sortedRun `json:"runs,omitempty"` // newest last
	Bottom []sortedRun `json:"base,omitempty"` // by Low; each up to the Low of the next
	// Compaction is a compaction under way: the first Runs go into the bottom level, which is done below Next.
	Compaction *compaction `json:"merging,omitempty"`
}

type compaction struct {
	Runs int    `json:"runs"`
	Next uint32 `json:"next"`
}

// sortedRun is some nodes in the order of their hashes.
type sortedRun struct {
	Low     uint32  `json:"low,omitzero"` // the upper half of the least hash it may hold
	Index   blobRef `json:"ref"`          // of its index
	Written int64   `json:"at"`           // when it was written, Unix seconds
}

// runIndex says where a run's nodes are.
type runIndex struct {
	Blocks []nodeBlock `json:"blocks"`
	Filter bloomFilter `json:"filter"`
}

// nodeBlock is a part of a run that is read at once, []*node.
type nodeBlock struct {
	Low uint32  `json:"low"`
	Ref blobRef `json:"ref"`
}

const (
	blockBytes   = 48 << 10 // of JSON, which packs to a fifth: a dozen nodes as large as they get
	segmentBytes = 8 << 20  // of JSON
)

func upperHash(h uint64) uint32 { return uint32(h >> 32) }

// writeRun writes nodes, which are in the order of their hashes and not none, as a run that begins at low.
func (s *Store) writeRun(ctx context.Context, t *tenant, low uint32, nodes []*node) (sortedRun, error) {
	ix := runIndex{Filter: newBloomFilter(len(nodes))}
	var parts [][]*node
	for from := 0; from < len(nodes); {
		to := from
		for size := 0; to < len(nodes) && (size < blockBytes || sameUpper(nodes[to-1], nodes[to])); to++ {
			size += len(nodes[to].JSON)
			ix.Filter.addHash(hashOf(nodes[to].Key))
		}
		parts = append(parts, nodes[from:to])
		ix.Blocks = append(ix.Blocks, nodeBlock{Low: upperHash(hashOf(nodes[from].Key))})
		from = to
	}
	err := each(ctx, len(parts), func(ctx context.Context, i int) error {
		data, err := encodeFrame(parts[i])
		if err == nil {
			ix.Blocks[i].Ref, err = s.putBlob(ctx, s.nodes, t.name, data, nodesTTL)
		}
		return err
	})
	if err != nil {
		return sortedRun{}, err
	}
	data, err := encodeFrame(ix)
	if err != nil {
		return sortedRun{}, err
	}
	ref, err := s.putBlob(ctx, s.nodes, t.name, data, nodesTTL)
	return sortedRun{Low: low, Index: ref, Written: s.opts.Now().Unix()}, err
}

// sameUpper keeps nodes that a block's Low cannot tell apart in one block.
func sameUpper(a, b *node) bool { return upperHash(hashOf(a.Key)) == upperHash(hashOf(b.Key)) }

func byHash(a, b *node) int {
	return cmp.Or(cmp.Compare(hashOf(a.Key), hashOf(b.Key)), cmp.Compare(a.Key, b.Key))
}

// runIndexOf reads a run's index, once as long as it is remembered. That of a run that may be gone is empty.
func (s *Store) runIndexOf(ctx context.Context, t *tenant, r sortedRun) (*runIndex, error) {
	if s.isPastUse(r.Written) {
		return &runIndex{}, nil
	}
	key := cacheKey{t.name, r.Index.ID}
	if ix := s.indexes.get(key); ix != nil {
		return ix, nil
	}
	data, err := s.getBlob(ctx, s.nodes, t.name, r.Index)
	if err != nil {
		return nil, err
	}
	ix := &runIndex{}
	if err := decodeFrame(data, ix); err != nil {
		return nil, fmt.Errorf("%s: %w", describeItem("run", t.name, r.Index.ID), err)
	}
	s.indexes.add(key, ix)
	return ix, nil
}

// indexCache keeps opened indexes, the filters in them above all; there are a few dozen a tenant.
type indexCache struct {
	mu sync.Mutex
	at map[cacheKey]*runIndex
}

const maxIndexes = 4096

func (c *indexCache) get(k cacheKey) *runIndex {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[k]
}

func (c *indexCache) add(k cacheKey, ix *runIndex) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil || len(c.at) >= maxIndexes {
		c.at = map[cacheKey]*runIndex{}
	}
	c.at[k] = ix
}

// findInRuns looks for keys in the runs, newest first, and then in the bottom level.
func (s *Store) findInRuns(ctx context.Context, t *tenant, v *view, keys []string, found map[string]*node) error {
	for i := len(v.manifest.Runs) - 1; i >= 0 && len(keys) > 0; i-- {
		var err error
		if keys, err = s.findInRun(ctx, t, v.manifest.Runs[i], keys, found); err != nil {
			return err
		}
	}
	bySegment := map[int][]string{}
	for _, key := range keys {
		if i := segmentFor(v.manifest.Bottom, upperHash(hashOf(key))); i >= 0 {
			bySegment[i] = append(bySegment[i], key)
		}
	}
	for i, keys := range bySegment {
		if _, err := s.findInRun(ctx, t, v.manifest.Bottom[i], keys, found); err != nil {
			return err
		}
	}
	return nil
}

// segmentFor is the one whose range an upper hash is in; -1 when there is none.
func segmentFor(base []sortedRun, h uint32) int {
	i, found := slices.BinarySearchFunc(base, h, func(r sortedRun, h uint32) int { return cmp.Compare(r.Low, h) })
	if !found {
		i--
	}
	return i
}

// findInRun looks for keys in one run and gives those it does not hold.
func (s *Store) findInRun(ctx context.Context, t *tenant, r sortedRun, keys []string, found map[string]*node) (missing []string, err error) {
	ix, err := s.runIndexOf(ctx, t, r)
	if err != nil {
		return nil, err
	}
	byBlock := map[int][]string{}
	for _, key := range keys {
		h := hashOf(key)
		if i := ix.blockFor(upperHash(h)); i >= 0 && ix.Filter.mayContain(h) {
			byBlock[i] = append(byBlock[i], key)
		} else {
			missing = append(missing, key)
		}
	}
	blocks := make([]int, 0, len(byBlock))
	for i := range byBlock {
		blocks = append(blocks, i)
	}
	var mu sync.Mutex
	err = each(ctx, len(blocks), func(ctx context.Context, n int) error {
		nodes, err := s.readBlock(ctx, t, ix.Blocks[blocks[n]])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, key := range byBlock[blocks[n]] {
			at := slices.IndexFunc(nodes, func(n *node) bool { return n.Key == key })
			if at < 0 {
				missing = append(missing, key)
			} else {
				found[key] = nodes[at]
			}
		}
		return nil
	})
	return missing, err
}

// blockFor is the one that would hold an upper hash; -1 when none would.
func (ix *runIndex) blockFor(h uint32) int {
	i, found := slices.BinarySearchFunc(ix.Blocks, h, func(b nodeBlock, h uint32) int { return cmp.Compare(b.Low, h) })
	if !found {
		i--
	}
	return i
}

func (s *Store) readBlock(ctx context.Context, t *tenant, b nodeBlock) ([]*node, error) {
	nodes, err := s.readNodes(ctx, t, b.Ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", describeItem("nodes", t.name, b.Ref.ID), err)
	}
	return nodes, nil
}

// nodesInRange gives a run's nodes whose upper hashes are from low to high, both included.
func (s *Store) nodesInRange(ctx context.Context, t *tenant, r sortedRun, low, high uint32) ([]*node, error) {
	ix, err := s.runIndexOf(ctx, t, r)
	if err != nil {
		return nil, err
	}
	first := max(0, ix.blockFor(low))
	last := ix.blockFor(high)
	parts := make([][]*node, max(0, last-first+1))
	err = each(ctx, len(parts), func(ctx context.Context, i int) error {
		var err error
		parts[i], err = s.readBlock(ctx, t, ix.Blocks[first+i])
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*node
	for _, n := range slices.Concat(parts...) {
		if h := upperHash(hashOf(n.Key)); h >= low && h <= high {
			out = append(out, n)
		}
	}
	return out, nil
}

// bloomFilter says which hashes are surely not in a run: a Bloom filter with 12 bits for each key, wrong for one in 300.
type bloomFilter struct {
	Bits []byte `json:"bits"`
}

const filterHashes = 8

func newBloomFilter(keys int) bloomFilter { return bloomFilter{make([]byte, keys*12/8+1)} }

func (f bloomFilter) addHash(h uint64) {
	for i := range filterHashes {
		at := f.bitOf(h, i)
		f.Bits[at/8] |= 1 << (at % 8)
	}
}

func (f bloomFilter) mayContain(h uint64) bool {
	for i := range filterHashes {
		at := f.bitOf(h, i)
		if at/8 >= uint64(len(f.Bits)) || f.Bits[at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

func (f bloomFilter) bitOf(h uint64, i int) uint64 {
	bits := uint64(len(f.Bits)) * 8
	if bits == 0 {
		return math.MaxUint64
	}
	return (h + uint64(i)*(h>>33|1)) % bits
}
