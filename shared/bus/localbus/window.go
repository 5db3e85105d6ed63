package localbus

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
)

// window remembers the ids published lately, so that exact repeats are dropped. It holds at most max of them: at a
// high rate it reaches back less far, and a repeat that slips through is met again by correlation.
type window struct {
	length time.Duration
	max    int
	seeds  [2]maphash.Seed

	mu     sync.Mutex
	writes map[idHash]*write
	order  []datedID // oldest first, from head on
	head   int
}

// idHash stands for a session and an id: 128 bits with seeds of this process, so that a sender can neither find nor
// stumble on two ids with one mark.
type idHash [2]uint64

type datedID struct {
	id idHash
	at time.Time
}

// write is one Publish on its way to the disk. err may be read once landed is closed.
type write struct {
	done chan struct{}
	err  error
	ids  []idHash
}

// onDisk is the flight of everything that has safely landed.
var onDisk = &write{}

func newWindow(length time.Duration, max int) *window {
	return &window{length: length, max: max, writes: map[idHash]*write{}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// admitEvents gives those of evs that are not repeats, the flight they now belong to, and the flights of other calls
// that carry the repeats.
func (w *window) admitEvents(evs []cloudevent.Event, now time.Time) (fresh []cloudevent.Event, own *write, others []*write) {
	own = &write{done: make(chan struct{})}
	if w.length < 0 {
		return evs, own, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropOld(now)
	for _, e := range evs {
		m := w.hashID(e.Tenant, e.ID)
		f, repeat := w.writes[m]
		if !repeat {
			fresh = append(fresh, e)
			own.ids = append(own.ids, m)
			w.addID(m, own, now)
		} else if f != own && f != onDisk && !slices.Contains(others, f) {
			others = append(others, f)
		}
	}
	return fresh, own, others
}

// finishWrite ends a flight. Events that did not make it may be published again at once.
func (w *window) finishWrite(f *write, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range f.ids {
		if w.writes[m] != f {
			continue // forgotten meanwhile
		}
		if err != nil {
			delete(w.writes, m)
		} else {
			w.writes[m] = onDisk
		}
	}
	f.err = err
	close(f.done)
}

// rememberStored remembers an event that was on the disk when the queue was opened.
func (w *window) rememberStored(session, id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addID(w.hashID(session, id), onDisk, at)
}

// sortByTime brings what was recalled, session by session, into one order.
func (w *window) sortByTime() {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.order, func(a, b datedID) int { return a.at.Compare(b.at) })
}

func (w *window) addID(m idHash, f *write, at time.Time) {
	w.writes[m] = f
	w.order = append(w.order, datedID{m, at})
}

// dropOld drops what is too old or too much.
func (w *window) dropOld(now time.Time) {
	for w.head < len(w.order) {
		old := w.order[w.head]
		if now.Sub(old.at) < w.length && len(w.order)-w.head <= w.max {
			break
		}
		delete(w.writes, old.id)
		w.head++
	}
	if w.head > len(w.order)/2 {
		w.order = append(w.order[:0], w.order[w.head:]...)
		w.head = 0
	}
}

func (w *window) hashID(session, id string) idHash {
	var m idHash
	for i, seed := range w.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		h.WriteString(session)
		h.WriteByte(0)
		h.WriteString(id)
		m[i] = h.Sum64()
	}
	return m
}
