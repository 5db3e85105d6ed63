package cosmos_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch.
func TestBatchLimits(t *testing.T) {
	f := startFixture(t, thingsContainer())
	for _, tt := range []struct {
		operations, bytes, code int
	}{{1, 10, 0}, {100, 10, 0}, {101, 10, 400}, {2, 1 << 20, 413}, {2, 1<<20 - 200, 0}} {
		batch := f.c.NewTransactionalBatch(partitionKey("t1"))
		for i := range tt.operations {
			batch.UpsertItem(fmt.Appendf(nil, `{"id":"i%d","tenant":"t1","x":"%s"}`, i, strings.Repeat("x", tt.bytes)), nil)
		}
		_, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, nil)
		wantStatus(t, fmt.Sprintf("a batch of %d operations of %d bytes", tt.operations, tt.bytes), err, tt.code)
	}
}

// What each kind of operation answers when it is the one that fails.
func TestBatchFailures(t *testing.T) {
	f := startFixture(t, thingsContainer())
	old := f.createItem(t, "t1", `{"id":"a","tenant":"t1","n":1}`).ETag
	f.createItem(t, "t1", `{"id":"moving","tenant":"t1"}`)
	if _, err := f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":2}`), nil); err != nil {
		t.Fatal(err)
	}
	stale := &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &old}
	var set azcosmos.PatchOperations
	set.AppendSet("/n", 5)
	for _, tt := range []struct {
		what string
		add  func(b *azcosmos.TransactionalBatch)
		code int32
	}{
		{"create what is there", func(b *azcosmos.TransactionalBatch) { b.CreateItem([]byte(`{"id":"a","tenant":"t1"}`), nil) }, 409},
		{"create in another partition", func(b *azcosmos.TransactionalBatch) { b.CreateItem([]byte(`{"id":"x","tenant":"t2"}`), nil) }, 400},
		{"replace what is not there", func(b *azcosmos.TransactionalBatch) {
			b.ReplaceItem("x", []byte(`{"id":"x","tenant":"t1"}`), nil)
		}, 404},
		{"replace a stale version", func(b *azcosmos.TransactionalBatch) {
			b.ReplaceItem("a", []byte(`{"id":"a","tenant":"t1"}`), stale)
		}, 412},
		{"replace under another id", func(b *azcosmos.TransactionalBatch) {
			b.ReplaceItem("a", []byte(`{"id":"b","tenant":"t1"}`), nil)
		}, 400},
		{"upsert a stale version", func(b *azcosmos.TransactionalBatch) { b.UpsertItem([]byte(`{"id":"a","tenant":"t1"}`), stale) }, 412},
		{"delete what is not there", func(b *azcosmos.TransactionalBatch) { b.DeleteItem("x", nil) }, 404},
		{"delete a stale version", func(b *azcosmos.TransactionalBatch) { b.DeleteItem("a", stale) }, 412},
		{"read what is not there", func(b *azcosmos.TransactionalBatch) { b.ReadItem("x", nil) }, 404},
		{"patch what is not there", func(b *azcosmos.TransactionalBatch) { b.PatchItem("x", set, nil) }, 404},
		{"patch a stale version", func(b *azcosmos.TransactionalBatch) { b.PatchItem("a", set, stale) }, 412},
	} {
		batch := f.c.NewTransactionalBatch(partitionKey("t1"))
		batch.PatchItem("moving", set, nil)
		tt.add(&batch)
		batch.DeleteItem("moving", nil)
		r, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		if got := r.OperationResults; r.Success || got[0].StatusCode != 424 || got[1].StatusCode != tt.code || got[2].StatusCode != 424 {
			t.Errorf("%s: success %v, %d %d %d, want 424 %d 424", tt.what, r.Success, got[0].StatusCode, got[1].StatusCode, got[2].StatusCode, tt.code)
		}
	}
	read, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "moving", nil)
	wantStatus(t, "read what the failed batches patched and deleted", err, 0)
	if v := parseItem(t, read.Value); v["n"] != nil {
		t.Errorf("a failed batch left %v", v)
	}
}

// A batch that prefers a minimal answer has none: azcosmos v1.5.0, ExecuteTransactionalBatch, says that the service
// does not send a payload then.
func TestMinimalBatchHasNoBody(t *testing.T) {
	f := startFixture(t, thingsContainer())
	f.createItem(t, "t1", `{"id":"a","tenant":"t1"}`)
	for _, tt := range []struct {
		id      string
		success bool
	}{{"b", true}, {"a", false}} {
		batch := f.c.NewTransactionalBatch(partitionKey("t1"))
		batch.CreateItem(fmt.Appendf(nil, `{"id":%q,"tenant":"t1"}`, tt.id), nil)
		r, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, nil)
		wantStatus(t, "batch", err, 0)
		if r.Success != tt.success || len(r.OperationResults) != 0 {
			t.Errorf("create %s: success %v with %d results, want %v and none", tt.id, r.Success, len(r.OperationResults), tt.success)
		}
	}
}
