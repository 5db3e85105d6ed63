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

// Quarantine is a quarantine queue: events in order of arrival, each id once.
type Quarantine struct {
	dir  *datadir.Dir
	name string

	mu     sync.Mutex // one writer at a time, so that an id is found before it is written again
	last   uint64
	events int64
}

var _ bus.Quarantine = (*Quarantine)(nil)

func openQuarantine(dir *datadir.Dir, name string) (*Quarantine, error) {
	if err := datadir.CheckName("queue", name); err != nil {
		return nil, err
	}
	s := &Quarantine{dir: dir, name: name}
	prefix := datadir.Key(quarantineByID, name)
	it, err := dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.After(prefix)})
	if err != nil {
		return nil, fmt.Errorf("open shelf: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		s.events++
		s.last = max(s.last, datadir.Uint(it.Value()))
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("open shelf: %w", err)
	}
	return s, nil
}

// Publish puts events on the shelf, durably. An id that is there already is kept as it is.
func (s *Quarantine) Publish(_ context.Context, evs ...cloudevent.Event) error {
	if err := checkEvents(evs); err != nil {
		return fmt.Errorf("shelve %d events: %w", len(evs), err)
	}
	if err := s.addEvents(s.dir.DB.NewBatch(), evs, true); err != nil {
		return fmt.Errorf("shelve %d events: %w", len(evs), err)
	}
	return nil
}

// addEvents puts events on the shelf together with whatever else is in b, and writes b.
func (s *Quarantine) addEvents(b *pebble.Batch, evs []cloudevent.Event, sync bool) error {
	if len(evs) == 0 {
		return s.dir.Apply(b, sync)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	in := map[string]bool{}
	for _, e := range evs {
		_, has, err := s.numberOf(e.ID)
		if err != nil {
			return errors.Join(err, b.Close())
		}
		if has || in[e.ID] {
			continue
		}
		in[e.ID] = true
		last++
		err = errors.Join(
			b.Set(s.entryKey(last), datadir.AppendEvent(nil, e, time.Time{}), nil),
			b.Set(append(datadir.Key(quarantineByID, s.name), e.ID...), datadir.AppendUint(nil, last), nil))
		if err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := s.dir.Apply(b, sync); err != nil {
		return err
	}
	s.events += int64(len(in))
	s.last = last
	return nil
}

// List is bus.Shelf; a cursor that List did not give is fault.Invalid.
func (s *Quarantine) List(_ context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error) {
	var after uint64
	if cursor != "" {
		if after, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", fault.Errorf(fault.Invalid, "cursor: %q is none of the shelf's", cursor)
		}
	}
	it, err := s.dir.DB.NewIter(&pebble.IterOptions{LowerBound: s.entryKey(after + 1), UpperBound: datadir.After(datadir.Key(quarantineTable, s.name))})
	if err != nil {
		return nil, "", fmt.Errorf("list shelf: %w", err)
	}
	ok := it.First()
	for ; ok && len(evs) < limit; ok = it.Next() {
		after = datadir.Uint(it.Key())
		e, _, err := datadir.ParseEvent(append([]byte(nil), it.Value()...))
		if err != nil {
			continue // damaged; nothing of it can be shown or released
		}
		evs = append(evs, e)
	}
	if err := it.Close(); err != nil {
		return nil, "", fmt.Errorf("list shelf: %w", err)
	}
	if ok {
		next = strconv.FormatUint(after, 10)
	}
	return evs, next, nil
}

// Remove is bus.Shelf.
func (s *Quarantine) Remove(_ context.Context, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.dir.DB.NewBatch()
	gone := map[string]bool{}
	for _, id := range ids {
		n, has, err := s.numberOf(id)
		if err != nil {
			return errors.Join(err, b.Close())
		}
		if !has || gone[id] {
			continue
		}
		gone[id] = true
		if err := errors.Join(b.Delete(s.entryKey(n), nil), b.Delete(append(datadir.Key(quarantineByID, s.name), id...), nil)); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := s.dir.Apply(b, true); err != nil {
		return fmt.Errorf("remove %d events from shelf: %w", len(ids), err)
	}
	s.events -= int64(len(gone))
	return nil
}

func (s *Quarantine) numberOf(id string) (n uint64, has bool, err error) {
	v, closer, err := s.dir.DB.Get(append(datadir.Key(quarantineByID, s.name), id...))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look up shelved event %s: %w", id, err)
	}
	return datadir.Uint(v), true, closer.Close()
}

func (s *Quarantine) entryKey(n uint64) []byte {
	return datadir.AppendUint(datadir.Key(quarantineTable, s.name), n)
}

func (s *Quarantine) countEvents() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}
