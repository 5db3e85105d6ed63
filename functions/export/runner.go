package export

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// pageSize is how many changes are read and sent before the cursor moves, unless a target's Limits say more.
const pageSize = 500

// runner carries one export: the store's change feed and, between its pages, a backfill.
type runner struct {
	Options
	export   Export
	docs     documents
	reader   reader
	backfill backfiller

	sending sync.Mutex  // held from reading a state until it is taken: no older state overtakes a newer one
	feed    *pageSender // the page of the feed at hand, kept while it fails

	retryMu    sync.Mutex
	retryAfter time.Duration // how long the receiver asked to be left alone when the feed last failed
}

func newRunner(o Options, e Export) *runner {
	r := &runner{
		Options: o, export: e, docs: documents{o.Documents, e.documentID()}, reader: reader{o.Store, e.Tenant, e.Target.Limits()},
	}
	r.feed, r.backfill.runner = r.newPageSender(), r
	return r
}

// run sends what is due once a second until ctx ends.
func (r *runner) run(ctx context.Context) {
	for r.runOnce(ctx); ctx.Err() == nil && r.Wait(ctx, pollInterval) == nil; {
		r.runOnce(ctx)
	}
}

// runOnce sends what is due of the feed and then of a backfill; the feed goes on between the backfill's pages.
func (r *runner) runOnce(ctx context.Context) {
	for {
		r.sendDue(ctx)
		if more := r.backfill.resume(ctx); !more {
			return
		}
	}
}

// sendDue sends the feed if the schedule and the receiver's last failure allow it now. A failure is recorded with the
// export.
func (r *runner) sendDue(ctx context.Context) {
	var p Progress
	if _, err := r.docs.load(ctx, progressKind, &p); err != nil {
		r.Log.WarnContext(ctx, "export waits for the store", "export", r.export.Name, "error", err)
		return
	}
	if r.Now().Before(r.dueTime(p)) {
		return
	}
	if err := r.drainFeed(ctx); err != nil && ctx.Err() == nil {
		r.recordFailure(ctx, err)
	}
}

// dueTime is when the feed is sent next; the zero time is at once.
func (r *runner) dueTime(p Progress) time.Time {
	switch {
	case p.Failures > 0:
		return p.ErrorAt.Add(r.retryPause(p.Failures))
	case p.LastRun.IsZero():
		return time.Time{}
	}
	return r.export.When.nextRun(p.LastRun)
}

// retryPause is how long the receiver is left alone after so many failures in a row.
func (r *runner) retryPause(failures int) time.Duration {
	r.retryMu.Lock()
	defer r.retryMu.Unlock()
	return max(retryBackoff(r.export.Name, failures), r.retryAfter)
}

// drainFeed sends the feed until nothing new is left.
func (r *runner) drainFeed(ctx context.Context) error {
	for {
		more, err := r.sendFeedPage(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// sendFeedPage sends one page of changes and moves the cursor behind it.
func (r *runner) sendFeedPage(ctx context.Context) (more bool, err error) {
	r.sending.Lock()
	defer r.sending.Unlock()
	var p Progress
	version, err := r.docs.load(ctx, progressKind, &p)
	if err != nil {
		return false, err
	}
	changes, next, err := r.Store.Changes(ctx, r.export.Tenant, p.Cursor, max(pageSize, r.export.Target.Limits().Changes))
	if err != nil {
		return false, fmt.Errorf("read changes of %s: %w", r.export.Tenant, err)
	}
	more = len(changes) > 0 || next != p.Cursor
	sent, err := r.feed.sendChanges(ctx, changes)
	if err != nil {
		return false, err
	}
	if !more && p.Failures == 0 && r.export.When.cron == nil && !p.LastRun.IsZero() {
		return false, nil // nothing to write down
	}
	if err := r.docs.logDeliveries(ctx, r.feed.outcomes); err != nil {
		return false, err
	}
	p.Cursor, p.Error, p.ErrorAt, p.Failures = next, "", time.Time{}, 0
	p.addOutcomes(r.feed.outcomes)
	if sent {
		p.LastSent = r.Now().UTC()
	}
	if !more || p.LastRun.IsZero() {
		p.LastRun = r.Now().UTC()
	}
	if err := r.docs.save(ctx, progressKind, version, p); err != nil {
		return false, err
	}
	r.feed = r.newPageSender()
	return more, nil
}

// recordFailure writes the feed's failure down. That it cannot be written is only logged: it is the store that fails,
// then.
func (r *runner) recordFailure(ctx context.Context, reason error) {
	r.retryMu.Lock()
	r.retryAfter = RetryAfter(reason)
	r.retryMu.Unlock()
	var p Progress
	version, err := r.docs.load(ctx, progressKind, &p)
	if err == nil {
		p.Error, p.ErrorAt, p.Failures = truncateReason(reason.Error()), r.Now().UTC(), p.Failures+1
		err = r.docs.save(ctx, progressKind, version, p)
	}
	r.Log.WarnContext(ctx, "export failed and will be tried again", "export", r.export.Name, "failures", p.Failures, "error", reason, "noting", err)
}
