package localstore

import (
	"errors"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
)

// place is where a row is: what its key says.
type place struct {
	id      string
	created uint64
}

// visit is told a row and its head, which is good until it returns. It returns false to end the walk.
type visit func(at place, head []byte) (more bool, err error)

// span is a range of times, both ends included; a zero end is open.
type span struct{ from, to time.Time }

// rows walks a row table by creation.
func (v *view) rows(table byte, within span, asc bool, do visit) error {
	return v.walk(table, within, asc, func(at uint64, id string, head []byte) (bool, error) {
		return do(place{id, at}, head)
	})
}

// byUpdate walks a row table by its index of update times.
func (v *view) byUpdate(table byte, within span, asc bool, do visit) error {
	return v.walk(updatedOf(table), within, asc, func(_ uint64, id string, created []byte) (bool, error) {
		return v.visit(table, place{id, datadir.Uint(created)}, do)
	})
}

// each walks rows whose places are known.
func (v *view) each(table byte, places []place, do visit) error {
	for _, at := range places {
		if more, err := v.visit(table, at, do); err != nil || !more {
			return err
		}
	}
	return nil
}

func (v *view) visit(table byte, at place, do visit) (bool, error) {
	head, closer, err := v.Get(byTime(table, v.tenant, at.created, at.id))
	if err != nil {
		return false, err
	}
	more, err := do(at, head)
	return more, errors.Join(err, closer.Close())
}

// walk goes through a table ordered by time, newest first or, with asc, oldest first; rows of one moment come in the
// order of their ids either way.
func (v *view) walk(table byte, within span, asc bool, do func(at uint64, id string, value []byte) (bool, error)) error {
	prefix := datadir.Key(table, v.tenant)
	it, err := v.NewIter(within.in(prefix))
	if err != nil {
		return err
	}
	c := &cursor{Iterator: it, skip: len(prefix)}
	if asc {
		err = c.oldestFirst(do)
	} else {
		for ok := it.First(); ok && err == nil; ok = ok && it.Next() {
			ok, err = do(c.at(), c.id(), it.Value())
		}
	}
	return errors.Join(err, it.Close())
}

// cursor reads keys of a table ordered by time.
type cursor struct {
	*pebble.Iterator
	skip int // length of table and tenant
}

func (c *cursor) at() uint64 { return ^datadir.Uint(c.Key()[c.skip : c.skip+8]) }
func (c *cursor) id() string { return string(c.Key()[c.skip+8:]) }

// oldestFirst walks backwards, except among the rows of one moment.
func (c *cursor) oldestFirst(do func(at uint64, id string, value []byte) (bool, error)) error {
	for ok := c.Last(); ok; {
		at, id, value := c.at(), c.id(), slices.Clone(c.Value())
		if ok = c.Prev(); !ok || c.at() != at { // alone at its moment, as most are
			if more, err := do(at, id, value); err != nil || !more {
				return err
			}
			continue
		}
		moment := datadir.AppendUint(slices.Clone(c.Key()[:c.skip]), ^at)
		for same := c.SeekGE(moment); same && c.at() == at; same = c.Next() {
			if more, err := do(at, c.id(), c.Value()); err != nil || !more {
				return err
			}
		}
		ok = c.SeekLT(moment)
	}
	return nil
}
