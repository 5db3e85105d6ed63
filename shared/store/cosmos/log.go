package cosmos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// A commit touches the same few hundred nodes as those before it, and changes little in each. So of a node that is in the
// log already, a commit's blob holds what changed since: a quarter of the bytes, and hardly more when a node has gathered
// all that it may.
//
//	frame of: layerForm ─ length of heads ─ heads, JSON ─ texts and deltas, one after the other

// nodesForm begins such a blob; those of before are a list in JSON.
const nodesForm = 1

// nodeHead is a node of a commit but for its text.
type nodeHead struct {
	node
	// BaseCommit is the commit of the log whose text of this node the delta is about; 0 when the text is here.
	BaseCommit uint64 `json:"b,omitzero"`
	Size       int    `json:"z"` // bytes of the text or delta
}

// deltaSpan is how long after the first commit of a log others may lean on it. Blobs expire nodesTTL after they were written:
// whatever is young enough to be of use has all that it leans on.
const deltaSpan = 3 * 24 * time.Hour

// encodeNodes encodes a commit's nodes.
func (v *view) encodeNodes(nodes []*node, now time.Time) ([]byte, error) {
	heads, texts := make([]nodeHead, len(nodes)), []byte(nil)
	lean := len(v.log) > 0 && now.Sub(time.Unix(v.manifest.LogSince, 0)) < deltaSpan
	for i, n := range nodes {
		text := []byte(n.JSON)
		heads[i].node = *n
		heads[i].JSON = nil
		if lean {
			if base, version := v.newestInLog(n.Key); base != nil {
				if d := encodeDelta(base.JSON, text); len(d) < len(text) {
					heads[i].BaseCommit, text = version, d
				}
			}
		}
		heads[i].Size = len(text)
		texts = append(texts, text...)
	}
	top, err := json.Marshal(heads, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	plain := append(binary.AppendUvarint([]byte{nodesForm}, uint64(len(top))), top...)
	plain = append(plain, texts...)
	return frameEncoder().EncodeAll(plain, make([]byte, 0, len(plain)/4)), nil
}

// newestInLog is the latest version of a node in the log, and whose it is.
func (v *view) newestInLog(key string) (*node, uint64) {
	for i := len(v.log) - 1; i >= 0; i-- {
		if n := v.log[i].nodeByKey(key); n != nil {
			return n, v.log[i].item.V
		}
	}
	return nil, 0
}

// nodeByKey is one of those a commit wrote; nil as well while they have not been read.
func (l *logEntry) nodeByKey(key string) *node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes[key]
}

// openLog reads the nodes of those commits of the log that somebody else made.
func (s *Store) openLog(ctx context.Context, t *tenant, v *view) error {
	packed := make([][]byte, len(v.log))
	err := each(ctx, len(v.log), func(ctx context.Context, i int) (err error) {
		if l := v.log[i]; !l.isOpened() && l.item.Nodes != nil && !s.isPastDeltas(l.item.At) {
			packed[i], err = s.getBlob(ctx, s.blobs, t.name, *l.item.Nodes)
		}
		if err != nil {
			return fmt.Errorf("nodes of commit %d: %w", v.log[i].item.V, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	by := map[uint64]*logEntry{}
	for i, l := range v.log {
		if err := s.openLogEntry(l, packed[i], by); err != nil {
			return fmt.Errorf("nodes of commit %d: %w", l.item.V, err)
		}
		by[l.item.V] = l
	}
	return nil
}

// isPastDeltas says that not even what leans on blobs of that time is of use any more.
func (s *Store) isPastDeltas(at int64) bool {
	return s.opts.Now().Sub(time.Unix(at, 0)) > maxBlobAge+deltaSpan
}

func (l *logEntry) isOpened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes != nil
}

// openLogEntry decodes a commit's nodes, which lean on earlier ones.
func (s *Store) openLogEntry(l *logEntry, packed []byte, earlier map[uint64]*logEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		return nil
	}
	nodes := map[string]*node{}
	if len(packed) > 0 {
		all, err := decodeNodes(packed, func(version uint64, key string) *node {
			if base := earlier[version]; base != nil {
				return base.nodeByKey(key)
			}
			return nil
		})
		if err != nil && !(errors.Is(err, errNoBase) && s.isPastUse(l.item.At)) {
			return err
		}
		for _, n := range all {
			nodes[n.Key] = n
		}
	}
	l.nodes = nodes
	return nil
}

var errNoBase = errors.New("damaged item: what a node leans on is not there")

// decodeNodes decodes what packLayer made, or a list of nodes. base finds what a delta is about.
func decodeNodes(packed []byte, base func(version uint64, key string) *node) ([]*node, error) {
	plain, err := frameDecoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	if len(plain) == 0 || plain[0] != nodesForm {
		return unpackNodes(packed)
	}
	length, size := binary.Uvarint(plain[1:])
	if size <= 0 || length > uint64(len(plain)-1-size) {
		return nil, errDelta
	}
	top, texts := plain[1+size:1+size+int(length)], plain[1+size+int(length):]
	var heads []nodeHead
	if err := json.Unmarshal(top, &heads); err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	out := make([]*node, 0, len(heads))
	for i := range heads {
		h := &heads[i]
		if h.Size < 0 || h.Size > len(texts) {
			return nil, errDelta
		}
		h.JSON, texts = jsontext.Value(texts[:h.Size:h.Size]), texts[h.Size:]
		if h.BaseCommit != 0 {
			b := base(h.BaseCommit, h.Key)
			if b == nil {
				return nil, errNoBase
			}
			if h.JSON, err = applyDelta(b.JSON, h.JSON, maxNode); err != nil {
				return nil, err
			}
		}
		out = append(out, &h.node)
	}
	return out, nil
}

// maxNode bounds a node's text: a hundred times what a full one has.
const maxNode = 4 << 20
