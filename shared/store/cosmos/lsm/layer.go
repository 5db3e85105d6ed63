package lsm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// Node is a value that is kept by its key.
type Node struct {
	Key     string         `json:"k"`
	SameAs  string         `json:"s,omitzero"` // the key that this one stands for; it lives as long as that one may
	Last    int64          `json:"l,omitzero"` // when it was touched last, Unix seconds; 0 for never
	Written int64          `json:"w"`          // Unix seconds
	JSON    jsontext.Value `json:"n,omitzero"`
}

// hashOf is where a key is within a run.
func hashOf(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:])
}

// Layer is the nodes that one commit of the log wrote.
type Layer struct {
	Version uint64
	Written int64 // Unix seconds
	Ref     *Ref  // nil when the commit wrote none

	mu    sync.Mutex
	nodes map[string]*Node // nil until somebody asks
}

// A commit touches the same few hundred nodes as those before it, and changes little in each. So the texts of its
// nodes are packed with their texts in the log as a dictionary: that takes a quarter of the bytes, and hardly more
// when a node has gathered all that it may.
//
//	layerForm ─ length of heads ─ frame of heads, JSON ─ frame of texts, one after the other
//
// Versions before form 3 packed each node's changes: see delta.go.
const layerForm = 2

// nodeHead is a node of a commit but for its text.
type nodeHead struct {
	Node
	// Base is the commit of the log whose text of this node is in the dictionary; 0 when none is.
	Base uint64 `json:"b,omitzero"`
	Size int    `json:"z"` // bytes of the text
}

// baseSpan is how long after the first commit of a log others may use it as their dictionary. Blobs expire blobTTL
// after they were written: whatever is young enough to be of use has its whole dictionary.
const baseSpan = 3 * 24 * time.Hour

// WriteLayer writes the nodes of the next commit, of which each key is once.
func (t *Tree) WriteLayer(ctx context.Context, s Snapshot, version uint64, nodes []*Node) (*Layer, error) {
	l := &Layer{Version: version, Written: t.Now().Unix(), nodes: map[string]*Node{}}
	for _, n := range nodes {
		l.nodes[n.Key] = n
	}
	if len(nodes) == 0 {
		return l, nil
	}
	data, err := s.encodeLayer(nodes, t.Now())
	if err != nil {
		return nil, err
	}
	ref, err := t.LayerBlobs.PutBlob(ctx, data, blobTTL)
	l.Ref = &ref
	return l, err
}

func (s Snapshot) encodeLayer(nodes []*Node, now time.Time) ([]byte, error) {
	heads := make([]nodeHead, len(nodes))
	var texts, dictionary []byte
	hasBases := len(s.Log) > 0 && now.Sub(time.Unix(s.Since, 0)) < baseSpan
	for i, n := range nodes {
		heads[i] = nodeHead{Node: *n, Size: len(n.JSON)}
		heads[i].JSON = nil
		if hasBases {
			if base, version := s.newestInLog(n.Key); base != nil {
				heads[i].Base = version
				dictionary = append(dictionary, base.JSON...)
			}
		}
		texts = append(texts, n.JSON...)
	}
	head, err := frame.Encode(heads)
	if err != nil {
		return nil, err
	}
	out := append(binary.AppendUvarint([]byte{layerForm}, uint64(len(head))), head...)
	return append(out, frame.Compress(texts, dictionary)...), nil
}

// newestInLog is the latest version of a node in the log, and whose it is.
func (s Snapshot) newestInLog(key string) (*Node, uint64) {
	for _, l := range slices.Backward(s.Log) {
		if n := l.nodeByKey(key); n != nil {
			return n, l.Version
		}
	}
	return nil, 0
}

// nodeByKey is one of those the commit wrote; nil as well while they have not been read.
func (l *Layer) nodeByKey(key string) *Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes[key]
}

func (l *Layer) isOpened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes != nil
}

// parallel is how many blobs of one call are read or written at once.
const parallel = 8

// openLog reads the nodes of those commits of the log that somebody else made.
func (t *Tree) openLog(ctx context.Context, s Snapshot) error {
	packed := make([][]byte, len(s.Log))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for i, l := range s.Log {
		if l.isOpened() || l.Ref == nil || t.age(l.Written) > maxBlobAge+baseSpan { // not even what builds on it is of use
			continue
		}
		reads.Go(func() (err error) {
			if packed[i], err = t.LayerBlobs.GetBlob(readCtx, *l.Ref); err != nil {
				err = fmt.Errorf("nodes of commit %d: %w", l.Version, err)
			}
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	earlier := map[uint64]*Layer{}
	for i, l := range s.Log {
		if err := t.openLayer(l, packed[i], earlier); err != nil {
			return fmt.Errorf("nodes of commit %d: %w", l.Version, err)
		}
		earlier[l.Version] = l
	}
	return nil
}

// openLayer decodes a commit's nodes, which build on earlier ones.
func (t *Tree) openLayer(l *Layer, packed []byte, earlier map[uint64]*Layer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		return nil
	}
	nodes := map[string]*Node{}
	if len(packed) > 0 {
		all, err := decodeLayer(packed, func(version uint64, key string) *Node {
			if base := earlier[version]; base != nil {
				return base.nodeByKey(key)
			}
			return nil
		})
		if err != nil && !(errors.Is(err, errNoBase) && t.isPastUse(l.Written)) {
			return err
		}
		for _, n := range all {
			nodes[n.Key] = n
		}
	}
	l.nodes = nodes
	return nil
}

var (
	errNoBase       = errors.New("damaged item: what a node builds on is not there")
	errDamagedLayer = errors.New("damaged item: nodes do not fit their heads")
)

// decodeLayer decodes what encodeLayer made, in any form. base finds what was in the dictionary.
func decodeLayer(packed []byte, base func(version uint64, key string) *Node) ([]*Node, error) {
	if len(packed) == 0 || packed[0] != layerForm {
		return decodeOldLayer(packed, base)
	}
	heads, packed, err := cutHeads(packed[1:], func(head []byte, v any) error { return frame.Decode(head, v) })
	if err != nil {
		return nil, err
	}
	var dictionary []byte
	for i := range heads {
		if heads[i].Base == 0 {
			continue
		}
		b := base(heads[i].Base, heads[i].Key)
		if b == nil {
			return nil, errNoBase
		}
		dictionary = append(dictionary, b.JSON...)
	}
	texts, err := frame.Decompress(packed, dictionary)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Node, 0, len(heads))
	for i := range heads {
		h := &heads[i]
		if h.JSON, texts, err = cutText(texts, h.Size); err != nil {
			return nil, err
		}
		nodes = append(nodes, &h.Node)
	}
	return nodes, nil
}

// cutHeads takes the heads, behind their length, off what was packed.
func cutHeads(data []byte, decode func([]byte, any) error) (heads []nodeHead, rest []byte, err error) {
	length, size := binary.Uvarint(data)
	if size <= 0 || length > uint64(len(data)-size) {
		return nil, nil, errDamagedLayer
	}
	end := size + int(length)
	if err := decode(data[size:end], &heads); err != nil {
		return nil, nil, fmt.Errorf("damaged item: %w", err)
	}
	return heads, data[end:], nil
}

func cutText(texts []byte, size int) (text jsontext.Value, rest []byte, err error) {
	if size < 0 || size > len(texts) {
		return nil, nil, errDamagedLayer
	}
	return jsontext.Value(texts[:size:size]), texts[size:], nil
}

// decodeNodes decodes a list of nodes.
func decodeNodes(packed []byte) ([]*Node, error) {
	var nodes []*Node
	if err := frame.Decode(packed, &nodes); err != nil {
		return nil, err
	}
	if slices.Contains(nodes, nil) {
		return nil, errors.New("damaged item: a node is null")
	}
	return nodes, nil
}
