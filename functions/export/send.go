package export

import (
	"context"
	"fmt"

	"github.com/onepane/onepane/shared/fault"
)

// send delivers records in batches that fit.
func (r *runner) send(ctx context.Context, records []Record) error {
	for len(records) > 0 {
		n := r.export.Target.Limits().fit(records)
		if err := r.batch(ctx, records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// batch delivers one batch. What is refused for good is halved until it stands alone, and set aside then.
func (r *runner) batch(ctx context.Context, records []Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	taken, err := r.export.Target.Send(ctx, records)
	for _, rec := range records[:taken] {
		r.done[rec.ID] = true
		r.news = append(r.news, delivered(rec, r.Now(), nil))
	}
	if r.Meter != nil && taken > 0 {
		r.Meter.Exported(r.export.Name, taken)
	}
	records = records[taken:]
	switch {
	case err == nil && len(records) == 0:
		return nil
	case err == nil:
		return fmt.Errorf("%s took %d records less than it was sent", r.export.Kind, len(records))
	case !fault.Permanent(err):
		return fmt.Errorf("send %d records: %w", len(records), err)
	case len(records) == 1:
		r.setAside(records[0], err)
		return nil
	}
	half := len(records) / 2
	if err := r.batch(ctx, records[:half]); err != nil {
		return err
	}
	return r.batch(ctx, records[half:])
}

// setAside remembers what will never be taken.
func (r *runner) setAside(rec Record, reason error) {
	r.done[rec.ID] = true
	r.news = append(r.news, delivered(rec, r.Now(), reason))
	r.Log.Warn("record is set aside", "export", r.export.Name, "kind", rec.Kind, "id", rec.Thing, "reason", clip(reason.Error()))
	if r.Meter != nil {
		r.Meter.SetAside(r.export.Name)
	}
}

// fail writes down that a turn failed. That it cannot be written is only logged: it is the store that fails, then.
func (r *runner) fail(ctx context.Context, reason error) {
	r.jobMu.Lock()
	r.asked = After(reason)
	r.jobMu.Unlock()
	if r.Meter != nil {
		r.Meter.ExportFailed(r.export.Name)
	}
	var p Progress
	version, err := load(ctx, r.Ledger, progressKind, r.export.documentID(), &p)
	if err == nil {
		p.Error, p.ErrorAt, p.Failures = clip(reason.Error()), r.Now().UTC(), p.Failures+1
		err = keep(ctx, r.Ledger, progressKind, r.export.documentID(), version, p)
	}
	r.Log.WarnContext(ctx, "export failed and will be tried again", "export", r.export.Name, "failures", p.Failures, "error", reason, "noting", err)
}
