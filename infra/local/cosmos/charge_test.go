package cosmos_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/infra/local/cosmos"
)

func isNear(a, b float64) bool { return math.Abs(a-b) < 0.006 }

// Rows are the published figures: (b1) exactly, (a1) where it is the dearer one. See charge.go.
func TestPublishedCharges(t *testing.T) {
	for _, tt := range []struct{ kb, read, write float64 }{
		{0.1, 1, 5}, {1, 1, 5}, {100, 10, 50}, {2, 1.09, 6.29}, {64, 6.73, 33.64}, {1024, 145.90, 625}, {2048, 291.80, 1250},
	} {
		bytes := int64(tt.kb * 1024)
		if r, w := cosmos.ReadCharge(bytes), cosmos.WriteCharge(bytes); !isNear(r, tt.read) || !isNear(w, tt.write) {
			t.Errorf("%v KB: read %.3f, write %.3f; want %v, %v", tt.kb, r, w, tt.read, tt.write)
		}
	}
	for bytes := int64(1); bytes < 3<<20; bytes += 9999 {
		if cosmos.ReadCharge(bytes+9999) < cosmos.ReadCharge(bytes) || cosmos.WriteCharge(bytes+9999) < cosmos.WriteCharge(bytes) {
			t.Fatalf("a bigger item than %d bytes is cheaper", bytes)
		}
	}
}

// plainContainer is a container that indexes only /n, besides id and _ts.
func plainContainer() cosmos.Container {
	c := thingsContainer()
	c.IndexingPolicy = &cosmos.IndexingPolicy{IndexingMode: "consistent", IncludedPaths: []cosmos.IndexPath{{Path: "/n/?"}, {Path: "/list/[]/?"}},
		ExcludedPaths: []cosmos.IndexPath{{Path: "/*"}}}
	return c
}

// The worked examples of learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption, with 5 for a small
// item and 0.2 for a term. id and _ts are terms of every item; _ts changes only when a second has passed.
func TestChargesByTerms(t *testing.T) {
	f := startFixture(t, plainContainer())
	ctx := t.Context()
	charge := func(what string, got float32, want float64) {
		t.Helper()
		if !isNear(float64(got), want) {
			t.Errorf("%s: %.3f RU, want %.3f", what, got, want)
		}
	}
	r, err := f.c.CreateItem(ctx, partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":1,"list":["x","y","y"],"free":{"of":["charge",1,2,3]}}`), nil)
	wantStatus(t, "create", err, 0)
	charge("create: id, _ts, n and two different elements", r.RequestCharge, 5+5*0.2)
	r, err = f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":2,"list":["x","z"]}`), nil)
	wantStatus(t, "upsert", err, 0)
	charge("upsert: n and one element go, n and one element come", r.RequestCharge, 5+5+4*0.2)
	var p azcosmos.PatchOperations
	p.AppendSet("/n", 3)
	p.AppendSet("/free", 1)
	r, err = f.c.PatchItem(ctx, partitionKey("t1"), "a", p, nil)
	wantStatus(t, "patch", err, 0)
	charge("patch: two properties, one of them indexed", r.RequestCharge, 5+5+2*0.2+2*0.4)
	r, err = f.c.ReadItem(ctx, partitionKey("t1"), "a", nil)
	wantStatus(t, "read", err, 0)
	charge("read", r.RequestCharge, 1)
	r, err = f.c.DeleteItem(ctx, partitionKey("t1"), "a", nil)
	wantStatus(t, "delete", err, 0)
	charge("delete: id, _ts, n and two elements", r.RequestCharge, 5+5*0.2)
}

// A container without any index costs by size alone.
func TestChargeWithoutIndex(t *testing.T) {
	c := thingsContainer()
	c.IndexingPolicy = &cosmos.IndexingPolicy{IndexingMode: "none"}
	f := startFixture(t, c)
	r := f.createItem(t, "t1", `{"id":"a","tenant":"t1","n":1}`)
	if r.RequestCharge != 5 {
		t.Errorf("create costs %v, want 5", r.RequestCharge)
	}
}

// A batch costs the sum of its operations, refused or not.
func TestBatchChargeIsTheSum(t *testing.T) {
	f := startFixture(t, plainContainer())
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	batch.CreateItem([]byte(`{"id":"a","tenant":"t1","n":1}`), nil)
	batch.UpsertItem([]byte(`{"id":"b","tenant":"t1"}`), nil)
	batch.ReadItem("a", nil)
	r, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, nil)
	wantStatus(t, "batch", err, 0)
	sum := float32(0)
	for _, op := range r.OperationResults {
		sum += op.RequestCharge
	}
	if !isNear(float64(r.RequestCharge), 5.6+5.4+1) || !isNear(float64(sum), float64(r.RequestCharge)) {
		t.Errorf("batch costs %v, its operations %v, want 12", r.RequestCharge, sum)
	}
	l := f.Meter()
	if got := l.Total(cosmos.Create, cosmos.Upsert, cosmos.Read); got.Operations != 3 || got.Requests != 0 || !isNear(got.Charge, 12) {
		t.Errorf("the meter has %+v for the operations", got)
	}
	if got := l.Total(cosmos.Batch); got.Requests != 1 || got.Charge != 0 {
		t.Errorf("the meter has %+v for the batch", got)
	}
	if got := l.Total(); !isNear(got.Charge, float64(r.RequestCharge)) {
		t.Errorf("the meter adds up to %+v", got)
	}
	f.ResetMeter()
	if got := f.Meter().Total(); got != (cosmos.Usage{}) {
		t.Errorf("a new meter has %+v", got)
	}
}

// Queries: the base for each page and physical partition, and the documents that must be loaded.
func TestQueryCharges(t *testing.T) {
	f := startFixture(t, plainContainer(), func(o *cosmos.Options) { o.PhysicalPartitions = 4 })
	for i := range 10 {
		f.createItem(t, "t1", fmt.Sprintf(`{"id":"i%d","tenant":"t1","n":%d,"on":%v}`, i, i, i < 3))
	}
	for _, tt := range []struct {
		query string
		key   azcosmos.PartitionKey
		want  float64
	}{
		{"SELECT * FROM c WHERE c.n < 3", partitionKey("t1"), 2.3 + 3},
		{"SELECT * FROM c WHERE c.n = 100", partitionKey("t1"), 2.3},
		{"SELECT * FROM c WHERE c.on = true", partitionKey("t1"), 2.3 + 10}, // not indexed: all of the partition
		{"SELECT VALUE COUNT(1) FROM c WHERE c.n < 3", partitionKey("t1"), 2.3},
		{"SELECT * FROM c WHERE c.n < 3", azcosmos.NewPartitionKey(), 4*2.3 + 3},
	} {
		r, err := f.c.NewQueryItemsPager(tt.query, tt.key, nil).NextPage(t.Context())
		wantStatus(t, tt.query, err, 0)
		if !isNear(float64(r.RequestCharge), tt.want) {
			t.Errorf("%s: %v RU, want %v", tt.query, r.RequestCharge, tt.want)
		}
	}
}

// Refused requests cost the look at what was found.
func TestRefusedRequestsCost(t *testing.T) {
	f := startFixture(t, plainContainer())
	f.createItem(t, "t1", fmt.Sprintf(`{"id":"big","tenant":"t1","x":"%s"}`, strings.Repeat("x", 99<<10)))
	for _, tt := range []struct {
		item     string
		from, to float64
	}{{`{"id":"a","tenant":"t2"}`, 1, 1}, {`{"id":"big","tenant":"t1"}`, 9.9, 10.1}} {
		f.ResetMeter()
		if _, err := f.c.CreateItem(t.Context(), partitionKey("t1"), []byte(tt.item), nil); err == nil {
			t.Fatalf("%s was created", tt.item)
		}
		got := f.Meter().Total(cosmos.Create)
		if got.Refused != 1 || got.Requests != 1 || got.Charge < tt.from || got.Charge > tt.to {
			t.Errorf("refusing %s: %+v, want %v to %v RU", tt.item, got, tt.from, tt.to)
		}
	}
}
