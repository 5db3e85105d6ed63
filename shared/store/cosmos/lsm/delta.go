package lsm

import (
	"encoding/binary"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/store/cosmos/frame"
)

// Layers of versions before form 3 are read, never written. They are a frame of either a list of nodes, or of
// oldForm, heads and texts as today, in which the text of a node with a base is a delta: steps, each of them how
// many bytes follow that are new, those bytes, how many bytes of the base's text come after them, and where these
// begin.
//
//	{ uvarint new ─ bytes ─ uvarint copied ─ uvarint from }
const oldForm = 1

// maxNode bounds a node's text in bytes: a hundred times what a full one has.
const maxNode = 4 << 20

func decodeOldLayer(packed []byte, base func(version uint64, key string) *Node) ([]*Node, error) {
	plain, err := frame.Decompress(packed, nil)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 || plain[0] != oldForm {
		return decodeNodes(packed)
	}
	heads, texts, err := cutHeads(plain[1:], func(head []byte, v any) error { return json.Unmarshal(head, v) })
	if err != nil {
		return nil, err
	}
	nodes := make([]*Node, 0, len(heads))
	for i := range heads {
		h := &heads[i]
		if h.JSON, texts, err = cutText(texts, h.Size); err != nil {
			return nil, err
		}
		if h.Base != 0 {
			b := base(h.Base, h.Key)
			if b == nil {
				return nil, errNoBase
			}
			if h.JSON, err = applyDelta(b.JSON, h.JSON, maxNode); err != nil {
				return nil, err
			}
		}
		nodes = append(nodes, &h.Node)
	}
	return nodes, nil
}

// applyDelta makes a text again. What does not fit base, or would have more than limit bytes, is an error.
func applyDelta(base, delta []byte, limit int) ([]byte, error) {
	var out []byte
	number := func() (n int, ok bool) {
		v, size := binary.Uvarint(delta)
		if size <= 0 || v > uint64(limit) {
			return 0, false
		}
		delta = delta[size:]
		return int(v), true
	}
	for len(delta) > 0 {
		fresh, ok := number()
		if !ok || fresh > len(delta) || len(out)+fresh > limit {
			return nil, errDamagedLayer
		}
		out, delta = append(out, delta[:fresh]...), delta[fresh:]
		copied, ok := number()
		from, ok2 := number()
		if !ok || !ok2 || from > len(base) || copied > len(base)-from || len(out)+copied > limit {
			return nil, errDamagedLayer
		}
		out = append(out, base[from:from+copied]...)
	}
	return out, nil
}
