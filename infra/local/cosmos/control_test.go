package cosmos_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/local/cosmos"
)

func TestContainersByREST(t *testing.T) {
	account := cosmos.Start(t, cosmos.Options{})
	client := newClient(t, account.Endpoint, account.Key())
	ctx := t.Context()
	_, err := client.CreateDatabase(ctx, azcosmos.DatabaseProperties{ID: "db"}, nil)
	wantStatus(t, "create a database", err, 0)
	_, err = client.CreateDatabase(ctx, azcosmos.DatabaseProperties{ID: "db"}, nil)
	wantStatus(t, "create it again", err, 409)
	db, _ := client.NewDatabase("db")
	ttl := int32(60)
	def := azcosmos.ContainerProperties{ID: "c", DefaultTimeToLive: &ttl,
		PartitionKeyDefinition: azcosmos.PartitionKeyDefinition{Paths: []string{"/tenant", "/chunk"}, Version: 2}}
	_, err = db.CreateContainer(ctx, def, nil)
	wantStatus(t, "create a container", err, 0)
	_, err = db.CreateContainer(ctx, def, nil)
	wantStatus(t, "create it again", err, 409)
	c, _ := db.NewContainer("c")
	read, err := c.Read(ctx, nil)
	wantStatus(t, "read it", err, 0)
	p := read.ContainerProperties
	if p.PartitionKeyDefinition.Kind != azcosmos.PartitionKeyKindMultiHash || *p.DefaultTimeToLive != 60 || p.ResourceID == "" || len(p.IndexingPolicy.IncludedPaths) != 1 {
		t.Errorf("container is %+v", p)
	}
	p.DefaultTimeToLive = nil
	_, err = c.Replace(ctx, *p, nil)
	wantStatus(t, "replace it", err, 0)
	moved := *p
	moved.PartitionKeyDefinition.Paths = []string{"/other"}
	_, err = c.Replace(ctx, moved, nil)
	wantStatus(t, "replace its partition key", err, 400)
	for _, bad := range []azcosmos.PartitionKeyDefinition{
		{Paths: []string{"/a"}, Version: 1}, {Paths: []string{"a"}, Version: 2}, {Paths: []string{"/a", "/b", "/c", "/d"}, Version: 2},
		{Kind: "Hash", Paths: []string{"/a", "/b"}, Version: 2}} {
		_, err = db.CreateContainer(ctx, azcosmos.ContainerProperties{ID: "bad", PartitionKeyDefinition: bad}, nil)
		wantStatus(t, "create with a wrong key definition", err, 400)
	}
	_, err = c.Delete(ctx, nil)
	wantStatus(t, "delete it", err, 0)
	_, err = c.Read(ctx, nil)
	wantStatus(t, "read it then", err, 404)
	_, err = db.Delete(ctx, nil)
	wantStatus(t, "delete the database", err, 0)
	_, err = c.ReadItem(ctx, azcosmos.NewPartitionKeyString("t").AppendString("c"), "a", nil)
	wantStatus(t, "read an item then", err, 404)
}

// Azure Resource Manager writes the same words that Container reads, so a test may take its containers from infra.
func TestContainerReadsTheResourceDefinition(t *testing.T) {
	var c cosmos.Container
	err := json.Unmarshal([]byte(`{"id":"bodies","partitionKey":{"paths":["/tenant","/chunk"],"kind":"MultiHash","version":2},"defaultTtl":-1,
		"indexingPolicy":{"indexingMode":"consistent","includedPaths":[{"path":"/kind/?"}],"excludedPaths":[{"path":"/*"}],
		"compositeIndexes":[[{"path":"/kind","order":"ascending"},{"path":"/id","order":"descending"}]]}}`), &c)
	if err != nil || *c.DefaultTTL != -1 || c.IndexingPolicy.CompositeIndexes[0][1].Order != "descending" || c.PartitionKey.Version != 2 {
		t.Errorf("%+v %v", c, err)
	}
}

// A key of several levels is whole or refused: azcosmos v1.5.0 sends a prefix without the hashed range that the service
// needs for one.
func TestHierarchicalKeys(t *testing.T) {
	c := thingsContainer()
	c.PartitionKey = cosmos.PartitionKey{Paths: []string{"/tenant", "/chunk"}, Kind: "MultiHash", Version: 2}
	f := startFixture(t, c)
	ctx := t.Context()
	key := partitionKey("t1").AppendNumber(1)
	_, err := f.c.CreateItem(ctx, key, []byte(`{"id":"a","tenant":"t1","chunk":1}`), nil)
	wantStatus(t, "create", err, 0)
	_, err = f.c.CreateItem(ctx, partitionKey("t1").AppendNumber(2), []byte(`{"id":"a","tenant":"t1","chunk":2}`), nil)
	wantStatus(t, "create the same id in another part", err, 0)
	_, err = f.c.CreateItem(ctx, key, []byte(`{"id":"b","tenant":"t1","chunk":2}`), nil)
	wantStatus(t, "create with another second level", err, 400)
	_, err = f.c.ReadItem(ctx, key, "a", nil)
	wantStatus(t, "read", err, 0)
	_, err = f.c.ReadItem(ctx, partitionKey("t1"), "a", nil)
	wantStatus(t, "read by a prefix", err, 400)
	_, err = f.c.NewQueryItemsPager("SELECT * FROM c", partitionKey("t1"), nil).NextPage(ctx)
	wantStatus(t, "query by a prefix", err, 400)
	if got := f.queryIDs(t, "SELECT c.id, c.chunk FROM c WHERE c.tenant = 't1'", azcosmos.NewPartitionKey(), nil); len(got) != 2 {
		t.Errorf("a filter on the first level finds %v, want both parts", got)
	}
	if got := f.queryIDs(t, "SELECT * FROM c", key, nil); strings.Join(got, " ") != "a" {
		t.Errorf("a query of one part finds %v", got)
	}
}

// Source: learn.microsoft.com/azure/cosmos-db/unique-keys.
func TestUniqueKeys(t *testing.T) {
	c := thingsContainer()
	c.UniqueKeyPolicy = &cosmos.UniqueKeyPolicy{UniqueKeys: []cosmos.UniqueKey{{Paths: []string{"/mail"}}}}
	f := startFixture(t, c)
	f.createItem(t, "t1", `{"id":"a","tenant":"t1","mail":"dora@contoso.example"}`)
	f.createItem(t, "t2", `{"id":"b","tenant":"t2","mail":"dora@contoso.example"}`)
	_, err := f.c.CreateItem(t.Context(), partitionKey("t1"), []byte(`{"id":"c","tenant":"t1","mail":"dora@contoso.example"}`), nil)
	wantStatus(t, "a second holder in one partition", err, 409)
	_, err = f.c.UpsertItem(t.Context(), partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","mail":"dora@contoso.example","n":1}`), nil)
	wantStatus(t, "the holder itself", err, 0)
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	batch.DeleteItem("a", nil)
	batch.CreateItem([]byte(`{"id":"c","tenant":"t1","mail":"dora@contoso.example"}`), nil)
	r, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
	wantStatus(t, "handing it over in a batch", err, 0)
	if !r.Success {
		t.Errorf("handing a unique key over in one batch: %+v", r.OperationResults)
	}
}
