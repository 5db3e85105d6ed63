// Package retention is the function that removes what the owner no longer wants to keep.
//
//	host: always, or now and then ─▶ RunOnce ─ once a day ─▶ every tenant ─▶ store.Purge
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Store is what retention asks of a store.
type Store interface {
	store.Retention
	Tenants(ctx context.Context) ([]string, error)
	Document(ctx context.Context, kind, id string) (store.Document, error)
	PutDocument(ctx context.Context, kind string, d store.Document) (version uint64, err error)
}

// Function removes incidents that are resolved and have not changed for Days, with their alerts. 0 keeps everything.
type Function struct {
	Store Store
	Days  int
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	documentKind, documentID = "retention", "last" // of the document that says when the last round ended
	roundInterval            = 24 * time.Hour
	purgeLimit               = 20 // incidents a call of store.Purge
)

// Run asks once an hour whether a round is due, until ctx ends. Trouble is logged and tried again an hour later.
func (f *Function) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := f.RunOnce(ctx); err != nil && ctx.Err() == nil {
			f.Log.WarnContext(ctx, "retention is not kept and will be tried again", "error", err)
		}
		if backoff.Wait(ctx, time.Hour) != nil {
			return
		}
	}
}

// RunOnce goes one round when the last ended a day ago, whichever process that was. A round that breaks off begins anew
// at the next call. Two at once do each other no harm.
func (f *Function) RunOnce(ctx context.Context) error {
	if f.Days <= 0 {
		return nil
	}
	version, last, err := f.readLastRound(ctx)
	now := f.Now().UTC()
	if err != nil || now.Sub(last) < roundInterval {
		return err
	}
	tenants, err := f.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		n, broke := f.purgeTenant(ctx, tenant, now.Add(-time.Duration(f.Days)*24*time.Hour))
		if n > 0 {
			f.Log.InfoContext(ctx, "forgot resolved incidents", "tenant", tenant, "incidents", n, "days", f.Days)
		}
		err = errors.Join(err, broke)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(now)
	if err == nil {
		_, err = f.Store.PutDocument(ctx, documentKind, store.Document{ID: documentID, Version: version, Data: data})
	}
	if fault.Of(err) == fault.Conflict { // another has just ended one
		return nil
	}
	return err
}

// readLastRound is when the last round ended, the zero time and version 0 when there was none.
func (f *Function) readLastRound(ctx context.Context) (version uint64, at time.Time, err error) {
	d, err := f.Store.Document(ctx, documentKind, documentID)
	if fault.Of(err) == fault.NotFound && err != nil {
		return 0, at, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Data, &at)
	}
	if err != nil {
		return 0, at, fmt.Errorf("read when retention was last kept: %w", err)
	}
	return d.Version, at, nil
}

// purgeTenant removes what has not changed since before, and counts the incidents.
func (f *Function) purgeTenant(ctx context.Context, tenant string, before time.Time) (purged int, err error) {
	for {
		n, err := f.Store.Purge(ctx, tenant, before, purgeLimit)
		purged += n
		if err != nil || n < purgeLimit {
			return purged, err
		}
	}
}
