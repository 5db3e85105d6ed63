package cosmos

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Nodes are three quarters of what a commit writes: the same few hundred, a few kilobytes each, over and over. So they are
// never written in place. Each commit leaves its own as a blob; a flush makes one run of those of many commits, each
// node once; a compaction puts runs into the bottom level. All of it expires by itself, and what is still of use is written anew
// before it does.
//
//	commits' nodes ──flush──▶ runs, newest last ──merge──▶ base, in segments by hash
//	    newest                                             oldest; expired nodes are left out

// node is a node as it is kept.
type node struct {
	Key     string         `json:"k"`
	SameAs  string         `json:"s,omitzero"` // incident.Node.SameAs
	Last    int64          `json:"l,omitzero"` // incident.Node.Last, Unix seconds; 0 for none
	Written int64          `json:"w"`          // when it was written, Unix seconds
	JSON    jsontext.Value `json:"n,omitzero"`
}

// Blobs of nodes expire nodesTTL after they were written. They are folded or merged into new ones as soon as anything is
// committed after renewAfter; should nothing be for longer than incident.NodeLife, none of them is of use any more.
//
// What is older than useless may be gone, and is not asked for.
const (
	maxBlobAge = 40 * 24 * time.Hour
	nodesTTL   = 45 * 24 * 60 * 60 // seconds
	renewAfter = 12 * 24 * time.Hour
)

// isPastUse says that blobs of nodes written then are of no use any more, and may have expired.
func (s *Store) isPastUse(at int64) bool { return s.opts.Now().Sub(time.Unix(at, 0)) > maxBlobAge }

func newNode(n incident.Node, now time.Time) (*node, error) {
	data, err := json.Marshal(n, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode node %s: %w", n.Key, err)
	}
	k := &node{Key: n.Key, SameAs: n.SameAs, Written: now.Unix(), JSON: data}
	if !n.Last.IsZero() {
		k.Last = n.Last.Unix()
	}
	return k, nil
}

func (n *node) decode() (incident.Node, error) {
	var out incident.Node
	if err := json.Unmarshal(n.JSON, &out); err != nil {
		return out, fmt.Errorf("node %s: damaged item: %w", n.Key, err)
	}
	return out, nil
}

// hashOf is where a key is within a run.
func hashOf(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:])
}

// findNodes finds nodes by key, the newest version of each; those that do not exist are left out.
func (s *Store) findNodes(ctx context.Context, t *tenant, v *view, keys []string) ([]incident.Node, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := s.openLog(ctx, t, v); err != nil {
		return nil, err
	}
	found := map[string]*node{}
	var rest []string
	for _, key := range keys {
		if n := v.nodeInLog(key); n != nil {
			found[key] = n
		} else {
			rest = append(rest, key)
		}
	}
	if err := s.findInRuns(ctx, t, v, rest, found); err != nil {
		return nil, err
	}
	var out []incident.Node
	for _, key := range keys {
		if n := found[key]; n != nil {
			node, err := n.decode()
			if err != nil {
				return nil, err
			}
			out = append(out, node)
		}
	}
	return out, nil
}

func (v *view) nodeInLog(key string) *node {
	n, _ := v.newestInLog(key)
	return n
}

// readNodes reads a blob of nodes.
func (s *Store) readNodes(ctx context.Context, t *tenant, ref blobRef) ([]*node, error) {
	data, err := s.getBlob(ctx, s.nodes, t.name, ref)
	if err != nil {
		return nil, err
	}
	return unpackNodes(data)
}

func unpackNodes(data []byte) ([]*node, error) {
	var nodes []*node
	if err := decodeFrame(data, &nodes); err != nil {
		return nil, err
	}
	if slices.Contains(nodes, nil) {
		return nil, errors.New("damaged item: a node is null")
	}
	return nodes, nil
}
