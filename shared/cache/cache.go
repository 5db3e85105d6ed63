// Package cache remembers values within a budget: those that were used last.
package cache

import (
	"container/list"
	"sync"
)

// LRU maps keys to values until their costs exceed a limit; then those that were not used for the longest go. The
// value put last stays, whatever it costs. It is safe for concurrent use.
type LRU[K comparable, V any] struct {
	limit int64
	cost  func(V) int64

	mu     sync.Mutex
	total  int64
	places map[K]*list.Element
	order  *list.List // of entries, the one used last in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// New returns an empty LRU. Limit has the unit of cost, bytes as a rule; cost must give the same for a value every
// time.
func New[K comparable, V any](limit int64, cost func(V) int64) *LRU[K, V] {
	return &LRU[K, V]{limit: limit, cost: cost, places: map[K]*list.Element{}, order: list.New()}
}

// One is the cost of every value in an LRU whose limit is a number of values.
func One[V any](V) int64 { return 1 }

// Get returns the value of a key, and whether there is one.
func (c *LRU[K, V]) Get(key K) (value V, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place := c.places[key]
	if place == nil {
		return value, false
	}
	c.order.MoveToFront(place)
	return place.Value.(entry[K, V]).value, true
}

// Put sets the value of a key.
func (c *LRU[K, V]) Put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putEntry(entry[K, V]{key, value})
}

func (c *LRU[K, V]) putEntry(e entry[K, V]) {
	if place := c.places[e.key]; place != nil {
		c.removePlace(place)
	}
	c.places[e.key] = c.order.PushFront(e)
	c.total += c.cost(e.value)
	for c.total > c.limit && c.order.Len() > 1 {
		c.removePlace(c.order.Back())
	}
}

func (c *LRU[K, V]) removePlace(place *list.Element) {
	old := c.order.Remove(place).(entry[K, V])
	delete(c.places, old.key)
	c.total -= c.cost(old.value)
}

// Clone returns an LRU with the same values in the same order, which may become different ones.
func (c *LRU[K, V]) Clone() *LRU[K, V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	clone := New[K](c.limit, c.cost)
	for place := c.order.Back(); place != nil; place = place.Prev() {
		clone.putEntry(place.Value.(entry[K, V]))
	}
	return clone
}
