// Package settle waits until what was accepted is correlated, for senders who ask for that (Prefer: wait). It is
// apart from ingest because functions that only publish start cold without it.
//
//	accepted ids ─▶ Polling (store), Draining (bus) ─▶ the alerts' ids and incidents after correlation
package settle

import (
	"context"
	"fmt"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// AlertStore finds stored alerts and exposures by id. What is not there is fault.NotFound.
type AlertStore interface {
	Alert(ctx context.Context, tenant, id string) (incident.AlertRecord, error)
}

// Polling waits for correlation in another process. Its Settle is for ingest.HTTP.
type Polling struct {
	Store AlertStore
	Wait  func(ctx context.Context, d time.Duration) error // returns after d, or earlier with ctx's error
}

// A look at the store costs a few request units, and correlate in another process begins within a second or so.
const (
	firstLook = 200 * time.Millisecond
	lastLook  = 2 * time.Second
)

// Settle waits until accepted alerts are stored, and with that correlated: they become visible together. An alert
// that was stored before is not waited for, though what is new of it may come a little later.
func (s Polling) Settle(ctx context.Context, accepted []ingest.Accepted) error {
	pause := firstLook
	for i := range accepted {
		for {
			err := resolveAccepted(ctx, s.Store, &accepted[i])
			if err == nil {
				break
			}
			if fault.Of(err) != fault.NotFound {
				return err
			}
			if err := s.Wait(ctx, pause); err != nil {
				return err
			}
			pause = min(2*pause, lastLook)
		}
	}
	return nil
}

// Draining waits for correlation in this process. Its Settle is for ingest.HTTP.
type Draining struct {
	Store AlertStore
	Bus   interface {
		Wait(ctx context.Context, session string) error // until the session has no events
	}
}

// Settle waits until the bus holds nothing more of the tenants, and finds the alerts then.
func (s Draining) Settle(ctx context.Context, accepted []ingest.Accepted) error {
	waited := map[string]bool{}
	for i := range accepted {
		a := &accepted[i]
		if !waited[a.Tenant] {
			if err := s.Bus.Wait(ctx, a.Tenant); err != nil {
				return fmt.Errorf("wait for %s: %w", a.Tenant, err)
			}
			waited[a.Tenant] = true
		}
		if a.AlertID == "" {
			continue
		}
		if err := resolveAccepted(ctx, s.Store, a); err != nil {
			return err
		}
	}
	return nil
}

// resolveAccepted looks an accepted finding up: an alert that was folded gets the id of the alert that holds it, and
// its incident.
func resolveAccepted(ctx context.Context, store AlertStore, a *ingest.Accepted) error {
	id := a.AlertID
	if id == "" {
		id = a.ExposureID
	}
	m, err := store.Alert(ctx, a.Tenant, id)
	if err != nil {
		return fmt.Errorf("find alert %s: %w", id, err)
	}
	if a.AlertID != "" {
		a.AlertID, a.IncidentID = m.Alert.ID, m.Incident
	}
	return nil
}
