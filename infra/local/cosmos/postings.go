package cosmos

import (
	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// postings are the items of one logical partition that hold a text at an indexed path, by the term of both. A query
// whose filter asks for texts looks at these alone: a sieve, for two texts may share a term, and the filter still
// decides. It saves this server's time and nothing else; what a query costs is charge.go's.
type postings map[term]*posting

// posting is the items of one term. Those that were replaced or deleted are left in it until they are half of it.
type posting struct {
	items []*item
	gone  int
}

func (p postings) addItem(it *item) {
	for _, t := range it.terms {
		if p[t] == nil {
			p[t] = &posting{}
		}
		p[t].items = append(p[t].items, it)
	}
}

// dropItem counts an item, marked gone, in the postings of its terms, and rebuilds those that are half gone.
func (p postings) dropItem(it *item) {
	for _, t := range it.terms {
		of := p[t]
		if of == nil {
			continue
		}
		if of.gone++; 2*of.gone < len(of.items) {
			continue
		}
		kept := of.items[:0]
		for _, other := range of.items {
			if !other.gone {
				kept = append(kept, other)
			}
		}
		clear(of.items[len(kept):])
		if of.items, of.gone = kept, 0; len(kept) == 0 {
			delete(p, t)
		}
	}
}

// loadPostings is the partition's postings, made when they are first asked for: most partitions never are.
func (p *partition) loadPostings() postings {
	if p.postings == nil {
		p.postings = postings{}
		for _, it := range p.items {
			p.postings.addItem(it)
		}
	}
	return p.postings
}

// itemsWithText are the items that have a text at a path; ok is false when the path is not indexed.
func (p *partition) itemsWithText(ix *index, at sql.Path, text string) (found map[*item]bool, ok bool) {
	if !ix.coversPath(at) {
		return nil, false
	}
	found = map[*item]bool{}
	if of := p.loadPostings()[hashTerm(at, text)]; of != nil {
		for _, it := range of.items {
			if !it.gone {
				found[it] = true
			}
		}
	}
	return found, true
}
