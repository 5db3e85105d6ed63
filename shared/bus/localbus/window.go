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

	mu    sync.Mutex
	marks map[mark]*flight
	order []seen // oldest first, from head on
	head  int
}

// mark stands for a session and an id: 128 bits with seeds of this process, so that a sender can neither find nor
// stumble on two ids with one mark.
type mark [2]uint64

type seen struct {
	mark mark
	at   time.Time
}

// flight is one Publish on its way to the disk. err may be read once landed is closed.
type flight struct {
	landed chan struct{}
	err    error
	marks  []mark
}

// onDisk is the flight of everything that has safely landed.
var onDisk = &flight{}

func newWindow(length time.Duration, max int) *window {
	return &window{length: length, max: max, marks: map[mark]*flight{}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// admit gives those of evs that are not repeats, the flight they now belong to, and the flights of other calls
// that carry the repeats.
func (w *window) admit(evs []cloudevent.Event, now time.Time) (fresh []cloudevent.Event, own *flight, others []*flight) {
	own = &flight{landed: make(chan struct{})}
	if w.length < 0 {
		return evs, own, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(now)
	for _, e := range evs {
		m := w.mark(e.Tenant, e.ID)
		f, repeat := w.marks[m]
		if !repeat {
			fresh = append(fresh, e)
			own.marks = append(own.marks, m)
			w.remember(m, own, now)
		} else if f != own && f != onDisk && !slices.Contains(others, f) {
			others = append(others, f)
		}
	}
	return fresh, own, others
}

// land ends a flight. Events that did not make it may be published again at once.
func (w *window) land(f *flight, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range f.marks {
		if w.marks[m] != f {
			continue // forgotten meanwhile
		}
		if err != nil {
			delete(w.marks, m)
		} else {
			w.marks[m] = onDisk
		}
	}
	f.err = err
	close(f.landed)
}

// recall remembers an event that was on the disk when the queue was opened.
func (w *window) recall(session, id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remember(w.mark(session, id), onDisk, at)
}

// sort brings what was recalled, session by session, into one order.
func (w *window) sort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.order, func(a, b seen) int { return a.at.Compare(b.at) })
}

func (w *window) remember(m mark, f *flight, at time.Time) {
	w.marks[m] = f
	w.order = append(w.order, seen{m, at})
}

// forget drops what is too old or too much.
func (w *window) forget(now time.Time) {
	for w.head < len(w.order) {
		old := w.order[w.head]
		if now.Sub(old.at) < w.length && len(w.order)-w.head <= w.max {
			break
		}
		delete(w.marks, old.mark)
		w.head++
	}
	if w.head > len(w.order)/2 {
		w.order = append(w.order[:0], w.order[w.head:]...)
		w.head = 0
	}
}

func (w *window) mark(session, id string) mark {
	var m mark
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
