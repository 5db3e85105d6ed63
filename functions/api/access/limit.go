package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/onepane/onepane/functions/api"
)

// Limiter gives every principal a share of requests: PerMinute of them, and as many at once after a pause.
type Limiter struct {
	PerMinute int
	Now       func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

// Wait is api.Server.Limit: how long p must wait, 0 when its request may go on, which is then counted.
func (l *Limiter) Wait(p api.Principal) time.Duration {
	now := l.Now()
	r := l.bucketOf(p.ID, now).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // a refused request costs nothing
	}
	return wait
}

func (l *Limiter) bucketOf(id string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropFullBuckets(now)
	b := l.buckets[id]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(float64(l.PerMinute)/60), l.PerMinute)
		l.buckets[id] = b
	}
	return b
}

// dropFullBuckets forgets, once a minute, those who have their whole share again.
func (l *Limiter) dropFullBuckets(now time.Time) {
	if l.buckets == nil {
		l.buckets = map[string]*rate.Limiter{}
	}
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for id, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.PerMinute) {
			delete(l.buckets, id)
		}
	}
}
