package cosmos

import (
	"container/heap"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// container is a container with its items and the log of their changes.
type container struct {
	resource
	Container
	index      *index
	partitions map[string]*partition // by key, canonical JSON
	log        []*item               // by lsn; what was replaced or deleted is marked gone
	gone       int                   // in log
	expiring   expiring
	lsn        int64
	ranges     []keyRange
}

// partitionOf finds or makes the logical partition of a key.
func (c *container) partitionOf(k key) *partition {
	p := c.partitions[k.text]
	if p == nil {
		p = &partition{key: k, items: map[string]*item{}, unique: map[string]string{}}
		c.partitions[k.text] = p
	}
	return p
}

// keyOfItem reads the partition key from an item's own properties.
func (c *container) keyOfItem(d *document) (key, error) {
	parts := make([]any, len(c.PartitionKey.Paths))
	for i, p := range c.PartitionKey.Paths {
		path, err := parsePath(p)
		if err != nil {
			return key{}, err
		}
		switch v := d.valueAt(path).(type) {
		case map[string]any, []any:
			return key{}, refuseBadRequest("the value at partition key path %s is neither text, number, boolean nor null", p)
		default:
			parts[i] = v
		}
	}
	return newKey(parts)
}

// uniqueKeys are the values that no other item of the partition may have, as JSON. A missing property counts as null.
// Source: learn.microsoft.com/azure/cosmos-db/unique-keys.
func (c *container) uniqueKeys(it *item) []string {
	if c.UniqueKeyPolicy == nil {
		return nil
	}
	var out []string
	for n, u := range c.UniqueKeyPolicy.UniqueKeys {
		values := []any{n}
		for _, text := range u.Paths {
			p, err := parsePath(text)
			v := any(nil)
			if err == nil {
				v = it.valueAt(p)
			}
			if v == (sql.Undefined{}) {
				v = nil
			}
			values = append(values, v)
		}
		text, err := json.Marshal(values, json.Deterministic(true))
		if err == nil {
			out = append(out, string(text))
		}
	}
	return out
}

// dropItem removes an item from its partition. The log keeps it, marked gone, until more than half of the log is.
func (c *container) dropItem(p *partition, it *item) {
	it.gone = true
	delete(p.items, it.id)
	p.sorted.removeID(it.id)
	if p.postings != nil {
		p.postings.dropItem(it)
	}
	p.bytes -= it.storedSize()
	for _, k := range c.uniqueKeys(it) {
		delete(p.unique, k)
	}
	c.gone++
	if c.gone < 1024 || c.gone < len(c.log)/2 {
		return
	}
	kept := c.log[:0]
	for _, logged := range c.log {
		if !logged.gone {
			kept = append(kept, logged)
		}
	}
	clear(c.log[len(kept):])
	c.log, c.gone = kept, 0
}

// rangeNamed is the physical partition a request is for; 410 with the substatus that makes a client ask for the ranges
// again when there is no such one.
func (c *container) rangeNamed(id string) (keyRange, error) {
	for _, k := range c.ranges {
		if k.id == id {
			return k, nil
		}
	}
	return keyRange{}, newRefusal(http.StatusGone, "Gone", "there is no partition key range %q", id).withSubstatus(1002)
}

// searchedPartitions are the logical partitions a query looks into, and how many physical ones they lie in. A filter
// on the partition key does not narrow them, which charges such queries more than the service may.
func (c *container) searchedPartitions(one *partition, wanted func(key) bool) (list []*partition, visited int) {
	if one != nil {
		return []*partition{one}, 1
	}
	for _, k := range c.ranges {
		if wanted(key{epk: k.min}) {
			visited++
		}
	}
	for _, p := range c.partitions {
		if wanted(p.key) {
			list = append(list, p)
		}
	}
	return list, visited
}

// changesSince reads the log after since. A page may be longer than its limit to keep a transaction whole.
func (c *container) changesSince(wanted func(key) bool, since int64, from time.Time, limit int) (page []*item, charge float64) {
	start, _ := slices.BinarySearchFunc(c.log, since+1, func(it *item, lsn int64) int { return int(it.lsn - lsn) })
	for _, it := range c.log[start:] {
		if len(page) >= limit && it.lsn != page[len(page)-1].lsn {
			break
		}
		if it.gone || it.ts < from.Unix() || !wanted(it.key) {
			continue
		}
		page = append(page, it)
		charge += ReadCharge(it.storedSize())
	}
	return page, max(charge, refusedCharge)
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

// expireItems takes away what has outlived its time. The service hides expired items at once and deletes them with
// request units that nobody else wants, so this costs nothing here.
func (c *container) expireItems(now time.Time) {
	for len(c.expiring) > 0 && !c.expiring[0].expires.After(now) {
		it := heap.Pop(&c.expiring).(*item)
		if !it.gone {
			c.dropItem(c.partitionOf(it.key), it)
		}
	}
}
