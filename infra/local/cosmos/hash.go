package cosmos

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// effectiveKey is where a partition key lies on the ring of version 2: 32 hex digits for each part, the first digit of
// each 0 to 3. A client computes the same to find the range that holds an item, so it must agree to the bit.
// Source: package epk of azcosmos v1.5.0; TestReadManyItems holds the two against each other.
func effectiveKey(parts []any) string {
	var out strings.Builder
	for _, part := range parts {
		lo, hi := murmur3Sum(encodeKeyPart(part))
		sum := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, lo), hi)
		slices.Reverse(sum)
		sum[0] &= 0x3F
		fmt.Fprintf(&out, "%X", sum)
	}
	return out.String()
}

// encodeKeyPart writes one part as it is hashed: a type byte and the value.
func encodeKeyPart(part any) []byte {
	switch v := part.(type) {
	case nil:
		return []byte{1}
	case bool:
		if v {
			return []byte{3}
		}
		return []byte{2}
	case float64:
		return binary.LittleEndian.AppendUint64([]byte{5}, math.Float64bits(v))
	case string:
		return append(append([]byte{8}, v...), 0xFF)
	}
	return []byte{0} // undefined
}

// murmur3Sum is MurmurHash3 x64 128 with seed 0.
func murmur3Sum(data []byte) (uint64, uint64) {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	k1of := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	k2of := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	var h1, h2 uint64
	n := uint64(len(data))
	for ; len(data) >= 16; data = data[16:] {
		h1 ^= k1of(binary.LittleEndian.Uint64(data))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= k2of(binary.LittleEndian.Uint64(data[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], data)
	h2 ^= k2of(binary.LittleEndian.Uint64(tail[8:]))
	h1 ^= k1of(binary.LittleEndian.Uint64(tail[:]))
	h1, h2 = h1^n, h2^n
	h1 += h2
	h2 += h1
	h1, h2 = mixBits(h1), mixBits(h2)
	h1 += h2
	return h1, h2 + h1
}

func mixBits(v uint64) uint64 {
	v = (v ^ v>>33) * 0xff51afd7ed558ccd
	v = (v ^ v>>33) * 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}
