package localstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Tables of the ledger. A document is its version, then its data; an entry is when it expires as a datadir.TimeKey, 0 for
// never, then its data.
const (
	documentTable = 'd'
	auditTable    = 'j'
)

var (
	_ store.Documents = (*Store)(nil)
	_ store.AuditLog  = (*Store)(nil)
)

// Document is store.Documents.
func (s *Store) Document(ctx context.Context, kind, id string) (store.Document, error) {
	if err := checkNames(ctx, "kind", kind, id, nil); err != nil {
		return store.Document{}, err
	}
	v, closer, err := s.dir.DB.Get(idKey(documentTable, kind, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return store.Document{}, fault.Errorf(fault.NotFound, "no %s %q", kind, id)
	}
	if err != nil {
		return store.Document{}, fmt.Errorf("read %s %q: %w", kind, id, err)
	}
	defer closer.Close()
	number, data, err := cutNumber(v)
	if err != nil {
		return store.Document{}, fmt.Errorf("read %s %q: %w", kind, id, err)
	}
	return store.Document{ID: id, Version: number, Data: data}, nil
}

// ListDocuments is store.Documents.
func (s *Store) ListDocuments(ctx context.Context, kind, after string, limit int) ([]store.Document, error) {
	if err := checkNames(ctx, "kind", kind, after, nil); err != nil {
		return nil, err
	}
	prefix := datadir.Key(documentTable, kind)
	from := prefix
	if after != "" {
		from = append(idKey(documentTable, kind, after), 0)
	}
	it, err := s.dir.DB.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: datadir.After(prefix)})
	if err != nil {
		return nil, fmt.Errorf("list documents %s: %w", kind, err)
	}
	var out []store.Document
	for ok := it.First(); ok && len(out) < limit; ok = it.Next() {
		number, data, err := cutNumber(it.Value())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("list documents %s: %w", kind, err), it.Close())
		}
		out = append(out, store.Document{ID: string(it.Key()[len(prefix):]), Version: number, Data: data})
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("list documents %s: %w", kind, err)
	}
	return out, nil
}

// PutDocument is store.Documents.
func (s *Store) PutDocument(ctx context.Context, kind string, d store.Document) (uint64, error) {
	return s.putDocument(ctx, kind, d, func(*pebble.Batch) error { return nil })
}

// PutAudited is store.Documents.
func (s *Store) PutAudited(ctx context.Context, kind string, d store.Document, tenant string, e store.AuditEntry) (uint64, error) {
	return s.putDocument(ctx, kind, d, func(b *pebble.Batch) error { return s.stageEntries(b, tenant, e) })
}

// putDocument writes a document with what else belongs into its batch.
func (s *Store) putDocument(ctx context.Context, kind string, d store.Document, also func(*pebble.Batch) error) (uint64, error) {
	if err := checkNames(ctx, "kind", kind, d.ID, d.Data); err != nil {
		return 0, err
	}
	s.documentMu.Lock()
	defer s.documentMu.Unlock()
	old, err := s.Document(ctx, kind, d.ID)
	if err != nil && fault.Of(err) != fault.NotFound {
		return 0, err
	}
	if old.Version != d.Version {
		return 0, fault.Errorf(fault.Conflict, "%s %q is at version %d, not %d", kind, d.ID, old.Version, d.Version)
	}
	b := s.dir.DB.NewBatch()
	if err := errors.Join(b.Set(idKey(documentTable, kind, d.ID), append(datadir.AppendUint(nil, d.Version+1), d.Data...), nil), also(b)); err != nil {
		return 0, errors.Join(err, b.Close())
	}
	if err := s.dir.Apply(b, true); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	return d.Version + 1, nil
}

// AppendEntry is store.AuditLog.
func (s *Store) AppendEntry(ctx context.Context, tenant string, e store.AuditEntry) error {
	if err := checkNames(ctx, "tenant", tenant, e.ID, e.Data); err != nil {
		return err
	}
	s.documentMu.Lock()
	defer s.documentMu.Unlock()
	key := idKey(auditTable, tenant, e.ID)
	_, closer, err := s.dir.DB.Get(key)
	if err == nil {
		return closer.Close()
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("append to journal of %q: %w", tenant, err)
	}
	b := s.dir.DB.NewBatch()
	if err := s.stageEntries(b, tenant, e); err != nil {
		return errors.Join(fmt.Errorf("append to journal of %q: %w", tenant, err), b.Close())
	}
	if err := s.dir.Apply(b, true); err != nil {
		return fmt.Errorf("append to journal of %q: %w", tenant, err)
	}
	return nil
}

// stageEntries puts entries into a batch, and makes room by dropping the oldest that have expired.
func (s *Store) stageEntries(b *pebble.Batch, tenant string, entries ...store.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := s.dropExpired(b, tenant); err != nil {
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

func (s *Store) dropExpired(b *pebble.Batch, tenant string) error {
	prefix := datadir.Key(auditTable, tenant)
	it, err := s.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.After(prefix)})
	if err != nil {
		return err
	}
	now := datadir.TimeKey(s.opts.Now())
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
func (s *Store) Entries(ctx context.Context, tenant, before string, limit int) ([]store.AuditEntry, error) {
	if err := checkNames(ctx, "tenant", tenant, before, nil); err != nil {
		return nil, err
	}
	prefix := datadir.Key(auditTable, tenant)
	to := datadir.After(prefix)
	if before != "" {
		to = idKey(auditTable, tenant, before)
	}
	it, err := s.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: to})
	if err != nil {
		return nil, fmt.Errorf("read journal of %q: %w", tenant, err)
	}
	now := datadir.TimeKey(s.opts.Now())
	var out []store.AuditEntry
	for ok := it.Last(); ok && len(out) < limit; ok = it.Prev() {
		expires, data, err := cutNumber(it.Value())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read journal of %q: %w", tenant, err), it.Close())
		}
		if expires == 0 || expires > now {
			out = append(out, store.AuditEntry{ID: string(it.Key()[len(prefix):]), Expires: datadir.KeyTime(expires), Data: data})
		}
	}
	if err := it.Close(); err != nil {
		return nil, fmt.Errorf("read journal of %q: %w", tenant, err)
	}
	return out, nil
}

// AuditedTenants is store.AuditLog.
func (s *Store) AuditedTenants(ctx context.Context) ([]string, error) {
	prefix := []byte{auditTable}
	it, err := s.dir.DB.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: datadir.After(prefix)})
	if err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	var out []string
	for ok := it.First(); ok; {
		k := it.Key()[1:]
		tenant := string(k[1 : 1+k[0]])
		out = append(out, tenant)
		ok = it.SeekGE(datadir.After(datadir.Key(auditTable, tenant)))
	}
	if err := errors.Join(ctx.Err(), it.Close()); err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

// checkNames refuses names that no key can hold, and data that is too large.
func checkNames(ctx context.Context, what, name, id string, data []byte) error {
	if len(data) > store.MaxDocument {
		return fault.Errorf(fault.TooLarge, "%s %q: %d bytes are more than %d", what, name, len(data), store.MaxDocument)
	}
	return errors.Join(ctx.Err(), datadir.CheckName(what, name), datadir.CheckName("id", id))
}

// cutNumber reads a number of 8 bytes and the data behind it, as a copy.
func cutNumber(v []byte) (uint64, []byte, error) {
	if len(v) < 8 {
		return 0, nil, errors.New("damaged")
	}
	return datadir.Uint(v[:8]), slices.Clone(v[8:]), nil
}
