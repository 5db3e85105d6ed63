package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/store"
)

// auditLog keeps the audit logs of all tenants.
type auditLog struct {
	dir *datadir.Dir
	now func() time.Time // what has expired by it is not listed
	mu  sync.Mutex       // writes of entries and documents follow one another
}

// AppendEntry is store.AuditLog.
func (a *auditLog) AppendEntry(ctx context.Context, tenant string, e store.AuditEntry) error {
	if err := checkNames(ctx, "tenant", tenant, e.ID, e.Data); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := idKey(auditTable, tenant, e.ID)
	_, closer, err := a.dir.DB.Get(key)
	if err == nil {
		return closer.Close()
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("append to audit log of %q: %w", tenant, err)
	}
	b := a.dir.DB.NewBatch()
	if err := a.stageEntries(b, tenant, e); err != nil {
		return errors.Join(fmt.Errorf("append to audit log of %q: %w", tenant, err), b.Close())
	}
	if err := a.dir.Apply(b, true); err != nil {
		return fmt.Errorf("append to audit log of %q: %w", tenant, err)
	}
	return nil
}

// stageEntries puts entries into a batch, and makes room by dropping the oldest that have expired.
func (a *auditLog) stageEntries(b *pebble.Batch, tenant string, entries ...store.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := a.dropExpired(b, tenant); err != nil {
		return err
	}
	for _, e := range entries {
		err := checkNames(context.Background(), "tenant", tenant, e.ID, e.Data)
		if err == nil {
			err = b.Set(idKey(auditTable, tenant, e.ID), append(datadir.AppendUint(nil, datadir.TimeKey(e.Expires)), e.Data...), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxDropped is how many expired entries one batch takes out.
const maxDropped = 16

func (a *auditLog) dropExpired(b *pebble.Batch, tenant string) error {
	prefix := datadir.Key(auditTable, tenant)
	it, err := a.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)})
	if err != nil {
		return err
	}
	now := datadir.TimeKey(a.now())
	for n, ok := 0, it.First(); ok && n < maxDropped; n, ok = n+1, it.Next() {
		expires, _, err := cutNumber(it.Value())
		if err != nil || expires == 0 || expires > now {
			break
		}
		if err := b.Delete(it.Key(), nil); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}

// Entries is store.AuditLog.
func (a *auditLog) Entries(ctx context.Context, tenant, before string, limit int) ([]store.AuditEntry, error) {
	if err := checkNames(ctx, "tenant", tenant, before, nil); err != nil {
		return nil, err
	}
	prefix := datadir.Key(auditTable, tenant)
	to := datadir.PrefixEnd(prefix)
	if before != "" {
		to = idKey(auditTable, tenant, before)
	}
	it, err := a.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: to})
	if err != nil {
		return nil, fmt.Errorf("read audit log of %q: %w", tenant, err)
	}
	now := datadir.TimeKey(a.now())
	var out []store.AuditEntry
	for ok := it.Last(); ok && len(out) < limit; ok = it.Prev() {
		expires, data, err := cutNumber(it.Value())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read audit log of %q: %w", tenant, err), it.Close())
		}
		if expires == 0 || expires > now {
			out = append(out, store.AuditEntry{ID: string(it.Key()[len(prefix):]), Expires: datadir.KeyTime(expires), Data: data})
		}
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("read audit log of %q: %w", tenant, err)
	}
	return out, nil
}

// AuditedTenants is store.AuditLog.
func (a *auditLog) AuditedTenants(ctx context.Context) ([]string, error) {
	prefix := []byte{auditTable}
	it, err := a.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.PrefixEnd(prefix)})
	if err != nil {
		return nil, fmt.Errorf("list audit logs: %w", err)
	}
	var out []string
	for ok := it.First(); ok; {
		k := it.Key()[1:]
		tenant := string(k[1 : 1+k[0]])
		out = append(out, tenant)
		ok = it.SeekGE(datadir.PrefixEnd(datadir.Key(auditTable, tenant)))
	}
	if err := errors.Join(ctx.Err(), it.Close()); err != nil {
		return nil, fmt.Errorf("list audit logs: %w", err)
	}
	slices.Sort(out)
	return out, nil
}
