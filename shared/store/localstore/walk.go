package localstore

import (
	"bytes"
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

// iterOptions bounds a walk of a table ordered newest first.
func (s timeRange) iterOptions(prefix []byte) *pebble.IterOptions {
	o := &pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)}
	if !s.to.IsZero() {
		o.LowerBound = datadir.AppendUint(bytes.Clone(prefix), ^datadir.TimeKey(s.to))
	}
	if !s.from.IsZero() {
		o.UpperBound = datadir.AppendUint(bytes.Clone(prefix), ^datadir.TimeKey(s.from)+1)
	}
	return o
}

// rowTable is one of a tenant's row tables: heads in the order of creation, newest first.
type rowTable struct {
	*view
	table byte
}

// walkByCreation walks a row table by creation.
func (t rowTable) walkByCreation(within timeRange, asc bool, do visitFunc) error {
	return t.walkByTime(t.table, within, asc, func(at uint64, id string, head []byte) (bool, error) {
		return do(place{id, at}, head)
	})
}

// walkByUpdate walks a row table by its index of update times.
func (t rowTable) walkByUpdate(within timeRange, asc bool, do visitFunc) error {
	return t.walkByTime(updateIndexOf(t.table), within, asc, func(_ uint64, id string, created []byte) (bool, error) {
		return t.visitRow(place{id, datadir.TrailingUint(created)}, do)
	})
}

// walkPlaces walks rows whose places are known.
func (t rowTable) walkPlaces(places []place, do visitFunc) error {
	for _, at := range places {
		if more, err := t.visitRow(at, do); err != nil || !more {
			return err
		}
	}
	return nil
}

func (t rowTable) visitRow(at place, do visitFunc) (bool, error) {
	head, closer, err := t.Get(timeKey(t.table, t.tenant, at.created, at.id))
	if err != nil {
		return false, err
	}
	more, err := do(at, head)
	return more, errors.Join(err, closer.Close())
}

// walkGroups walks the rows of groups by creation, newest first.
func (t rowTable) walkGroups(groups []label, within timeRange, do visitFunc) (err error) {
	var heads []*timeCursor
	defer func() {
		for _, c := range heads {
			err = errors.Join(err, c.Close())
		}
	}()
	for _, l := range groups {
		prefix := datadir.Key(groupTable, t.tenant, string(l))
		it, err := t.NewIter(within.iterOptions(prefix))
		if err != nil {
			return err
		}
		c := &timeCursor{Iterator: it, skip: len(prefix)}
		heads = append(heads, c)
		it.First()
	}
	for {
		var next *timeCursor
		for _, c := range heads {
			if c.Valid() && (next == nil || bytes.Compare(c.Key()[c.skip:], next.Key()[next.skip:]) < 0) {
				next = c
			}
		}
		if next == nil {
			return nil
		}
		more, err := t.visitRow(place{next.keyID(), next.keyTime()}, do)
		if err != nil || !more {
			return err
		}
		next.Next()
	}
}

func (t rowTable) placeOf(id string) (at place, found bool, err error) {
	if t.table == incidentRows {
		f, err := findIncident(t, t.tenant, id)
		return place{id, f.created}, err == nil, ignoreNotFound(err)
	}
	row, rows, err := findAlert(t, t.tenant, id)
	if err != nil || rows != t.table {
		return at, false, ignoreNotFound(err)
	}
	return place{id, row.created}, true, nil
}

// walkByTime goes through a table ordered by time, newest first or, with asc, oldest first; rows of one moment come in
// the order of their ids either way.
func (t rowTable) walkByTime(table byte, within timeRange, asc bool, do func(at uint64, id string, value []byte) (bool, error)) error {
	prefix := datadir.Key(table, t.tenant)
	it, err := t.NewIter(within.iterOptions(prefix))
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

func (c *timeCursor) keyTime() uint64 { return ^datadir.TrailingUint(c.Key()[c.skip : c.skip+8]) }

func (c *timeCursor) keyID() string { return string(c.Key()[c.skip+8:]) }

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
