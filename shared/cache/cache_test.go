package cache

import (
	"strconv"
	"testing"
)

func length(s string) int64 { return int64(len(s)) }

func TestUsedValuesStay(t *testing.T) {
	c := New[string](100, One[int])
	c.Put("hot", 1)
	for i := range 10_000 {
		c.Put(strconv.Itoa(i), i)
		if v, known := c.Get("hot"); !known || v != 1 {
			t.Fatalf("forgotten after %d", i)
		}
		if n := len(c.places); n > 100 || n != c.order.Len() || int64(n) != c.total {
			t.Fatalf("%d values in %d places cost %d", c.order.Len(), n, c.total)
		}
	}
	if _, known := c.Get("0"); known {
		t.Error("nothing is forgotten")
	}
}

func TestCostsAreWithinTheLimit(t *testing.T) {
	c := New[string](10, length)
	c.Put("a", "12345")
	c.Put("b", "12345")
	c.Put("b", "1")
	c.Put("c", "1234")
	if _, known := c.Get("a"); !known || c.total != 10 {
		t.Errorf("a is known: %v, all cost %d", known, c.total)
	}
	c.Put("d", "longer than the limit")
	if v, _ := c.Get("d"); v == "" || len(c.places) != 1 {
		t.Errorf("%q, beside %d others", v, len(c.places)-1)
	}
}

func TestClonesGoTheirOwnWay(t *testing.T) {
	c := New[string](3, One[int])
	c.Put("a", 1)
	c.Put("b", 2)
	next := c.Clone()
	next.Put("a", 3)
	next.Put("c", 4)
	next.Put("d", 5) // b was used before a
	if v, _ := c.Get("a"); v != 1 {
		t.Errorf("a was %d", v)
	}
	if _, known := c.Get("c"); known {
		t.Error("the original knows more")
	}
	if v, _ := next.Get("a"); v != 3 {
		t.Errorf("a is %d", v)
	}
	if _, known := next.Get("b"); known {
		t.Error("the clone forgot the order")
	}
}
