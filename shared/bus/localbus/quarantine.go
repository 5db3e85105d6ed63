package localbus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
)

// Tables of the data directory.
const (
	quarantineTable = 's'
	quarantineByID  = 'S'
)

// Quarantine is a quarantine queue: events in order of arrival, each id once. Safe for concurrent use.
type Quarantine struct {
	dir  *datadir.Dir
	name string

	mu     sync.Mutex // one writer at a time, so that an id is found before it is written again
	last   uint64     // number of the newest event
	events int64      // how many there are
}

var _ bus.Quarantine = (*Quarantine)(nil)

func openQuarantine(dir *datadir.Dir, name string) (*Quarantine, error) {
	if err := datadir.CheckName("queue", name); err != nil {
		return nil, err
	}
	q := &Quarantine{dir: dir, name: name}
	prefix := datadir.Key(quarantineByID, name)
	it, err := dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)})
	if err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		q.events++
		q.last = max(q.last, datadir.TrailingUint(it.Value()))
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	return q, nil
}

// Publish is bus.Publisher. An event whose id is there already is kept as it is.
func (q *Quarantine) Publish(_ context.Context, evs ...cloudevent.Event) error {
	if err := checkEvents(evs); err != nil {
		return fmt.Errorf("quarantine %d events: %w", len(evs), err)
	}
	if err := q.addEvents(q.dir.DB.NewBatch(), evs, true); err != nil {
		return fmt.Errorf("quarantine %d events: %w", len(evs), err)
	}
	return nil
}

// addEvents adds events to b and writes b, with whatever else is in it. An id that is there already is not added.
func (q *Quarantine) addEvents(b *pebble.Batch, evs []cloudevent.Event, sync bool) error {
	if len(evs) == 0 {
		return q.dir.Apply(b, sync)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	last := q.last
	in := map[string]bool{}
	for _, e := range evs {
		_, has, err := q.numberOf(e.ID)
		if err != nil {
			return errors.Join(err, b.Close())
		}
		if has || in[e.ID] {
			continue
		}
		in[e.ID] = true
		last++
		err = errors.Join(
			b.Set(q.entryKey(last), datadir.AppendEvent(nil, e, time.Time{}), nil),
			b.Set(append(datadir.Key(quarantineByID, q.name), e.ID...), datadir.AppendUint(nil, last), nil))
		if err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := q.dir.Apply(b, sync); err != nil {
		return err
	}
	q.events += int64(len(in))
	q.last = last
	return nil
}

// List is bus.Quarantine; a cursor that List did not give is fault.Invalid.
func (q *Quarantine) List(_ context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error) {
	var after uint64
	if cursor != "" {
		if after, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", fault.Errorf(fault.Invalid, "cursor: %q is none of quarantine's", cursor)
		}
	}
	it, err := q.dir.DB.NewIter(&pebble.IterOptions{LowerBound: q.entryKey(after + 1), UpperBound: datadir.PrefixEnd(datadir.Key(quarantineTable, q.name))})
	if err != nil {
		return nil, "", fmt.Errorf("list quarantine: %w", err)
	}
	ok := it.First()
	for ; ok && len(evs) < limit; ok = it.Next() {
		after = datadir.TrailingUint(it.Key())
		e, _, err := datadir.ParseEvent(append([]byte(nil), it.Value()...))
		if err != nil {
			continue // damaged; nothing of it can be shown or released
		}
		evs = append(evs, e)
	}
	if err := it.Close(); err != nil {
		return nil, "", fmt.Errorf("list quarantine: %w", err)
	}
	if ok {
		next = strconv.FormatUint(after, 10)
	}
	return evs, next, nil
}

// Remove is bus.Quarantine.
func (q *Quarantine) Remove(_ context.Context, ids ...string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.dir.DB.NewBatch()
	gone := map[string]bool{}
	for _, id := range ids {
		n, has, err := q.numberOf(id)
		if err != nil {
			return errors.Join(err, b.Close())
		}
		if !has || gone[id] {
			continue
		}
		gone[id] = true
		if err := errors.Join(b.Delete(q.entryKey(n), nil), b.Delete(append(datadir.Key(quarantineByID, q.name), id...), nil)); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := q.dir.Apply(b, true); err != nil {
		return fmt.Errorf("remove %d events from quarantine: %w", len(ids), err)
	}
	q.events -= int64(len(gone))
	return nil
}

// numberOf returns the number of the event with an id, if it is there.
func (q *Quarantine) numberOf(id string) (n uint64, has bool, err error) {
	v, closer, err := q.dir.DB.Get(append(datadir.Key(quarantineByID, q.name), id...))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look up event in quarantine %s: %w", id, err)
	}
	return datadir.TrailingUint(v), true, closer.Close()
}

func (q *Quarantine) entryKey(n uint64) []byte {
	return datadir.AppendUint(datadir.Key(quarantineTable, q.name), n)
}

func (q *Quarantine) countEvents() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.events
}
