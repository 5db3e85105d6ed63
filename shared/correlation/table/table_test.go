package table

import (
	"slices"
	"testing"
)

func TestTable(t *testing.T) {
	var tab Table[int]
	one, two, other := 1, 2, 9
	if _, known := tab.Lookup("a"); known {
		t.Error("an empty table knows a name")
	}
	if !tab.Load("a", &one) || tab.Load("a", &other) || *tab.Get("a") != 1 {
		t.Error("what is at hand does not stay when it is loaded again")
	}
	tab.LoadAbsent([]string{"a", "b"})
	if r, known := tab.Lookup("b"); r != nil || !known || tab.Get("a") == nil {
		t.Error("an absent name is not known as such, or replaced a record")
	}
	if !tab.Load("b", &two) {
		t.Error("what was absent cannot be loaded once it is there")
	}
	tab.Change("c", &other)
	tab.Change("a", &one)
	tab.Change("c", &other)
	if got := tab.TakeChanged(); !slices.Equal(got, []int{9, 1}) || tab.Len() != 3 {
		t.Errorf("changed %v of %d, want each once, in the order of the first change", got, tab.Len())
	}
	if got := tab.TakeChanged(); len(got) != 0 {
		t.Errorf("changed once more: %v", got)
	}
}
