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
	Cursor   string    `json:"cursor,omitzero"`
	Sent     int64     `json:"sent"`               // records taken, repeats included
	Aside    int64     `json:"aside"`              // records set aside
	LastSent time.Time `json:"lastSent,omitzero"`  // when the receiver last took something
	LastRun  time.Time `json:"lastRun,omitzero"`   // when it last caught up
	Error    string    `json:"lastError,omitzero"` // why it failed last, until it succeeds
	ErrorAt  time.Time `json:"lastErrorAt,omitzero"`
	Failures int       `json:"failures,omitzero"` // in a row
}

// documentID tells exports of one name and different tenants apart: a cursor of one tenant means nothing to another.
func (e Export) documentID() string {
	sum := sha256.Sum256([]byte(e.Tenant))
	return e.Name + "." + hex.EncodeToString(sum[:8])
}

// load reads a document into v and gives its version, 0 when there is none.
func load(ctx context.Context, l Ledger, kind, id string, v any) (uint64, error) {
	d, err := l.Document(ctx, kind, id)
	switch {
	case err != nil && fault.Of(err) == fault.NotFound:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read %s %s: %w", kind, id, err)
	}
	if err := json.Unmarshal(d.Data, v); err != nil {
		return 0, fmt.Errorf("read %s %s: %w", kind, id, err)
	}
	return d.Version, nil
}

// keep writes v as the next version.
func keep(ctx context.Context, l Ledger, kind, id string, version uint64, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s %s: %w", kind, id, err)
	}
	if _, err := l.PutDocument(ctx, kind, store.Document{ID: id, Version: version, Data: data}); err != nil {
		return fmt.Errorf("write %s %s: %w", kind, id, err)
	}
	return nil
}
