package cosmos

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A node that is touched again is mostly what it was: it is written as what changed. A delta is steps, each of them how many
// bytes follow that are new, those bytes, how many bytes of the old text come after them, and where these begin:
//
//	{ uvarint new ─ bytes ─ uvarint copied ─ uvarint from }

// minCopy is the least worth copying: a step takes three to five bytes. It is what places tells apart.
const minCopy = 12

// encodeDelta says how to make text out of base.
func encodeDelta(base, text []byte) []byte {
	known := newOffsetTable(base)
	var out []byte
	fresh := 0 // where the bytes begin that are not yet told
	for at := 0; at < len(text); {
		from, length := known.longestMatch(base, text, at)
		if length < minCopy {
			at++
			continue
		}
		out = appendStep(out, text[fresh:at], length, from)
		at += length
		fresh = at
	}
	if fresh < len(text) {
		out = appendStep(out, text[fresh:], 0, 0)
	}
	return out
}

// offsetTable are where a text's parts of minCopy bytes begin, by their hash; of two with one hash the first.
type offsetTable struct {
	at    []int32 // and one
	shift int
}

func newOffsetTable(text []byte) offsetTable {
	size := bits.Len(uint(len(text)))
	p := offsetTable{make([]int32, 1<<size), 64 - size}
	for i := len(text) - minCopy; i >= 0; i-- {
		p.at[p.slotOf(text[i:])] = int32(i + 1)
	}
	return p
}

func (p offsetTable) slotOf(b []byte) uint64 {
	h := binary.LittleEndian.Uint64(b)*0x9E3779B97F4A7C15 ^ uint64(binary.LittleEndian.Uint32(b[8:]))*0xC2B2AE3D27D4EB4F
	return h * 0x9E3779B97F4A7C15 >> p.shift
}

// longestMatch finds what of base goes on as text does at a place.
func (p offsetTable) longestMatch(base, text []byte, at int) (from, length int) {
	if len(text)-at < minCopy {
		return 0, 0
	}
	from = int(p.at[p.slotOf(text[at:])]) - 1
	if from < 0 {
		return 0, 0
	}
	for from+length < len(base) && at+length < len(text) && base[from+length] == text[at+length] {
		length++
	}
	return from, length
}

func appendStep(out, fresh []byte, copied, from int) []byte {
	out = binary.AppendUvarint(out, uint64(len(fresh)))
	out = append(out, fresh...)
	out = binary.AppendUvarint(out, uint64(copied))
	return binary.AppendUvarint(out, uint64(from))
}

var errDelta = errors.New("damaged item: a delta does not fit")

// applyDelta makes the text again. What does not fit base, or would have more than most bytes, is an error.
func applyDelta(base, delta []byte, most int) ([]byte, error) {
	var out []byte
	number := func() (n int, ok bool) {
		v, size := binary.Uvarint(delta)
		if size <= 0 || v > uint64(most) {
			return 0, false
		}
		delta = delta[size:]
		return int(v), true
	}
	for len(delta) > 0 {
		fresh, ok := number()
		if !ok || fresh > len(delta) || len(out)+fresh > most {
			return nil, errDelta
		}
		out, delta = append(out, delta[:fresh]...), delta[fresh:]
		copied, ok := number()
		from, ok2 := number()
		if !ok || !ok2 || from > len(base) || copied > len(base)-from || len(out)+copied > most {
			return nil, errDelta
		}
		out = append(out, base[from:from+copied]...)
	}
	return out, nil
}
