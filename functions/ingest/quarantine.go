package ingest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// rejectedRecord is a record on its way to quarantine.
type rejectedRecord struct {
	event    cloudevent.Event
	provider string
	index    int
	reason   error
}

// quarantineRecords publishes rejected records on the quarantine queue and logs each.
func (f *Function) quarantineRecords(ctx context.Context, now time.Time, rs ...rejectedRecord) error {
	evs := make([]cloudevent.Event, len(rs))
	for i, r := range rs {
		evs[i] = r.event
	}
	if err := f.Quarantine.Publish(ctx, evs...); err != nil {
		return notDurable(err, fmt.Sprintf("set aside %d records", len(rs)))
	}
	for _, r := range rs {
		f.logRejection(ctx, now, r)
	}
	return nil
}

// notDurable makes a publisher's permanent error (an event too large for its queue) fault.Unavailable: a sender takes a
// permanent answer for "it is in quarantine", which it is not.
func notDurable(err error, doing string) error {
	if fault.Permanent(err) || fault.Of(err) == fault.Held {
		return fault.Errorf(fault.Unavailable, "%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// logRejection logs one line for a rejection. Beyond linesPerMinute it logs nothing; the next line then counts what was
// left out.
func (f *Function) logRejection(ctx context.Context, now time.Time, r rejectedRecord) {
	ok, left := f.logLimit.allowLine(now)
	if !ok {
		return
	}
	f.loggerOrDiscard().WarnContext(ctx, "rejected", "route", f.Route, "provider", r.provider, "index", r.index,
		"tenant", r.event.Tenant, "event", r.event.ID, "reason", reasonOf(r.reason), "leftOut", left)
}

// maxReason bounds the reason of one rejection, in bytes.
const maxReason = 500

// reasonOf is the text of err for a log line, a receipt and an event: at most maxReason bytes, valid UTF-8.
func reasonOf(err error) string {
	s := err.Error()
	if len(s) > maxReason {
		s = s[:maxReason] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// linesPerMinute is how many rejections of one route the log shows in a minute. The metrics count them all.
const linesPerMinute = 200

// logLimiter bounds log lines to linesPerMinute.
type logLimiter struct {
	mu    sync.Mutex
	since time.Time
	n     int
	left  int
}

// allowLine reports whether one more line may be written at now, and how many were left out since the last.
func (l *logLimiter) allowLine(now time.Time) (ok bool, left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Minute || now.Before(l.since) {
		l.since, l.n = now, 0
	}
	if l.n++; l.n > linesPerMinute {
		l.left++
		return false, 0
	}
	left, l.left = l.left, 0
	return true, left
}
