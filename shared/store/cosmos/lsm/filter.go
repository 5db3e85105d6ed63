package lsm

import "math"

// bloomFilter says which hashes are surely not in a run: a Bloom filter with 12 bits for each key, wrong for one in
// 300.
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
