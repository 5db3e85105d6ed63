package cosmos

import (
	"container/heap"
	"math"
	"time"

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

// expiryOf is when an item goes: its own ttl or the container's, counted from its last write; never while the container
// has no time to live at all, whatever the item says.
func (c *container) expiryOf(it *item) time.Time {
	if c.DefaultTTL == nil {
		return time.Time{}
	}
	seconds := *c.DefaultTTL
	if own, ok := it.valueAt(sql.Path{"ttl"}).(float64); ok {
		seconds = int(own)
	}
	if seconds < 0 {
		return time.Time{}
	}
	return time.Unix(it.ts+int64(seconds), 0)
}

// expireItems takes away what has outlived its time. The service hides expired items at once and deletes them with request
// units that nobody else wants, so this costs nothing here.
func (c *container) expireItems(now time.Time) {
	for len(c.expiring) > 0 && !c.expiring[0].expires.After(now) {
		it := heap.Pop(&c.expiring).(*item)
		if !it.gone {
			c.dropItem(c.partitionOf(it.key), it)
		}
	}
}

// expiring is a heap of the items that will expire, the next one first. Some may be gone already.
type expiring []*item

func (e expiring) Len() int           { return len(e) }
func (e expiring) Less(i, j int) bool { return e[i].expires.Before(e[j].expires) }
func (e expiring) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiring) Push(x any)        { *e = append(*e, x.(*item)) }
func (e *expiring) Pop() any {
	last := len(*e) - 1
	it := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return it
}
