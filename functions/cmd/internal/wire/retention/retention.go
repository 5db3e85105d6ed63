// Package retention forgets what the owner no longer wants to keep: the same for standalone and the cloud.
//
//	host: now and then ─▶ Turn ─ once a day ─▶ every tenant ─▶ store.Purge
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Store is what a keeper asks of a store.
type Store interface {
	store.Retention
	Tenants(ctx context.Context) ([]string, error)
	Document(ctx context.Context, kind, id string) (store.Document, error)
	PutDocument(ctx context.Context, kind string, d store.Document) (version uint64, err error)
}

// Keeper forgets incidents that are resolved and have not changed for Days, with their alerts. 0 keeps everything.
type Keeper struct {
	Store Store
	Days  int
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	kind, id = "retention", "last" // of the document that says when the last round ended
	every    = 24 * time.Hour
	atOnce   = 20 // incidents a call
)

// Turn goes one round when the last was a day ago, whichever process that was. A round that breaks off is gone again at the
// next turn. Two at once do each other no harm.
func (k *Keeper) Turn(ctx context.Context) error {
	if k.Days <= 0 {
		return nil
	}
	version, last, err := k.last(ctx)
	now := k.Now().UTC()
	if err != nil || now.Sub(last) < every {
		return err
	}
	tenants, err := k.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		n, broke := k.round(ctx, tenant, now.Add(-time.Duration(k.Days)*24*time.Hour))
		if n > 0 {
			k.Log.InfoContext(ctx, "forgot resolved incidents", "tenant", tenant, "incidents", n, "days", k.Days)
		}
		err = errors.Join(err, broke)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(now)
	if err == nil {
		_, err = k.Store.PutDocument(ctx, kind, store.Document{ID: id, Version: version, Data: data})
	}
	if fault.Of(err) == fault.Conflict { // another has just ended one
		return nil
	}
	return err
}

func (k *Keeper) last(ctx context.Context) (version uint64, at time.Time, err error) {
	d, err := k.Store.Document(ctx, kind, id)
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

// round forgets until nothing more is due.
func (k *Keeper) round(ctx context.Context, tenant string, before time.Time) (all int, err error) {
	for {
		n, err := k.Store.Purge(ctx, tenant, before, atOnce)
		all += n
		if err != nil || n < atOnce {
			return all, err
		}
	}
}
