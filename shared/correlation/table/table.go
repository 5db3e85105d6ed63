// Package table keeps the records of one kind that a decision has at hand, and knows which of them changed.
package table

import "slices"

// Table holds records by name. A name that it knows without a record is known to be absent from the store; a name that
// it does not know must be loaded first. The zero Table is empty and ready. It is not safe for concurrent use.
type Table[R any] struct {
	records map[string]*R
	changed []string // names, in the order of their first change
	listed  map[string]bool
}

// Get returns the record by that name, nil when there is none or it was not loaded. Whoever changes it says so with
// Change.
func (t *Table[R]) Get(name string) *R { return t.records[name] }

// Lookup returns the record by that name, nil when there is none; known is false when it must be loaded first.
func (t *Table[R]) Lookup(name string) (record *R, known bool) {
	record, known = t.records[name]
	return record, known
}

// Change adds a record, or says that the one of that name changed.
func (t *Table[R]) Change(name string, record *R) {
	t.putRecord(name, record)
	if !t.listed[name] {
		if t.listed == nil {
			t.listed = map[string]bool{}
		}
		t.listed[name] = true
		t.changed = append(t.changed, name)
	}
}

// Load adds a record as the store has it, and reports whether it is new here: one that is at hand already stays.
func (t *Table[R]) Load(name string, record *R) bool {
	if t.records[name] != nil {
		return false
	}
	t.putRecord(name, record)
	return true
}

// LoadAbsent notes that the store has no record by those names, as far as none is at hand.
func (t *Table[R]) LoadAbsent(names []string) {
	for _, name := range names {
		if _, known := t.records[name]; !known {
			t.putRecord(name, nil)
		}
	}
}

func (t *Table[R]) putRecord(name string, record *R) {
	if t.records == nil {
		t.records = map[string]*R{}
	}
	t.records[name] = record
}

// Len is how many names are known, absent ones among them.
func (t *Table[R]) Len() int { return len(t.records) }

// TakeChanged returns what changed since the last call, in the order of the first change, and forgets that it did.
func (t *Table[R]) TakeChanged() []R {
	out := make([]R, 0, len(t.changed))
	for _, name := range t.changed {
		out = append(out, *t.records[name])
	}
	t.changed, t.listed = nil, nil
	return slices.Clip(out)
}
