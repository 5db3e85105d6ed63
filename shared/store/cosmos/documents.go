package cosmos

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// documents is store.Documents. They live in the state container, in partitions of their own, so that they neither
// fill nor slow a tenant's. Their names are no tenants': "!" is not in base64.
//
//	"~!documents/<kind>"   d-<id>   one document, replaced If-Match
type documents struct {
	*backend
	audit *auditLog
}

const (
	documentsPrefix = cosmosdb.EscapeMark + "!documents/"
	documentType    = "document"
)

// Document is store.Documents.
func (s *documents) Document(ctx context.Context, kind, id string) (store.Document, error) {
	it, _, err := s.readDocument(ctx, s.client.PartitionOf(documentsPrefix, kind), id)
	if err != nil {
		return store.Document{}, fmt.Errorf("read %s %q: %w", kind, id, err)
	}
	return store.Document{ID: id, Version: it.Version, Data: it.Data}, nil
}

func (s *documents) readDocument(ctx context.Context, p cosmosdb.Partition, id string) (it recordItem, etag azcore.ETag, err error) {
	if err := checkRecord(id, nil); err != nil {
		return it, "", err
	}
	read, err := s.client.ReadItem(ctx, p, recordID("d-", id))
	if err != nil {
		return it, "", err
	}
	if err := json.Unmarshal(read.Body, &it); err != nil {
		return it, "", fmt.Errorf("damaged item: %w", err)
	}
	return it, read.ETag, nil
}

// ListDocuments is store.Documents.
func (s *documents) ListDocuments(ctx context.Context, kind, after string, limit int) ([]store.Document, error) {
	q := cosmosdb.Query{Page: limit}
	q.Text = "SELECT * FROM c WHERE c.type = " + q.BindParam(documentType) + " AND c.cmin > " + q.BindParam(after) + " ORDER BY c.cmin"
	items, err := s.listRecords(ctx, s.client.PartitionOf(documentsPrefix, kind), q, limit)
	if err != nil {
		return nil, fmt.Errorf("list documents %s: %w", kind, err)
	}
	var out []store.Document
	for _, it := range items {
		out = append(out, store.Document{ID: it.Name, Version: it.Version, Data: it.Data})
	}
	return out, nil
}

// PutDocument is store.Documents. When the answer is lost, nobody knows whether it was written: the error is then
// transient, and the same write again a conflict if it was.
func (s *documents) PutDocument(ctx context.Context, kind string, d store.Document) (uint64, error) {
	return s.putDocument(ctx, kind, d, nil)
}

// PutAudited is store.Documents. An answer that is lost is as with PutDocument.
func (s *documents) PutAudited(ctx context.Context, kind string, d store.Document, tenant string, e store.AuditEntry) (uint64, error) {
	n, err := newOutboxEntry(documentsPrefix+cosmosdb.EscapeName(kind), tenant, e)
	if err != nil {
		return 0, err
	}
	version, err := s.putDocument(ctx, kind, d, n)
	if err == nil {
		s.audit.relayOutbox(ctx, n)
	}
	return version, err
}

func (s *documents) putDocument(ctx context.Context, kind string, d store.Document, n *outboxEntry) (uint64, error) {
	if err := checkRecord(d.ID, d.Data); err != nil {
		return 0, err
	}
	p := s.client.PartitionOf(documentsPrefix, kind)
	it := recordItem{ID: recordID("d-", d.ID), Tenant: p.Name, Type: documentType, Name: d.ID, Version: d.Version + 1, Data: d.Data}
	data, err := json.Marshal(it)
	if err != nil {
		return 0, fault.Errorf(fault.Invalid, "write %s %q: %w", kind, d.ID, err)
	}
	b := &cosmosdb.Batch{}
	if d.Version == 0 {
		b.CreateItem(data)
	} else {
		old, etag, err := s.readDocument(ctx, p, d.ID)
		if err != nil && fault.Of(err) != fault.NotFound {
			return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
		}
		if old.Version != d.Version {
			return 0, fault.Errorf(fault.Conflict, "%s %q is at version %d, not %d", kind, d.ID, old.Version, d.Version)
		}
		b.ReplaceItem(it.ID, data, etag)
	}
	if err := n.addToBatch(b); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	if _, err := s.client.RunBatch(ctx, p, b); err != nil {
		return 0, fmt.Errorf("write %s %q: %w", kind, d.ID, err)
	}
	return it.Version, nil
}

// recordItem is a document or an entry. Its name is kept where the index of zone maps serves it in order: ids of
// items cannot hold every character, and there is no index of them that a question could use.
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

// listRecords answers a question with at most limit items that have not expired.
func (b *backend) listRecords(ctx context.Context, p cosmosdb.Partition, q cosmosdb.Query, limit int) (out []recordItem, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = b.client.RunQuery(ctx, p, q, func(data []byte) (bool, error) {
		var it recordItem
		if err := json.Unmarshal(data, &it); err != nil {
			return false, fmt.Errorf("damaged item: %w", err)
		}
		if it.Expires.IsZero() || it.Expires.After(b.opts.Now()) {
			out = append(out, it)
		}
		return len(out) < limit, nil
	})
	return out, err
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
