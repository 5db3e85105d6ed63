package store

import (
	"context"

	"github.com/onepane/onepane/shared/incident"
)

// MaxDocument bounds a document and an entry, in bytes.
const MaxDocument = 256 << 10

// Ledger keeps what people set and did, beside what alerts become: small documents that are replaced, and a journal for each
// tenant that only grows. Both are durable when a write returns nil.
type Ledger interface {
	// Document finds one document; fault.NotFound when there is none. A kind is a short name of what it is, as "key".
	Document(ctx context.Context, kind, id string) (Document, error)
	// Documents lists up to limit documents of a kind with ids after the given one ("" for the first), by id.
	Documents(ctx context.Context, kind, after string, limit int) ([]Document, error)
	// PutDocument writes d and gives it the next version. It is fault.Conflict, and changes nothing, unless d.Version is the one
	// that is stored: 0 when there is none. A document of more than MaxDocument bytes is fault.TooLarge.
	PutDocument(ctx context.Context, kind string, d Document) (version uint64, err error)
	// PutNoted is PutDocument with an entry of a tenant's journal that tells of it: both are written or neither, even through a
	// crash at any point.
	PutNoted(ctx context.Context, kind string, d Document, tenant string, e Entry) (version uint64, err error)

	// Append adds an entry to a tenant's journal; "" is the journal of what is not one tenant's. An id that is there already
	// keeps what it has.
	Append(ctx context.Context, tenant string, e Entry) error
	// Entries lists up to limit entries with ids before the given one ("" for all), the greatest first. Those that have expired
	// are left out.
	Entries(ctx context.Context, tenant, before string, limit int) ([]Entry, error)
	// Journals lists the tenants that have journals, sorted.
	Journals(ctx context.Context) ([]string, error)
}

// Document is one small thing that somebody set.
type Document struct {
	ID      string
	Version uint64 // counts its writes, from 1
	Data    []byte // JSON
}

// Entry is one line of a journal.
type Entry = incident.AuditEntry
