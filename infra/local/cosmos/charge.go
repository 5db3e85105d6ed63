package cosmos

// What an operation costs, in request units. Two pages of the service's documentation give figures; where they differ,
// the dearer one counts, so that a cost measured here is not flattering:
//
//	(a) learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption
//	    (a1) a table of read and write by document size, 1 KB to 2 MB: sizes below
//	    (a2) create = write(size) + 0.2 × terms
//	    (a3) replace = write(old) + write(new) + 0.2 × terms removed + 0.2 × terms added
//	    (a4) patch = replace + 0.4 × properties patched
//	    (a5) delete = write(old) + 0.2 × terms
//	    (a6) a feed costs what reading its documents one by one costs
//	(b) learn.microsoft.com/azure/cosmos-db/optimize-cost-reads-writes
//	    (b1) read 1 RU at 1 KB, 10 RU at 100 KB; write 5 and 50
//	    (b2) queries are not given as a formula, only what they depend on
//
// read(size) = max(table (a1), line through (b1)), write(size) likewise, sizes between two rows in proportion, nothing
// below 1 KB. The size is that of the stored JSON with the service's own properties.
//
// Ours, for want of a published rule: a query costs queryBase for each page and each physical partition it visits, and
// what reading the documents costs that it must load: those that match, when every property the filter names is
// indexed; all of the partition otherwise. An aggregate that the index answers loads nothing. What is refused costs the
// read of what was found, at least 1. A batch costs the sum of its operations.
const (
	termCharge    = 0.2
	patchCharge   = 0.4
	queryBase     = 2.3 // the least that queries are seen to cost
	refusedCharge = 1.0
	controlCharge = 1.0
)

// sizes are the rows of (a1): KB, read, write.
var sizes = [...]struct{ kb, read, write float64 }{
	{1, 1, 4.95}, {2, 1.04, 6.29}, {4, 1.14, 6.67}, {8, 1.33, 7.04}, {16, 1.67, 9.52}, {32, 2.19, 11.23},
	{64, 4.76, 22.67}, {128, 9.95, 48.19}, {256, 20.28, 98.29}, {512, 40.95, 184.57}, {1024, 145.90, 625}, {2048, 291.80, 1250},
}

// ReadCharge is what a point read of an item of that many bytes costs, in request units.
func ReadCharge(bytes int64) float64 {
	kb := max(1, float64(bytes)/1024)
	read, _ := chargeRow(kb)
	return max(read, 1+(kb-1)*9/99)
}

// WriteCharge is what writing or deleting an item of that many bytes costs, in request units, index terms apart.
func WriteCharge(bytes int64) float64 {
	kb := max(1, float64(bytes)/1024)
	_, write := chargeRow(kb)
	return max(write, 5+(kb-1)*45/99)
}

// chargeRow reads (a1) between its rows, and beyond the last one along the line of the last two.
func chargeRow(kb float64) (read, write float64) {
	i := 1
	for i < len(sizes)-1 && kb > sizes[i].kb {
		i++
	}
	lo, hi := sizes[i-1], sizes[i]
	f := (kb - lo.kb) / (hi.kb - lo.kb)
	return lo.read + f*(hi.read-lo.read), lo.write + f*(hi.write-lo.write)
}

// writeChargeOf is (a2), (a3) and (a5): old or new is nil for a create or delete.
func writeChargeOf(before, after *item) float64 {
	switch {
	case before == nil:
		return WriteCharge(after.storedSize()) + termCharge*float64(len(after.terms))
	case after == nil:
		return WriteCharge(before.storedSize()) + termCharge*float64(len(before.terms))
	}
	removed, added := countDifferences(before.terms, after.terms)
	return WriteCharge(before.storedSize()) + WriteCharge(after.storedSize()) + termCharge*float64(removed+added)
}

// storedSize is the size an item is charged and counted by.
func (it *item) storedSize() int64 { return it.size + int64(len(it.system)) }
