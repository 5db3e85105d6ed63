package sender

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// deliveryMemory remembers the accepted deliveries for as long as their timestamps are within Tolerance. A sender that
// missed our answer sends the same id again: it is answered as accepted. The zero value is empty.
type deliveryMemory struct {
	mu sync.Mutex
	// Two spans: a delivery that is in neither is older than Tolerance allows.
	newer, older map[deliveryKey]bool // true: accepted; false: in progress
	began        time.Time            // of newer
}

// deliveryKey is a delivery's source and id.
type deliveryKey [16]byte

const (
	span          = 2 * Tolerance // a time of 5 minutes ahead is believed until it is 5 minutes ago
	maxDeliveries = 1 << 20       // in a span: some 40 MB
)

// beginDelivery notes that a delivery is in progress; done says how it ended. It is ingest.ErrRepeated when the
// delivery was accepted before, ingest.ErrInProgress while another copy is handled, fault.Exhausted beyond
// maxDeliveries. A delivery that was not accepted may come again.
func (m *deliveryMemory) beginDelivery(source, id string, now time.Time) (done func(taken bool), err error) {
	sum := sha256.Sum256([]byte(source + "\x00" + id))
	key := deliveryKey(sum[:16])
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newer == nil || now.Sub(m.began) >= span {
		m.older, m.newer, m.began = m.newer, map[deliveryKey]bool{}, now
	}
	taken, met := m.newer[key]
	if !met {
		taken, met = m.older[key]
	}
	switch {
	case met && taken:
		return nil, ingest.ErrRepeated
	case met:
		return nil, ingest.ErrInProgress
	case len(m.newer) >= maxDeliveries:
		return nil, fault.Errorf(fault.Exhausted, "more than %d deliveries in %v", maxDeliveries, span)
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
