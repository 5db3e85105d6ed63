package access

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/store"
)

// AuditLog keeps the audit log in the store's.
type AuditLog struct {
	Log  store.AuditLog
	Keep time.Duration // how long an entry is kept; 0 is for good
}

var _ api.AuditLog = AuditLog{}

// Append is api.Audit.
func (a AuditLog) Append(ctx context.Context, e api.AuditEntry) error {
	line, err := a.EncodeEntry(e)
	if err != nil {
		return err
	}
	return a.Log.AppendEntry(ctx, e.Tenant, line)
}

// EncodeEntry is api.Audit. An entry that is too large for the store loses what was before and after, and says so.
func (a AuditLog) EncodeEntry(e api.AuditEntry) (store.AuditEntry, error) {
	data, err := json.Marshal(e)
	if err == nil && len(data) > store.MaxDocument {
		e.Before, e.After = nil, jsontext.Value(fmt.Sprintf(`{"omitted":"%d bytes before, %d after"}`, len(e.Before), len(e.After)))
		data, err = json.Marshal(e)
	}
	if err != nil {
		return store.AuditEntry{}, fmt.Errorf("encode audit entry: %w", err)
	}
	entry := store.AuditEntry{ID: e.ID, Data: data}
	if a.Keep > 0 {
		entry.Expires = e.Time.Add(a.Keep)
	}
	return entry, nil
}

// Entries is api.Audit.
func (a AuditLog) Entries(ctx context.Context, tenant, before string, limit int) ([]api.AuditEntry, error) {
	es, err := a.Log.Entries(ctx, tenant, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]api.AuditEntry, len(es))
	for i, e := range es {
		if err := json.Unmarshal(e.Data, &out[i]); err != nil {
			return nil, fmt.Errorf("read audit entry %s: %w", e.ID, err)
		}
	}
	return out, nil
}

// Tenants is api.Audit.
func (a AuditLog) Tenants(ctx context.Context) ([]string, error) { return a.Log.AuditedTenants(ctx) }
