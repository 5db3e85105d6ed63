package export

import (
	"context"
	"fmt"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// pageSender sends one page of changes. It is kept while the page fails, so that a retry leaves out what has an
// outcome.
type pageSender struct {
	Options
	export   Export
	reader   reader
	settled  map[string]bool // ids of records that have an outcome
	outcomes []Delivery
}

func (r *runner) newPageSender() *pageSender {
	return &pageSender{Options: r.Options, export: r.export, reader: r.reader, settled: map[string]bool{}}
}

// sendChanges sends what changed, each in the state in which it is now, and reports whether anything was to send.
func (s *pageSender) sendChanges(ctx context.Context, changes []store.Change) (sent bool, err error) {
	var records []Record
	seen := map[string]bool{}
	for _, c := range changes {
		thing := string(c.Kind) + " " + c.ID
		if !s.export.Filter.wantsKind(c.Kind) || seen[thing] {
			continue // the state read for its first change holds the later ones
		}
		seen[thing] = true
		row, err := s.reader.readRow(ctx, c)
		if fault.Of(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return false, err
		}
		if s.settled[row.ID] || !s.export.Filter.Pass(row) {
			continue
		}
		rec, err := s.export.encodeRow(row)
		if err != nil {
			s.deadLetter(row.recordOf(nil), err)
		} else if rec != nil {
			records = append(records, *rec)
		}
	}
	return len(records) > 0, s.sendRecords(ctx, records)
}

// sendRecords delivers records in batches that fit the target's limits.
func (s *pageSender) sendRecords(ctx context.Context, records []Record) error {
	for len(records) > 0 {
		n := s.export.Target.Limits().fittingRecords(records)
		if err := s.sendBatch(ctx, records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// sendBatch delivers one batch. One that is refused for good is halved until a record stands alone, which is
// dead-lettered.
func (s *pageSender) sendBatch(ctx context.Context, records []Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	taken, err := s.export.Target.Send(ctx, records)
	for _, rec := range records[:taken] {
		s.settled[rec.ID] = true
		s.outcomes = append(s.outcomes, deliveryOf(rec, s.Now(), nil))
	}
	records = records[taken:]
	switch {
	case err == nil && len(records) == 0:
		return nil
	case err == nil:
		return fmt.Errorf("%s took %d records less than it was sent", s.export.Kind, len(records))
	case !fault.Permanent(err):
		return fmt.Errorf("send %d records: %w", len(records), err)
	case len(records) == 1:
		s.deadLetter(records[0], err)
		return nil
	}
	half := len(records) / 2
	if err := s.sendBatch(ctx, records[:half]); err != nil {
		return err
	}
	return s.sendBatch(ctx, records[half:])
}

// deadLetter gives a record that will never be taken its outcome.
func (s *pageSender) deadLetter(rec Record, reason error) {
	s.settled[rec.ID] = true
	s.outcomes = append(s.outcomes, deliveryOf(rec, s.Now(), reason))
	s.Log.Warn("record is set aside", "export", s.export.Name, "kind", rec.Kind, "id", rec.Thing, "reason", truncateReason(reason.Error()))
}

// encodeRow writes a row for the target; nil when it has no word for it.
func (e Export) encodeRow(row Row) (*Record, error) {
	data, err := e.Target.Encode(row)
	if err != nil || data == nil {
		return nil, err
	}
	if most := e.Target.Limits().RecordBytes; most > 0 && len(data) > most {
		return nil, fault.Errorf(fault.TooLarge, "%s %s takes %d bytes, and %s takes at most %d", row.Kind, row.Thing, len(data), e.Kind, most)
	}
	rec := row.recordOf(data)
	return &rec, nil
}
