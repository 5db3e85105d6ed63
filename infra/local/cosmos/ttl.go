package cosmos

import (
	"math"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// checkTTL refuses times to live that mean nothing: -1 is never, and anything else is at least a second.
// Source: learn.microsoft.com/azure/cosmos-db/nosql/time-to-live.
func checkTTL(ttl *int) error {
	if ttl != nil && *ttl != -1 && *ttl < 1 {
		return refuseBadRequest("a time to live of %d is neither -1 nor positive", *ttl)
	}
	return nil
}

// checkItemTTL is the same for the item's own ttl, which must be a whole number.
func checkItemTTL(d *document) error {
	switch v := d.valueAt(sql.Path{"ttl"}).(type) {
	case sql.Undefined, nil:
		return nil
	case float64:
		if v == -1 || v >= 1 && v == math.Trunc(v) && v <= math.MaxInt32 {
			return nil
		}
	}
	return refuseBadRequest("The input ttl is invalid: it is a whole number of seconds above zero, or -1")
}

// expiring is a heap of the items that expire, the next one first; items that are gone may still be in it.
type expiring []*item

func (e expiring) Len() int { return len(e) }

func (e expiring) Less(i, j int) bool { return e[i].expires.Before(e[j].expires) }

func (e expiring) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *expiring) Push(x any) { *e = append(*e, x.(*item)) }

func (e *expiring) Pop() any {
	last := len(*e) - 1
	it := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return it
}
