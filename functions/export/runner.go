package export

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// pageSize is how many changes are read and sent before the cursor moves, unless a target's Limits say more.
const pageSize = 500

// runner carries one export.
type runner struct {
	Options
	export Export

	mu sync.Mutex // one sender at a time, from reading a state until it is taken, so that no older state overtakes it
	// done are the records of the page at hand that need not be sent again after a failure.
	done map[string]bool
	news []Delivery // of the page at hand

	jobMu sync.Mutex // guards what follows
	job   *Job
	asked time.Duration // how long the receiver asked to be left alone
}

// run takes turns until ctx ends.
func (r *runner) run(ctx context.Context) {
	for {
		pause := r.turn(ctx)
		if ctx.Err() != nil || r.Wait(ctx, min(pause, maxSleep)) != nil {
			return
		}
	}
}

// turn sends what is due and returns how long nothing more is.
func (r *runner) turn(ctx context.Context) time.Duration {
	var p Progress
	if _, err := load(ctx, r.Ledger, progressKind, r.export.documentID(), &p); err != nil {
		r.Log.WarnContext(ctx, "export waits for the store", "export", r.export.Name, "error", err)
		return poll
	}
	now := r.Now()
	if p.Failures > 0 {
		if retry := p.ErrorAt.Add(r.pause(p)); retry.After(now) {
			return retry.Sub(now)
		}
	} else if due := r.export.When.next(p.LastRun); !p.LastRun.IsZero() && due.After(now) {
		return due.Sub(now)
	}
	if err := r.drain(ctx); err != nil && ctx.Err() == nil {
		r.fail(ctx, err)
	}
	return poll
}

// pause is how long the receiver is left alone after its last failure.
func (r *runner) pause(p Progress) time.Duration {
	r.jobMu.Lock()
	defer r.jobMu.Unlock()
	return max(backoff(r.export.Name, p.Failures), r.asked)
}

// drain sends until nothing new is left.
func (r *runner) drain(ctx context.Context) error {
	for {
		more, err := r.page(ctx)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// page sends one page of changes and moves the cursor behind it.
func (r *runner) page(ctx context.Context) (more bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var p Progress
	version, err := load(ctx, r.Ledger, progressKind, r.export.documentID(), &p)
	if err != nil {
		return false, err
	}
	changes, next, err := r.Store.Changes(ctx, r.export.Tenant, p.Cursor, max(pageSize, r.export.Target.Limits().Changes))
	if err != nil {
		return false, fmt.Errorf("read changes of %s: %w", r.export.Tenant, err)
	}
	more = len(changes) > 0 || next != p.Cursor
	sent, err := r.changes(ctx, changes)
	if err != nil {
		return false, err
	}
	if !more && p.Failures == 0 && r.export.When.cron == nil && !p.LastRun.IsZero() {
		return false, nil // nothing to write down
	}
	if err := r.note(ctx, r.news); err != nil {
		return false, err
	}
	p.Cursor, p.Error, p.ErrorAt, p.Failures = next, "", time.Time{}, 0
	p.count(r.news)
	if sent {
		p.LastSent = r.Now().UTC()
	}
	if !more || p.LastRun.IsZero() {
		p.LastRun = r.Now().UTC()
	}
	if err := keep(ctx, r.Ledger, progressKind, r.export.documentID(), version, p); err != nil {
		return false, err
	}
	clear(r.done)
	r.news = nil
	return more, nil
}

func (p *Progress) count(ds []Delivery) {
	for _, d := range ds {
		if d.Aside {
			p.Aside++
		} else {
			p.Sent++
		}
	}
}

// changes sends the things that changed, each in the state in which it is now.
func (r *runner) changes(ctx context.Context, changes []store.Change) (sent bool, err error) {
	var records []Record
	seen := map[string]bool{}
	for _, c := range changes {
		thing := string(c.Kind) + " " + c.ID
		if !r.export.Filter.wants(c.Kind) || seen[thing] {
			continue // what is read for its first change has seen the later ones of these
		}
		seen[thing] = true
		row, err := r.row(ctx, c)
		if fault.Of(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if r.done[row.ID] || !r.export.Filter.Pass(row) {
			continue
		}
		rec, err := r.encode(row)
		if err != nil {
			r.setAside(row.record(nil), err)
		} else if rec != nil {
			records = append(records, *rec)
		}
	}
	return len(records) > 0, r.send(ctx, records)
}

// row reads what changed.
func (r *runner) row(ctx context.Context, c store.Change) (Row, error) {
	if c.Kind != store.IncidentChanged {
		m, err := r.Store.Alert(ctx, r.export.Tenant, c.ID)
		if err != nil {
			return Row{}, fmt.Errorf("read %s %s: %w", c.Kind, c.ID, err)
		}
		return OfAlert(r.export.Tenant, m)
	}
	const tries = 5 // an incident that never rests is sent as it comes
	for try := 1; ; try++ {
		row, err := r.incident(ctx, c.ID)
		if err == nil {
			err = r.members(ctx, &row)
		}
		if err != nil || row.Alerts == nil || try == tries {
			return row, err
		}
		// Another commit may have come between the two reads: one id must not name two contents.
		if now, err := r.incident(ctx, c.ID); err != nil || now.ID == row.ID {
			return row, err
		}
	}
}

func (r *runner) incident(ctx context.Context, id string) (Row, error) {
	i, err := r.Store.Incident(ctx, r.export.Tenant, id)
	if err != nil {
		return Row{}, fmt.Errorf("read incident %s: %w", id, err)
	}
	return OfIncident(r.export.Tenant, i)
}

// members reads as many of an incident's alerts as the target wants to see.
func (r *runner) members(ctx context.Context, row *Row) error {
	most := r.export.Target.Limits().Alerts
	if most == 0 || row.Incident.RedirectTo != "" {
		return nil
	}
	page, err := r.Store.IncidentAlerts(ctx, r.export.Tenant, row.Thing, query.Query{Top: most, Order: []query.Order{{Field: query.FirstActivity}}})
	if err != nil {
		return fmt.Errorf("read alerts of incident %s: %w", row.Thing, err)
	}
	row.Alerts = page.Items
	return nil
}

// encode writes a row for the target; nil when it has no word for it.
func (r *runner) encode(row Row) (*Record, error) {
	data, err := r.export.Target.Encode(row)
	if err != nil || data == nil {
		return nil, err
	}
	if most := r.export.Target.Limits().RecordBytes; most > 0 && len(data) > most {
		return nil, fault.Errorf(fault.TooLarge, "%s %s takes %d bytes, and %s takes at most %d", row.Kind, row.Thing, len(data), r.export.Kind, most)
	}
	rec := row.record(data)
	return &rec, nil
}
