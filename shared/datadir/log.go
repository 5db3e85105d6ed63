package datadir

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Log is the log of one queue: for each session its events in the order of publishing, numbered from 1, and the
// position up to which they have been completed. The bus appends, moves the progress and drops what it quarantines; the
// store reads bodies and drops those that no alert is kept by. Package localbus says which events stay.
type Log struct {
	dir  *Dir
	name string

	mu     sync.Mutex
	newest map[string]uint64 // the last position given out, per session
}

// Log is the log of the queue of that name; the same one each time.
func (d *Dir) Log(queue string) *Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.logs[queue]
	if l == nil {
		l = &Log{dir: d, name: queue, newest: map[string]uint64{}}
		d.logs[queue] = l
	}
	return l
}

// Append writes events to the ends of their sessions' logs (Event.Tenant) and returns their positions once they are on
// the disk. Callers that come together share one wait. A reader may see events before Append returns, and never
// one of a session before those published earlier. After an error some may be there all the same.
func (l *Log) Append(evs []cloudevent.Event, now time.Time) ([]uint64, error) {
	values := make([][]byte, len(evs))
	for i, e := range evs {
		if err := CheckName("session", e.Tenant); err != nil {
			return nil, err
		}
		values[i] = AppendEvent(make([]byte, 0, len(e.Data)+256), e, now)
	}
	positions, wait, err := l.writeNumbered(evs, values)
	if err != nil {
		return nil, fmt.Errorf("append to log %q: %w", l.name, err)
	}
	if err := wait(); err != nil {
		return nil, fmt.Errorf("append to log %q: %w", l.name, err)
	}
	return positions, nil
}

// writeNumbered numbers the events and makes them visible, both under the lock: visible in the order of the numbers.
func (l *Log) writeNumbered(evs []cloudevent.Event, values [][]byte) (positions []uint64, wait func() error, err error) {
	positions = make([]uint64, len(evs))
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.dir.DB.NewBatch()
	for i, e := range evs {
		last, err := l.lastPositionLocked(e.Tenant)
		if err != nil {
			return nil, nil, errors.Join(err, b.Close())
		}
		positions[i] = last + 1
		l.newest[e.Tenant] = last + 1
		if err := b.Set(l.entryKey(e.Tenant, last+1), values[i], nil); err != nil {
			return nil, nil, errors.Join(err, b.Close())
		}
	}
	wait, err = l.dir.applyOrdered(b)
	return positions, wait, err
}

// LastPosition is the position of the session's newest event, 0 before the first.
func (l *Log) LastPosition(session string) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastPositionLocked(session)
}

func (l *Log) lastPositionLocked(session string) (uint64, error) {
	if n, ok := l.newest[session]; ok {
		return n, nil
	}
	// An entry that is done with may have been dropped from the end, so progress counts too.
	n, err := l.Progress(session)
	if err != nil {
		return 0, err
	}
	prefix := Key('l', l.name, session)
	it, err := l.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: PrefixEnd(prefix)})
	if err != nil {
		return 0, fmt.Errorf("read log: %w", err)
	}
	if it.Last() {
		n = max(n, TrailingUint(it.Key()))
	}
	if err := it.Close(); err != nil {
		return 0, fmt.Errorf("read log: %w", err)
	}
	l.newest[session] = n
	return n, nil
}

// Entry is one place of a log. Err says that what is there cannot be read as an event; Raw is what it is.
type Entry struct {
	Position  uint64
	Event     cloudevent.Event
	Published time.Time
	Raw       []byte
	Err       error
}

// maxRead is how many bytes Read gives at about most, so that a few huge events do not fill the memory.
const maxRead = 16 << 20

// Read gives up to limit entries of a session after a position, in order, fewer when they are large. Dropped ones are
// missing.
func (l *Log) Read(session string, after uint64, limit int) ([]Entry, error) {
	prefix := Key('l', l.name, session)
	it, err := l.dir.DB.NewIter(&pebble.IterOptions{LowerBound: l.entryKey(session, after+1), UpperBound: PrefixEnd(prefix)})
	if err != nil {
		return nil, fmt.Errorf("read log %q: %w", l.name, err)
	}
	var out []Entry
	size := 0
	for ok := it.First(); ok && len(out) < limit && size < maxRead; ok = it.Next() {
		out = append(out, decodeEntry(it))
		size += len(out[len(out)-1].Raw)
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("read log %q: %w", l.name, err)
	}
	return out, nil
}

// WalkNewest calls yield with a session's entries, newest first, until it returns false.
func (l *Log) WalkNewest(session string, yield func(Entry) bool) error {
	prefix := Key('l', l.name, session)
	it, err := l.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: PrefixEnd(prefix)})
	if err != nil {
		return fmt.Errorf("read log %q: %w", l.name, err)
	}
	for ok := it.Last(); ok && yield(decodeEntry(it)); ok = it.Prev() {
	}
	if err := it.Close(); err != nil {
		return fmt.Errorf("read log %q: %w", l.name, err)
	}
	return nil
}

func decodeEntry(it *pebble.Iterator) Entry {
	e := Entry{Position: TrailingUint(it.Key()), Raw: slices.Clone(it.Value())}
	e.Event, e.Published, e.Err = ParseEvent(e.Raw)
	e.Event.Position = e.Position
	return e
}

// DataAt gives the data of the event at a position, as r sees it; fault.NotFound when it was dropped.
func (l *Log) DataAt(r pebble.Reader, session string, position uint64) ([]byte, error) {
	v, closer, err := r.Get(l.entryKey(session, position))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, fault.Errorf(fault.NotFound, "log %q of %q has no entry %d", l.name, session, position)
	}
	if err != nil {
		return nil, fmt.Errorf("read log %q: %w", l.name, err)
	}
	defer closer.Close()
	data, err := eventData(v)
	if err != nil {
		return nil, fmt.Errorf("read entry %d of log %q of %q: %w", position, l.name, session, err)
	}
	return slices.Clone(data), nil
}

// DropEvent takes an entry out, as part of b. Only entries that are done with may go.
func (l *Log) DropEvent(b *pebble.Batch, session string, position uint64) error {
	return b.Delete(l.entryKey(session, position), nil)
}

// Progress is the position up to which a session's events are done with, 0 before the first.
func (l *Log) Progress(session string) (uint64, error) {
	v, closer, err := l.dir.DB.Get(Key('p', l.name, session))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read progress of log %q: %w", l.name, err)
	}
	defer closer.Close()
	return TrailingUint(v), nil
}

// SetProgress says, as part of b, that a session's events are done with up to a position.
func (l *Log) SetProgress(b *pebble.Batch, session string, position uint64) error {
	return b.Set(Key('p', l.name, session), AppendUint(nil, position), nil)
}

// Sessions names the sessions that have or had events, in no order that means anything.
func (l *Log) Sessions() ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, table := range []byte{'l', 'p'} {
		prefix := Key(table, l.name)
		it, err := l.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: PrefixEnd(prefix)})
		if err != nil {
			return nil, fmt.Errorf("read log %q: %w", l.name, err)
		}
		for ok := it.First(); ok; {
			k := it.Key()[len(prefix):]
			session := string(k[1 : 1+k[0]])
			if !seen[session] {
				seen[session], out = true, append(out, session)
			}
			ok = it.SeekGE(PrefixEnd(Key(table, l.name, session)))
		}
		if err := it.Close(); err != nil {
			return nil, fmt.Errorf("read log %q: %w", l.name, err)
		}
	}
	return out, nil
}

func (l *Log) entryKey(session string, position uint64) []byte {
	return AppendUint(Key('l', l.name, session), position)
}
