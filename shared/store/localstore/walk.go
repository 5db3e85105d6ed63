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

// visitFunc is told a row and its head, which is good until it returns. It returns false to end the walk.
type visitFunc func(at place, head []byte) (more bool, err error)

// timeRange is a range of times, both ends included; a zero end is open.
type timeRange struct{ from, to time.Time }

// walkByCreation walks a row table by creation.
func (v *view) walkByCreation(table byte, within timeRange, asc bool, do visitFunc) error {
	return v.walkByTime(table, within, asc, func(at uint64, id string, head []byte) (bool, error) {
		return do(place{id, at}, head)
	})
}

// walkByUpdate walks a row table by its index of update times.
func (v *view) walkByUpdate(table byte, within timeRange, asc bool, do visitFunc) error {
	return v.walkByTime(updateIndexOf(table), within, asc, func(_ uint64, id string, created []byte) (bool, error) {
		return v.visitRow(table, place{id, datadir.Uint(created)}, do)
	})
}

// walkPlaces walks rows whose places are known.
func (v *view) walkPlaces(table byte, places []place, do visitFunc) error {
	for _, at := range places {
		if more, err := v.visitRow(table, at, do); err != nil || !more {
			return err
		}
	}
	return nil
}

func (v *view) visitRow(table byte, at place, do visitFunc) (bool, error) {
	head, closer, err := v.Get(timeKey(table, v.tenant, at.created, at.id))
	if err != nil {
		return false, err
	}
	more, err := do(at, head)
	return more, errors.Join(err, closer.Close())
}

// walkByTime goes through a table ordered by time, newest first or, with asc, oldest first; rows of one moment come in the
// order of their ids either way.
func (v *view) walkByTime(table byte, within timeRange, asc bool, do func(at uint64, id string, value []byte) (bool, error)) error {
	prefix := datadir.Key(table, v.tenant)
	it, err := v.NewIter(within.iterOptions(prefix))
	if err != nil {
		return err
	}
	c := &timeCursor{Iterator: it, skip: len(prefix)}
	if asc {
		err = c.oldestFirst(do)
	} else {
		for ok := it.First(); ok && err == nil; ok = ok && it.Next() {
			ok, err = do(c.keyTime(), c.keyID(), it.Value())
		}
	}
	return errors.Join(err, it.Close())
}

// timeCursor reads keys of a table ordered by time.
type timeCursor struct {
	*pebble.Iterator
	skip int // length of table and tenant
}

func (c *timeCursor) keyTime() uint64 { return ^datadir.Uint(c.Key()[c.skip : c.skip+8]) }
func (c *timeCursor) keyID() string   { return string(c.Key()[c.skip+8:]) }

// oldestFirst walks backwards, except among the rows of one moment.
func (c *timeCursor) oldestFirst(do func(at uint64, id string, value []byte) (bool, error)) error {
	for ok := c.Last(); ok; {
		at, id, value := c.keyTime(), c.keyID(), slices.Clone(c.Value())
		if ok = c.Prev(); !ok || c.keyTime() != at { // alone at its moment, as most are
			if more, err := do(at, id, value); err != nil || !more {
				return err
			}
			continue
		}
		moment := datadir.AppendUint(slices.Clone(c.Key()[:c.skip]), ^at)
		for same := c.SeekGE(moment); same && c.keyTime() == at; same = c.Next() {
			if more, err := do(at, c.keyID(), c.Value()); err != nil || !more {
				return err
			}
		}
		ok = c.SeekLT(moment)
	}
	return nil
}
