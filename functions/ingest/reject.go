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

// rejected is a record on its way to quarantine.
type rejected struct {
	event    cloudevent.Event
	provider string
	index    int
	reason   error
}

// quarantineRecords puts records into quarantine and tells the log.
func (f *Function) quarantineRecords(ctx context.Context, now time.Time, rs ...rejected) error {
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

// notDurable is the error of a publisher. Even one that will never take the events (too large for its queue) settles
// nothing: an answer that says so is only for what is in quarantine.
func notDurable(err error, doing string) error {
	if fault.Permanent(err) || fault.Of(err) == fault.Held {
		return fault.Errorf(fault.Unavailable, "%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// logRejection writes one line for a rejection; in a flood, only how many lines were left out.
func (f *Function) logRejection(ctx context.Context, now time.Time, r rejected) {
	ok, left := f.rejectionLog.allowLine(now)
	if !ok {
		return
	}
	f.loggerOrDiscard().WarnContext(ctx, "rejected", "route", f.Route, "provider", r.provider, "index", r.index,
		"tenant", r.event.Tenant, "event", r.event.ID, "reason", reasonOf(r.reason), "leftOut", left)
}

// maxReason bounds what is said of one rejection, in bytes.
const maxReason = 500

// reasonOf is an error in words that fit into a line, a receipt and an event: bounded, and valid UTF-8.
func reasonOf(err error) string {
	s := err.Error()
	if len(s) > maxReason {
		s = s[:maxReason] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// linesPerMinute is how many rejections of one route the log shows in a minute. The metrics count them all.
const linesPerMinute = 200

// logLimiter bounds the lines of a flood.
type logLimiter struct {
	mu    sync.Mutex
	since time.Time
	n     int
	left  int
}

// allowLine says whether one more line may be written at now, and how many were left out since the last.
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
