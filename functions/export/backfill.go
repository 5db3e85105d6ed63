package export

import (
	"context"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// Backfill is an export of a range: what last changed from Since until before Until is sent once more. It is kept in
// the store after every page, so that whichever process runs the export next resumes it where the last one stopped.
type Backfill struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	State string    `json:"state"` // Running or Done
	Total int64     `json:"total"` // records in the range when it began, before the filter
	Read  int64     `json:"read"`  // of those
	Sent  int64     `json:"sent"`
	Error string    `json:"lastError,omitzero"` // why the last attempt failed, until one succeeds
}

// The states of a backfill.
const (
	Running = "running"
	Done    = "done"
)

// backfillKind is the kind of document that a backfill is kept as.
const backfillKind = "export-order"

// backfillState is a backfill with the place at which it resumes.
type backfillState struct {
	Backfill
	Kind store.ChangeKind `json:"kind"`
	From time.Time        `json:"from"` // records of Kind that last changed before it are sent
}

// backfillKinds are sent one after the other.
var backfillKinds = []store.ChangeKind{store.AlertChanged, store.ExposureChanged, store.IncidentChanged}

// StartBackfill writes a range down for Run and RunOnce to send. A range that is empty is fault.Invalid, one beside
// another that is running is fault.Conflict.
func (f *Function) StartBackfill(ctx context.Context, name string, since, until time.Time) (Backfill, error) {
	r, err := f.runnerOf(name)
	if err != nil {
		return Backfill{}, err
	}
	if !since.Before(until) {
		return Backfill{}, fault.Errorf(fault.Invalid, "'since' must be before 'to'.")
	}
	var b backfillState
	version, err := r.docs.load(ctx, backfillKind, &b)
	switch {
	case err != nil:
		return Backfill{}, err
	case b.State == Running:
		return b.Backfill, fault.Errorf(fault.Conflict, "Export '%s' is at work on a range already.", name)
	}
	b = backfillState{Backfill: Backfill{Since: since.UTC(), Until: until.UTC(), State: Running}}
	return b.Backfill, r.docs.save(ctx, backfillKind, version, b)
}

// backfiller resumes the backfill of a runner's export.
type backfiller struct {
	runner *runner

	mu       sync.Mutex      // guards what follows, and is held while a page is sent
	version  uint64          // of the state that sent belongs to
	sent     map[string]bool // ids of those that last changed at the state's From and are sent
	failures int             // in a row
	retryAt  time.Time
}

// resume sends the next page of a running backfill and reports whether another may follow at once. A failure is
// recorded with the backfill, which is then left alone as long as the feed would be.
func (b *backfiller) resume(ctx context.Context) (more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.runner
	if ctx.Err() != nil || r.Now().Before(b.retryAt) {
		return false
	}
	var s backfillState
	version, err := r.docs.load(ctx, backfillKind, &s)
	if err == nil && s.State != Running {
		return false
	}
	if err == nil {
		if version != b.version {
			b.sent = nil // another process has sent a page since
		}
		if err = b.sendPage(ctx, &s); ctx.Err() != nil && err != nil {
			return false // the page is sent again, under the same ids
		}
		if s.Error = ""; err != nil {
			s.Error = truncateReason(err.Error())
		}
		unsaved := r.docs.save(context.WithoutCancel(ctx), backfillKind, version, s)
		if b.version = version + 1; err == nil {
			err = unsaved
		}
	}
	if err != nil {
		b.failures++
		b.retryAt = r.Now().Add(max(retryBackoff(r.export.Name, b.failures), RetryAfter(err)))
		r.Log.WarnContext(ctx, "backfill failed and will be tried again", "export", r.export.Name, "error", err)
		return false
	}
	b.failures = 0
	return s.State == Running
}

// sendPage sends one page and moves s behind it. A record that changes meanwhile leaves the range; the change feed
// sends it.
func (b *backfiller) sendPage(ctx context.Context, s *backfillState) error {
	r := b.runner
	if !s.startKind(r.export.Filter) {
		return nil
	}
	if s.Total == 0 && s.Read == 0 {
		total, err := b.countRange(ctx, *s)
		if err != nil {
			return err
		}
		s.Total = total
	}
	page, err := b.listPage(ctx, s)
	if err != nil {
		return err
	}
	var unsent []store.Change
	for _, c := range page.Items {
		if !b.sent[c.ID] {
			unsent = append(unsent, c)
		}
	}
	outcomes, err := b.sendOnce(ctx, unsent)
	if err != nil {
		return err
	}
	var p Progress
	p.addOutcomes(outcomes)
	s.Read, s.Sent = s.Read+int64(len(unsent)), s.Sent+p.Sent
	b.sent = map[string]bool{}
	if !page.More {
		s.finishKind()
		return nil
	}
	s.From = page.Items[len(page.Items)-1].Time
	for _, c := range page.Items {
		if c.Time.Equal(s.From) {
			b.sent[c.ID] = true
		}
	}
	return nil
}

// sendOnce sends changes beside the page at hand of the feed and puts what became of them into the delivery log.
func (b *backfiller) sendOnce(ctx context.Context, changes []store.Change) ([]Delivery, error) {
	r := b.runner
	r.sending.Lock()
	defer r.sending.Unlock()
	page := r.newPageSender()
	if _, err := page.sendChanges(ctx, changes); err != nil {
		return nil, err
	}
	return page.outcomes, r.docs.logDeliveries(ctx, page.outcomes)
}

// countRange counts what lies in the range, of the kinds that the filter wants.
func (b *backfiller) countRange(ctx context.Context, s backfillState) (total int64, err error) {
	for _, kind := range backfillKinds {
		if !b.runner.export.Filter.wantsKind(kind) {
			continue
		}
		page, err := b.runner.reader.listChanges(ctx, kind, query.Query{Where: updatedWithin(s.Since, s.Until), Top: 1, Count: true})
		if err != nil {
			return 0, err
		}
		total += max(page.Total, 0)
	}
	return total, nil
}

// listPage lists records from s.From on, as many as take the backfill past that moment.
func (b *backfiller) listPage(ctx context.Context, s *backfillState) (query.Page[store.Change], error) {
	for top := pageSize; ; top *= 2 { // more may have changed in one moment than a page holds
		page, err := b.runner.reader.listChanges(ctx, s.Kind, query.Query{
			Where: updatedWithin(s.From, s.Until), Order: []query.Order{{Field: query.Updated}}, Top: top,
		})
		if err != nil || !page.More || page.Items[len(page.Items)-1].Time.After(s.From) {
			return page, err
		}
	}
}

// startKind makes s.Kind one that the filter wants; false when none is left.
func (s *backfillState) startKind(f Filter) bool {
	if s.Kind == "" {
		s.Kind, s.From = backfillKinds[0], s.Since
	}
	for s.State == Running && !f.wantsKind(s.Kind) {
		s.finishKind()
	}
	return s.State == Running
}

// finishKind goes on to the next kind, or ends the backfill.
func (s *backfillState) finishKind() {
	for n, kind := range backfillKinds {
		if kind == s.Kind && n+1 < len(backfillKinds) {
			s.Kind, s.From = backfillKinds[n+1], s.Since
			return
		}
	}
	s.State = Done
}

func updatedWithin(since, until time.Time) query.Expr {
	return query.And{
		Left:  query.Compare{Field: query.Updated, Op: query.Ge, Time: since},
		Right: query.Compare{Field: query.Updated, Op: query.Lt, Time: until},
	}
}
