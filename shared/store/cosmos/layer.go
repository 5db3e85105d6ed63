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
// tail already, a commit's blob holds what changed since: a quarter of the bytes, and hardly more when a node has gathered
// all that it may.
//
//	frame of: layerForm ─ length of heads ─ heads, JSON ─ texts and deltas, one after the other

// layerForm begins such a blob; those of before are a list in JSON.
const layerForm = 1

// nodeHead is a node of a commit but for its text.
type nodeHead struct {
	node
	// Base is the commit of the tail whose text of this node the delta is about; 0 when the text is here.
	Base uint64 `json:"b,omitzero"`
	Size int    `json:"z"` // bytes of the text or delta
}

// closeBy is how long after the first commit of a tail others may lean on it. Blobs expire nodesTTL after they were written:
// whatever is young enough to be of use has all that it leans on.
const closeBy = 3 * 24 * time.Hour

// packLayer encodes a commit's nodes.
func (v *view) packLayer(nodes []*node, now time.Time) ([]byte, error) {
	heads, texts := make([]nodeHead, len(nodes)), []byte(nil)
	lean := len(v.tail) > 0 && now.Sub(time.Unix(v.root.Since, 0)) < closeBy
	for i, n := range nodes {
		text := []byte(n.JSON)
		heads[i].node = *n
		heads[i].JSON = nil
		if lean {
			if base, version := v.newest(n.Key); base != nil {
				if d := delta(base.JSON, text); len(d) < len(text) {
					heads[i].Base, text = version, d
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
	plain := append(binary.AppendUvarint([]byte{layerForm}, uint64(len(top))), top...)
	plain = append(plain, texts...)
	return encoder().EncodeAll(plain, make([]byte, 0, len(plain)/4)), nil
}

// newest is the latest version of a node in the tail, and whose it is.
func (v *view) newest(key string) (*node, uint64) {
	for i := len(v.tail) - 1; i >= 0; i-- {
		if n := v.tail[i].node(key); n != nil {
			return n, v.tail[i].item.V
		}
	}
	return nil, 0
}

// node is one of those a commit wrote; nil as well while they have not been read.
func (l *layer) node(key string) *node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes[key]
}

// openLayers reads the nodes of those commits of the tail that somebody else made.
func (s *Store) openLayers(ctx context.Context, t *tenant, v *view) error {
	packed := make([][]byte, len(v.tail))
	err := each(ctx, len(v.tail), func(ctx context.Context, i int) (err error) {
		if l := v.tail[i]; !l.opened() && l.item.Nodes != nil && !s.lost(l.item.At) {
			packed[i], err = s.get(ctx, s.blobs, t.name, *l.item.Nodes)
		}
		if err != nil {
			return fmt.Errorf("nodes of commit %d: %w", v.tail[i].item.V, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	by := map[uint64]*layer{}
	for i, l := range v.tail {
		if err := s.openLayer(l, packed[i], by); err != nil {
			return fmt.Errorf("nodes of commit %d: %w", l.item.V, err)
		}
		by[l.item.V] = l
	}
	return nil
}

// lost says that not even what leans on blobs of that time is of use any more.
func (s *Store) lost(at int64) bool { return s.opts.Now().Sub(time.Unix(at, 0)) > useless+closeBy }

func (l *layer) opened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes != nil
}

// openLayer decodes a commit's nodes, which lean on earlier ones.
func (s *Store) openLayer(l *layer, packed []byte, earlier map[uint64]*layer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		return nil
	}
	nodes := map[string]*node{}
	if len(packed) > 0 {
		all, err := unpackLayer(packed, func(version uint64, key string) *node {
			if base := earlier[version]; base != nil {
				return base.node(key)
			}
			return nil
		})
		if err != nil && !(errors.Is(err, errNoBase) && s.gone(l.item.At)) {
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

// unpackLayer decodes what packLayer made, or a list of nodes. base finds what a delta is about.
func unpackLayer(packed []byte, base func(version uint64, key string) *node) ([]*node, error) {
	plain, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	if len(plain) == 0 || plain[0] != layerForm {
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
		if h.Base != 0 {
			b := base(h.Base, h.Key)
			if b == nil {
				return nil, errNoBase
			}
			if h.JSON, err = patched(b.JSON, h.JSON, maxNode); err != nil {
				return nil, err
			}
		}
		out = append(out, &h.node)
	}
	return out, nil
}

// maxNode bounds a node's text: a hundred times what a full one has.
const maxNode = 4 << 20
