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

// Tables of documents and audit logs. A document is its version and its data; an audit entry is its expiry as a
// datadir.TimeKey, 0 for never, and its data.
const (
	documentTable = 'd'
	auditTable    = 'j'
)

// documents keeps documents, and writes the audit entries that go with them.
type documents struct {
	dir   *datadir.Dir
	audit *auditLog
}

// Document is store.Documents.
func (t *documents) Document(ctx context.Context, kind, id string) (store.Document, error) {
	if err := checkNames(ctx, "kind", kind, id, nil); err != nil {
		return store.Document{}, err
	}
	v, closer, err := t.dir.DB.Get(idKey(documentTable, kind, id))
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
func (t *documents) ListDocuments(ctx context.Context, kind, after string, limit int) ([]store.Document, error) {
	if err := checkNames(ctx, "kind", kind, after, nil); err != nil {
		return nil, err
	}
	prefix := datadir.Key(documentTable, kind)
	from := prefix
	if after != "" {
		from = append(idKey(documentTable, kind, after), 0)
	}
	it, err := t.dir.DB.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: datadir.PrefixEnd(prefix)})
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
func (t *documents) PutDocument(ctx context.Context, kind string, d store.Document) (uint64, error) {
	return t.putDocument(ctx, kind, d, func(*pebble.Batch) error { return nil })
}

// PutAudited is store.Documents.
func (t *documents) PutAudited(ctx context.Context, kind string, d store.Document, tenant string, e store.AuditEntry) (uint64, error) {
	return t.putDocument(ctx, kind, d, func(b *pebble.Batch) error { return t.audit.stageEntries(b, tenant, e) })
}

// putDocument writes a document with what else belongs into its batch.
func (t *documents) putDocument(ctx context.Context, kind string, d store.Document, also func(*pebble.Batch) error) (uint64, error) {
	if err := checkNames(ctx, "kind", kind, d.ID, d.Data); err != nil {
		return 0, err
	}
	t.audit.mu.Lock()
	defer t.audit.mu.Unlock()
	old, err := t.Document(ctx, kind, d.ID)
	if err != nil && fault.Of(err) != fault.NotFound {
		return 0, err
	}
	if old.Version != d.Version {
		return 0, fault.Errorf(fault.Conflict, "%s %q is at version %d, not %d", kind, d.ID, old.Version, d.Version)
	}
	b := t.dir.DB.NewBatch()
	if err := errors.Join(b.Set(idKey(documentTable, kind, d.ID), append(datadir.AppendUint(nil, d.Version+1), d.Data...), nil), also(b)); err != nil {
		return 0, errors.Join(err, b.Close())
	}
	if err := t.dir.Apply(b, true); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	return d.Version + 1, nil
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
	return datadir.TrailingUint(v[:8]), slices.Clone(v[8:]), nil
}
