package cosmos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum RUs per partition (logical) 10,000".
func TestPartitionThroughput(t *testing.T) {
	f := startFixture(t, thingsContainer(), func(o *cosmos.Options) { o.PartitionThroughput = 20 })
	ctx := t.Context()
	codes := []int{}
	for i := range 6 {
		_, err := f.c.UpsertItem(ctx, partitionKey("t1"), fmt.Appendf(nil, `{"id":"i%d","tenant":"t1"}`, i), nil)
		codes = append(codes, statusOf(err))
	}
	if fmt.Sprint(codes) != "[0 0 0 0 429 429]" {
		t.Errorf("six writes of 5.6 RU at 20 RU/s: %v, want the first four", codes)
	}
	_, err := f.c.UpsertItem(ctx, partitionKey("t2"), []byte(`{"id":"a","tenant":"t2"}`), nil)
	wantStatus(t, "another partition", err, 0)
	_, err = f.c.ReadItem(ctx, partitionKey("t1"), "i0", nil)
	wantStatus(t, "a read in the same second", err, 429)
	_, err = f.c.NewQueryItemsPager("SELECT * FROM c", partitionKey("t1"), nil).NextPage(ctx)
	wantStatus(t, "a query in the same second", err, 429)
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	batch.DeleteItem("i0", nil)
	_, err = f.c.ExecuteTransactionalBatch(ctx, batch, nil)
	wantStatus(t, "a batch in the same second", err, 429)
	f.clock.now = begin.Add(time.Second)
	_, err = f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"i9","tenant":"t1"}`), nil)
	wantStatus(t, "the next second", err, 0)
	use := f.Partitions("db", "things")
	if len(use) != 2 || use[0].Key != `["t1"]` || use[0].Items != 5 || !isNear(use[0].Peak, 4*5.6) || !isNear(use[0].Charge, 5*5.6) {
		t.Errorf("partitions %+v, want t1 with 5 items, a peak of 22.4 and 28 RU in all", use)
	}
}

// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum storage … per (logical) partition 20 GB", and
// troubleshoot-forbidden, substatus 1014.
func TestPartitionSize(t *testing.T) {
	f := startFixture(t, thingsContainer(), func(o *cosmos.Options) { o.PartitionBytes = 10_000 })
	item := func(id string, n int) []byte {
		return fmt.Appendf(nil, `{"id":%q,"tenant":"t1","x":"%s"}`, id, strings.Repeat("x", n))
	}
	_, err := f.c.CreateItem(t.Context(), partitionKey("t1"), item("a", 6000), nil)
	wantStatus(t, "the first 6 KB", err, 0)
	_, err = f.c.CreateItem(t.Context(), partitionKey("t1"), item("b", 6000), nil)
	wantStatus(t, "6 KB more", err, 403)
	if !strings.Contains(fmt.Sprint(err), "maximum size") {
		t.Errorf("says %v", err)
	}
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	batch.CreateItem(item("b", 2000), nil)
	batch.CreateItem(item("c", 2000), nil)
	r, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, nil)
	wantStatus(t, "a batch", err, 0)
	if r.Success {
		t.Error("a batch filled the partition beyond its size")
	}
	_, err = f.c.ReplaceItem(t.Context(), partitionKey("t1"), "a", item("a", 100), nil)
	wantStatus(t, "making it smaller", err, 0)
	_, err = f.c.CreateItem(t.Context(), partitionKey("t1"), item("b", 6000), nil)
	wantStatus(t, "6 KB into what became free", err, 0)
	if use := f.Partitions("db", "things"); use[0].Bytes < 6000 || use[0].Bytes > 7000 || use[0].Items != 2 {
		t.Errorf("partition holds %+v", use[0])
	}
}
