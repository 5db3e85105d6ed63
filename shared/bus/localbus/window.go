package localbus

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
)

// window remembers the ids published lately, so that repeats are dropped. It holds at most max of them: at a high
// rate it reaches back less far than length, and correlation knows a repeat that slips through by its id.
type window struct {
	length time.Duration
	max    int
	seeds  [2]maphash.Seed

	mu     sync.Mutex
	writes map[idHash]*write
	order  []datedID // oldest first, from head on
	head   int
}

// idHash is the hash of a session and an event id: 128 bits with seeds of this process, so that a sender can neither
// find two ids of one hash nor meet them by chance.
type idHash [2]uint64

type datedID struct {
	id idHash
	at time.Time
}

// write is one Publish on its way to the disk.
type write struct {
	done chan struct{} // closed when it has ended
	err  error         // to be read once done is closed
	ids  []idHash
}

// onDisk stands for every write that has succeeded.
var onDisk = &write{}

func newWindow(length time.Duration, max int) *window {
	return &window{length: length, max: max, writes: map[idHash]*write{}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// admitEvents returns those of evs that are no repeats, the write they belong to now, and the writes still on their way
// that hold the others.
func (w *window) admitEvents(evs []cloudevent.Event, now time.Time) (fresh []cloudevent.Event, own *write, others []*write) {
	own = &write{done: make(chan struct{})}
	if w.length < 0 {
		return evs, own, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropOld(now)
	for _, e := range evs {
		id := w.hashID(e.Tenant, e.ID)
		of, repeat := w.writes[id]
		if !repeat {
			fresh = append(fresh, e)
			own.ids = append(own.ids, id)
			w.addID(id, own, now)
		} else if of != own && of != onDisk && !slices.Contains(others, of) {
			others = append(others, of)
		}
	}
	return fresh, own, others
}

// finishWrite ends a write. Events of one that failed may be published again at once.
func (w *window) finishWrite(ended *write, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ended.ids {
		if w.writes[id] != ended {
			continue // dropped meanwhile
		}
		if err != nil {
			delete(w.writes, id)
		} else {
			w.writes[id] = onDisk
		}
	}
	ended.err = err
	close(ended.done)
}

// rememberStored remembers an event that was on the disk when the queue was opened.
func (w *window) rememberStored(session, id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addID(w.hashID(session, id), onDisk, at)
}

// sortByTime brings the ids remembered session by session into one order.
func (w *window) sortByTime() {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.order, func(a, b datedID) int { return a.at.Compare(b.at) })
}

func (w *window) addID(id idHash, of *write, at time.Time) {
	w.writes[id] = of
	w.order = append(w.order, datedID{id, at})
}

// dropOld drops ids that are older than the window, or more than it may hold.
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
	var out idHash
	for i, seed := range w.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		h.WriteString(session)
		h.WriteByte(0)
		h.WriteString(id)
		out[i] = h.Sum64()
	}
	return out
}
