package sender

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// memory knows the deliveries that were taken, for as long as their time would be believed once more. A sender that does
// not hear our answer sends the same id again: that is answered as taken. The zero value is empty.
type memory struct {
	mu sync.Mutex
	// Two spans: what is not in the newer is in the older, and what is in neither is too old to be believed.
	newer, older map[mark]bool // true: taken; false: being taken
	began        time.Time     // of newer
}

// mark is a delivery's source and id.
type mark [16]byte

const (
	span     = 2 * Tolerance // a time of 5 minutes ahead is believed until it is 5 minutes ago
	maxMarks = 1 << 20       // in a span: some 40 MB
)

// beginDelivery notes that a delivery is at hand. It is ingest.ErrRepeated when it was taken before, and ingest.BeingTaken while it
// still is. A delivery that was not taken may come again.
func (m *memory) beginDelivery(source, id string, now time.Time) (done func(taken bool), err error) {
	sum := sha256.Sum256([]byte(source + "\x00" + id))
	key := mark(sum[:16])
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newer == nil || now.Sub(m.began) >= span {
		m.older, m.newer, m.began = m.newer, map[mark]bool{}, now
	}
	taken, met := m.newer[key]
	if !met {
		taken, met = m.older[key]
	}
	switch {
	case met && taken:
		return nil, ingest.ErrRepeated
	case met:
		return nil, ingest.BeingTaken()
	case len(m.newer) >= maxMarks:
		return nil, fault.Errorf(fault.Exhausted, "more than %d deliveries in %v", maxMarks, span)
	}
	in := m.newer
	in[key] = false
	return func(taken bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if taken {
			in[key] = true
		} else {
			delete(in, key)
		}
	}, nil
}
