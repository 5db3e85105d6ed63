package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// The kinds of the documents an export keeps.
const (
	progressKind = "export"
	logKind      = "export-log"
)

// Progress is how far an export has come, as it is kept.
type Progress struct {
	Cursor       string    `json:"cursor,omitzero"`      // of store.Changes
	Sent         int64     `json:"sent"`                 // records taken, repeats included
	DeadLettered int64     `json:"aside"`                // records refused for good
	LastSent     time.Time `json:"lastSent,omitzero"`    // when the receiver last took something
	LastRun      time.Time `json:"lastRun,omitzero"`     // when the export last caught up with the feed
	Error        string    `json:"lastError,omitzero"`   // why it failed last, until it succeeds
	ErrorAt      time.Time `json:"lastErrorAt,omitzero"` // when
	Failures     int       `json:"failures,omitzero"`    // in a row
}

func (p *Progress) addOutcomes(ds []Delivery) {
	for _, d := range ds {
		if d.DeadLettered {
			p.DeadLettered++
		} else {
			p.Sent++
		}
	}
}

// documentID differs for exports of one name and different tenants: a cursor of one tenant means nothing to another.
func (e Export) documentID() string {
	sum := sha256.Sum256([]byte(e.Tenant))
	return e.Name + "." + hex.EncodeToString(sum[:8])
}

// documents are those of one export, one of each kind.
type documents struct {
	store Documents
	id    string
}

// load reads a document into v and gives its version, 0 when there is none.
func (d documents) load(ctx context.Context, kind string, v any) (version uint64, err error) {
	doc, err := d.store.Document(ctx, kind, d.id)
	switch {
	case err != nil && fault.Of(err) == fault.NotFound:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read %s %s: %w", kind, d.id, err)
	}
	if err := json.Unmarshal(doc.Data, v); err != nil {
		return 0, fmt.Errorf("read %s %s: %w", kind, d.id, err)
	}
	return doc.Version, nil
}

// save writes v as the version after the one given. A version that somebody else wrote meanwhile is fault.Conflict.
func (d documents) save(ctx context.Context, kind string, version uint64, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s %s: %w", kind, d.id, err)
	}
	if _, err := d.store.PutDocument(ctx, kind, store.Document{ID: d.id, Version: version, Data: data}); err != nil {
		return fmt.Errorf("write %s %s: %w", kind, d.id, err)
	}
	return nil
}
