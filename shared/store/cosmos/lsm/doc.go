// Package lsm is a log-structured merge tree of one tenant's nodes over blobs that are never replaced. It knows no
// server and no database: it puts and gets blobs, and says which levels the caller should publish.
//
//	WriteLayer ─▶ layers, one a commit: the log, in memory the memtable      newest
//	              ─Flush, of many layers─▶ sorted runs
//	                                       ─CompactStep, of many runs─▶ bottom level, in segments by hash      oldest
//	FindNodes  ─▶ layers, newest first ─▶ runs, newest first, by Bloom filter ─▶ the segment of the bottom level
//
// A batch of alerts touches the same few hundred nodes, a few kilobytes each, over and over: three quarters of what
// a commit writes. So a node is never written in place. Each commit leaves its nodes as a blob, packed with their
// earlier texts as its dictionary; a flush makes one run of those of many commits, each node once; compaction puts
// runs into the bottom level. All of it expires by itself, and what is still of use is written anew before it does.
//
//	layer.go    the nodes of one commit, and how they are packed
//	run.go      sorted runs: blocks, their index, lookup
//	filter.go   which keys are surely not in a run
//	compact.go  flush and compaction
//	delta.go    layers as versions before form 3 packed them
package lsm

import (
	"context"
	"fmt"
	"time"

	"github.com/onepane/onepane/shared/cache"
)

// Blobs keeps bytes of one tenant, named by their content.
type Blobs interface {
	// PutBlob stores data for ttl seconds from now, also when it is there already.
	PutBlob(ctx context.Context, data []byte, ttl int) (Ref, error)
	// GetBlob reads what PutBlob has stored.
	GetBlob(ctx context.Context, ref Ref) ([]byte, error)
}

// Ref names a blob.
type Ref struct {
	ID    string `json:"id"`
	Parts int    `json:"parts"`
}

// Tree works on the nodes of one tenant. It is safe for concurrent use.
type Tree struct {
	LayerBlobs Blobs    // written all the time, seldom read again
	RunBlobs   Blobs    // read all the time, so that nothing else may push them out of a cache
	Indexes    *Indexes // of runs
	Now        func() time.Time
	Life       time.Duration // how long a node is kept after it was touched or written last
	CompactAt  int           // how many runs are compacted at once
}

// Indexes remembers opened indexes of runs, the filters in them above all; there are a few dozen a tenant.
type Indexes = cache.LRU[Ref, *runIndex]

// NewIndexes remembers up to so many bytes of filters, of any number of trees.
func NewIndexes(bytes int64) *Indexes {
	return cache.New[Ref](bytes, func(ix *runIndex) int64 { return int64(len(ix.Filter.Bits) + 64*len(ix.Blocks)) })
}

// Levels is where a tenant's nodes are, but for those of the log. The caller publishes it along with the end of the
// log.
type Levels struct {
	Runs   []Run `json:"runs,omitempty"` // newest last
	Bottom []Run `json:"base,omitempty"` // by Low; each up to the Low of the next
	// Compaction is under way: the first Runs go into the bottom level, which is done below Next.
	Compaction *Compaction `json:"merging,omitempty"`
}

// Compaction is how far a compaction has come.
type Compaction struct {
	Runs int    `json:"runs"`
	Next uint32 `json:"next"`
}

// Snapshot is a tenant's nodes as of one commit. It does not change.
type Snapshot struct {
	Log   []*Layer // oldest first
	Since int64    // when the first commit of the log was written, Unix seconds
	Levels
}

// Blobs of nodes expire blobTTL after they were written. They are flushed or compacted into new ones as soon as
// anything is committed after renewAfter; should nothing be for longer than Tree.Life, none of them is of use any
// more.
//
// What is older than maxBlobAge may be gone, and is not asked for.
const (
	maxBlobAge = 40 * 24 * time.Hour
	blobTTL    = 45 * 24 * 60 * 60 // seconds
	renewAfter = 12 * 24 * time.Hour
)

func (t *Tree) age(at int64) time.Duration { return t.Now().Sub(time.Unix(at, 0)) }

// isPastUse says that blobs written then are of no use any more, and may have expired.
func (t *Tree) isPastUse(at int64) bool { return t.age(at) > maxBlobAge }

// NeedsRenewal says that what was written then must be written anew before it expires.
func (t *Tree) NeedsRenewal(at int64) bool { return t.age(at) > renewAfter }

// FindNodes finds nodes by key, the newest version of each, in the order of keys; those that do not exist are left out.
func (t *Tree) FindNodes(ctx context.Context, s Snapshot, keys []string) ([]*Node, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := t.openLog(ctx, s); err != nil {
		return nil, err
	}
	found := map[string]*Node{}
	var rest []string
	for _, key := range keys {
		if n, _ := s.newestInLog(key); n != nil {
			found[key] = n
		} else {
			rest = append(rest, key)
		}
	}
	if err := t.findInLevels(ctx, s.Levels, rest, found); err != nil {
		return nil, fmt.Errorf("find nodes: %w", err)
	}
	var out []*Node
	for _, key := range keys {
		if n := found[key]; n != nil {
			out = append(out, n)
		}
	}
	return out, nil
}
