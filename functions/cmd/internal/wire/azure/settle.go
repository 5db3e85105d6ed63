package azure

import (
	"context"
	"fmt"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// finder finds stored alerts.
type finder interface {
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
}

// settler waits until accepted alerts are stored, and with that correlated: they become visible together. An alert that was
// stored before is not waited for, though what is new of it may come a little later.
type settler struct {
	store finder
	wait  func(ctx context.Context, d time.Duration) error
}

// Every look costs a few request units, and correlate in another process begins within a second or so.
const (
	firstLook = 200 * time.Millisecond
	lastLook  = 2 * time.Second
)

func (s settler) settle(ctx context.Context, accepted []ingest.Accepted) error {
	pause := firstLook
	for i := range accepted {
		a := &accepted[i]
		id := a.AlertID
		if id == "" {
			id = a.ExposureID
		}
		for {
			m, err := s.store.Alert(ctx, a.Tenant, id)
			if err == nil {
				if a.AlertID != "" {
					a.AlertID, a.IncidentID = m.Alert.ID, m.Incident
				}
				break
			}
			if fault.Of(err) != fault.NotFound {
				return fmt.Errorf("find alert %s: %w", id, err)
			}
			if err := s.wait(ctx, pause); err != nil {
				return err
			}
			pause = min(2*pause, lastLook)
		}
	}
	return nil
}
