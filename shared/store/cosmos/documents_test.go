package cosmos_test

import (
	"testing"
	"time"

	local "github.com/onepane/onepane/infra/local/cosmos"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/shared/store/storetest"
)

func TestDocumentsAndAuditLog(t *testing.T) {
	storetest.RunDocuments(t, func(t *testing.T) storetest.DocumentsDriver {
		now := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
		a := account(t, local.Options{})
		opts := cosmos.Options{Now: func() time.Time { return now }}
		return storetest.DocumentsDriver{
			Store: open(t, a, opts), Now: opts.Now,
			Later: func(d time.Duration) { now = now.Add(d) },
			Crash: func(t *testing.T) storetest.DocumentStore { return open(t, a, opts) },
		}
	})
}

// The partitions of documents and audit logs are no tenants.
func TestRecordsAreNoTenants(t *testing.T) {
	s := open(t, account(t, local.Options{}), cosmos.Options{})
	if err := s.AppendEntry(t.Context(), "contoso", store.AuditEntry{ID: "e", Data: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutDocument(t.Context(), "key", store.Document{ID: "k", Data: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if tenants, err := s.Tenants(t.Context()); err != nil || len(tenants) != 0 {
		t.Errorf("tenants %q, %v", tenants, err)
	}
}
