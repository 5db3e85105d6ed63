package cosmos

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// The store of records lives in the state container, in partitions of its own, so that it neither fills nor slows a tenant's. Their
// names are no tenants': "!" is not in base64.
//
//	"~!documents/<kind>"   d-<id>   one document, replaced If-Match
//	"~!audit log/<tenant>"   e-<id>   one entry, TTL when it expires
//	                       audit log  says that there is one: what Journals finds
//
// An entry that tells of a commit or of a document cannot be written to the audit log in the batch of what it tells of: that is
// another partition. It goes along as a outbox entry beside it, and from there to the audit log: see outbox.go.
const (
	documentsPrefix = escapeMark + "!documents/"
	auditPartition  = escapeMark + "!journal/"

	documentType  = "document"
	entryType     = "entry"
	auditHeadType = "journal"
)

var _ store.Documents = (*Store)(nil)

// recordItem is a document or an entry. Its name is kept where the index of zone maps serves it in order: ids of items cannot
// hold every character, and there is no index of them that a question could use.
type recordItem struct {
	ID      string         `json:"id"`
	Tenant  string         `json:"tenant"` // the partition
	Type    string         `json:"type"`
	Name    string         `json:"cmin,omitzero"`
	Version uint64         `json:"v,omitzero"`
	Expires time.Time      `json:"expires,omitzero"`
	TTL     int64          `json:"ttl,omitzero"` // seconds
	Data    jsontext.Value `json:"data,omitzero"`
}

func recordID(mark, name string) string {
	return mark + base64.RawURLEncoding.EncodeToString([]byte(name))
}

// Document is store.Ledger.
func (s *Store) Document(ctx context.Context, kind, id string) (store.Document, error) {
	it, _, err := s.readDocument(ctx, s.partitionOf(documentsPrefix, kind), id)
	if err != nil {
		return store.Document{}, fmt.Errorf("read %s %q: %w", kind, id, err)
	}
	return store.Document{ID: id, Version: it.Version, Data: it.Data}, nil
}

func (s *Store) readDocument(ctx context.Context, p partition, id string) (it recordItem, etag azcore.ETag, err error) {
	if err := checkRecord(id, nil); err != nil {
		return it, "", err
	}
	read, err := s.client.readItem(ctx, stateContainer, p.pk, recordID("d-", id), p.session)
	if err != nil {
		return it, "", err
	}
	if err := json.Unmarshal(read.body, &it); err != nil {
		return it, "", fmt.Errorf("damaged item: %w", err)
	}
	return it, read.etag, nil
}

// ListDocuments is store.Ledger.
func (s *Store) ListDocuments(ctx context.Context, kind, after string, limit int) ([]store.Document, error) {
	q := sqlQuery{page: limit}
	q.text = "SELECT * FROM c WHERE c.type = " + q.bindParam(documentType) + " AND c.cmin > " + q.bindParam(after) + " ORDER BY c.cmin"
	items, err := s.listRecords(ctx, s.partitionOf(documentsPrefix, kind), q, limit)
	if err != nil {
		return nil, fmt.Errorf("list documents %s: %w", kind, err)
	}
	var out []store.Document
	for _, it := range items {
		out = append(out, store.Document{ID: it.Name, Version: it.Version, Data: it.Data})
	}
	return out, nil
}

// listRecords answers a question with at most limit items that have not expired.
func (s *Store) listRecords(ctx context.Context, p partition, q sqlQuery, limit int) (out []recordItem, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = s.client.runQuery(ctx, p.pk, q, p.session, func(data []byte) (bool, error) {
		var it recordItem
		if err := json.Unmarshal(data, &it); err != nil {
			return false, fmt.Errorf("damaged item: %w", err)
		}
		if it.Expires.IsZero() || it.Expires.After(s.opts.Now()) {
			out = append(out, it)
		}
		return len(out) < limit, nil
	})
	return out, err
}

// PutDocument is store.Ledger. When the answer is lost, nobody knows whether it was written: the error is then passing, and
// the same write again a conflict if it was.
func (s *Store) PutDocument(ctx context.Context, kind string, d store.Document) (uint64, error) {
	return s.putDocument(ctx, kind, d, nil)
}

// PutAudited is store.Ledger. An answer that is lost is as with PutDocument.
func (s *Store) PutAudited(ctx context.Context, kind string, d store.Document, tenant string, e store.AuditEntry) (uint64, error) {
	n, err := s.newOutboxEntry(documentsPrefix+partitionKey(kind), tenant, e)
	if err != nil {
		return 0, err
	}
	version, err := s.putDocument(ctx, kind, d, n)
	if err == nil {
		s.relayOutbox(ctx, n)
	}
	return version, err
}

func (s *Store) putDocument(ctx context.Context, kind string, d store.Document, n *outboxEntry) (uint64, error) {
	if err := checkRecord(d.ID, d.Data); err != nil {
		return 0, err
	}
	p := s.partitionOf(documentsPrefix, kind)
	it := recordItem{ID: recordID("d-", d.ID), Tenant: p.name, Type: documentType, Name: d.ID, Version: d.Version + 1, Data: d.Data}
	data, err := json.Marshal(it)
	if err != nil {
		return 0, fault.Errorf(fault.Invalid, "write %s %q: %w", kind, d.ID, err)
	}
	b := s.client.containers().state.NewTransactionalBatch(p.pk)
	if d.Version == 0 {
		b.CreateItem(data, nil)
	} else {
		old, etag, err := s.readDocument(ctx, p, d.ID)
		if err != nil && fault.Of(err) != fault.NotFound {
			return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
		}
		if old.Version != d.Version {
			return 0, fault.Errorf(fault.Conflict, "%s %q is at version %d, not %d", kind, d.ID, old.Version, d.Version)
		}
		b.ReplaceItem(it.ID, data, ifMatch(etag))
	}
	if err := n.addToBatch(&b); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	if _, err := s.client.runBatch(ctx, b, p.session); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	return it.Version, nil
}

// AppendEntry is store.Ledger.
func (s *Store) AppendEntry(ctx context.Context, tenant string, e store.AuditEntry) error {
	if err := checkRecord(e.ID, e.Data); err != nil {
		return err
	}
	p := s.partitionOf(auditPartition, tenant)
	it := recordItem{ID: recordID("e-", e.ID), Tenant: p.name, Type: entryType, Name: e.ID, Expires: e.Expires.UTC(), Data: e.Data}
	if !e.Expires.IsZero() {
		it.TTL = max(1, int64(e.Expires.Sub(s.opts.Now()).Seconds()))
	}
	entry, err := json.Marshal(it)
	if err != nil {
		return fault.Errorf(fault.Invalid, "append to journal of %q: %w", tenant, err)
	}
	head, err := json.Marshal(recordItem{ID: auditHeadType, Tenant: p.name, Type: auditHeadType})
	if err != nil {
		return err
	}
	const tries = 3 // an append whose answer is lost may be repeated: the second finds the first
	for try := 1; ; try++ {
		b := s.client.containers().state.NewTransactionalBatch(p.pk)
		b.CreateItem(entry, nil)
		b.UpsertItem(head, nil)
		_, err := s.client.runBatch(ctx, b, p.session)
		var lost *ambiguousError
		switch {
		case err == nil || fault.Of(err) == fault.Conflict:
			return nil
		case !errors.As(err, &lost) || try == tries:
			return fmt.Errorf("append to journal of %q: %w", tenant, err)
		}
	}
}

// Entries is store.Ledger.
func (s *Store) Entries(ctx context.Context, tenant, before string, limit int) ([]store.AuditEntry, error) {
	if err := s.relayLeftovers(ctx); err != nil {
		return nil, fmt.Errorf("read journal of %q: %w", tenant, err)
	}
	q := sqlQuery{page: limit}
	q.text = "SELECT * FROM c WHERE c.type = " + q.bindParam(entryType)
	if before != "" {
		q.text += " AND c.cmin < " + q.bindParam(before)
	}
	q.text += " ORDER BY c.cmin DESC"
	items, err := s.listRecords(ctx, s.partitionOf(auditPartition, tenant), q, limit)
	if err != nil {
		return nil, fmt.Errorf("read journal of %q: %w", tenant, err)
	}
	var out []store.AuditEntry
	for _, it := range items {
		out = append(out, store.AuditEntry{ID: it.Name, Expires: it.Expires, Data: it.Data})
	}
	return out, nil
}

// AuditedTenants is store.Ledger. Like Tenants it spans partitions.
func (s *Store) AuditedTenants(ctx context.Context) ([]string, error) {
	if err := s.relayLeftovers(ctx); err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	q := sqlQuery{text: "SELECT c.tenant FROM c WHERE c.type = 'journal'", page: 1000}
	var out []string
	err := s.client.runQuery(ctx, azcosmos.NewPartitionKey(), q, nil, func(data []byte) (bool, error) {
		var it recordItem
		err := json.Unmarshal(data, &it)
		out = append(out, tenantName(strings.TrimPrefix(it.Tenant, auditPartition)))
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

// maxRecordID is the longest id, in bytes, as the embedded store has it.
const maxRecordID = 200

func checkRecord(id string, data []byte) error {
	switch {
	case len(id) > maxRecordID:
		return fault.Errorf(fault.Invalid, "id: %d bytes are more than %d", len(id), maxRecordID)
	case len(data) > store.MaxDocument:
		return fault.Errorf(fault.TooLarge, "%d bytes are more than %d", len(data), store.MaxDocument)
	}
	return nil
}
