package cosmos

import (
	"strconv"
	"testing"
)

// What is asked for all the time stays, however much else comes by, and what is remembered has a bound.
func TestRecentKeepsWhatIsAskedFor(t *testing.T) {
	r := newRecent[int](100)
	r.put("hot", 1)
	for i := range 10_000 {
		r.put(strconv.Itoa(i), i)
		if i%20 == 0 {
			if v, known := r.get("hot"); !known || v != 1 {
				t.Fatalf("forgotten after %d", i)
			}
		}
		if n := len(r.young) + len(r.old); n > 100 {
			t.Fatalf("%d are remembered", n)
		}
	}
	if _, known := r.get("0"); known {
		t.Error("nothing is forgotten")
	}
}

func TestRecentIsCopied(t *testing.T) {
	r := newRecent[int](4)
	r.put("a", 1)
	next := r.withAll(map[string]int{"a": 2, "b": 3, "c": 4})
	if v, _ := next.get("a"); v != 2 {
		t.Errorf("a is %d", v)
	}
	if v, _ := r.get("a"); v != 1 {
		t.Errorf("a was %d", v)
	}
	if _, known := r.get("b"); known {
		t.Error("the copied one knows more")
	}
}
