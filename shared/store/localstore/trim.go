package localstore

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Trim lets go of events whose data no alert is kept by: repeats, updates, which an alert has taken in, and other products'
// copies of it. Call it with what correlation is done with, and leave out what it refused. It is not synced: a crash that loses
// it keeps the events, and one after it offers nobody again what is done.
func (s *Store) Trim(evs []cloudevent.Event) error {
	b := s.dir.DB.NewBatch()
	for _, e := range evs {
		kept, err := s.isEventKept(e)
		if err == nil && !kept {
			err = s.log.Drop(b, e.Tenant, e.Position)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("trim event %s of %q: %w", e.ID, e.Tenant, err), b.Close())
		}
	}
	if b.Empty() {
		return b.Close()
	}
	return s.dir.Apply(b, false)
}

// isEventKept reports whether an alert's body is the event's data. Only the alert that the event is about can have it there; of an
// event that does not say which one that is, nothing is let go.
func (s *Store) isEventKept(e cloudevent.Event) (bool, error) {
	row, _, err := findAlert(s.dir.DB, e.Tenant, e.Subject)
	if fault.Of(err) == fault.NotFound {
		return true, nil
	}
	if err != nil || row.Position == e.Position {
		return true, err
	}
	var about struct {
		ID string `json:"id"`
	}
	return json.Unmarshal(e.Data, &about) != nil || about.ID != e.Subject, nil
}
