package store

import (
	"context"

	"github.com/onepane/onepane/shared/incident"
)

// MaxDocument bounds the data of a Document and of an AuditEntry, in bytes (256 KiB).
const MaxDocument = 256 << 10

// Documents keeps small things that people or functions set: API keys, settings, progress. A document has a kind (a
// short name of what it is, as "key") and an id, unique within its kind; kind and id are at most 200 bytes each. A
// write that returned nil survives a crash.
type Documents interface {
	// Document finds one document; fault.NotFound when there is none.
	Document(ctx context.Context, kind, id string) (Document, error)
	// ListDocuments lists up to limit documents of a kind with ids greater than after ("" for the first), ascending by
	// id.
	ListDocuments(ctx context.Context, kind, after string, limit int) ([]Document, error)
	// PutDocument writes d and returns its new version, d.Version+1. It is fault.Conflict, and changes nothing, unless
	// d.Version is the stored version: 0 when there is no such document. Data of more than MaxDocument bytes is
	// fault.TooLarge.
	PutDocument(ctx context.Context, kind string, d Document) (version uint64, err error)
	// PutAudited is PutDocument together with an entry of the tenant's audit log: both are written or neither, even
	// through a crash at any point.
	PutAudited(ctx context.Context, kind string, d Document, tenant string, e AuditEntry) (version uint64, err error)
}

// AuditLog keeps who did what: one log for each tenant, and one, of the tenant "", for what belongs to no single
// tenant. A log only grows, until its entries expire. A write that returned nil survives a crash.
type AuditLog interface {
	// AppendEntry adds e to a tenant's log. An entry with an id that the log has already changes nothing. Data of more
	// than MaxDocument bytes is fault.TooLarge.
	AppendEntry(ctx context.Context, tenant string, e AuditEntry) error
	// Entries lists up to limit entries that have not expired, with ids less than before ("" for all), descending by
	// id.
	Entries(ctx context.Context, tenant, before string, limit int) ([]AuditEntry, error)
	// AuditedTenants lists the tenants that have a log, sorted; "" is among them when it has one.
	AuditedTenants(ctx context.Context) ([]string, error)
}

// Document is one small thing that somebody set.
type Document struct {
	ID      string
	Version uint64 // how often it was written; 0 is a document that is not stored yet
	Data    []byte // JSON
}

// AuditEntry is one entry of an audit log.
type AuditEntry = incident.AuditEntry
