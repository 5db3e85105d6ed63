package cosmos_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// begin is the time tests begin at.
var begin = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// fixture is an account with one container "things" by /tenant, and a client of it.
type fixture struct {
	cosmos.Account
	clock *clock
	db    *azcosmos.DatabaseClient
	c     *azcosmos.ContainerClient
}

// thingsContainer is the container of most tests: everything is indexed.
func thingsContainer() cosmos.Container {
	never := -1
	return cosmos.Container{ID: "things", PartitionKey: cosmos.PartitionKey{Paths: []string{"/tenant"}, Kind: "Hash", Version: 2}, DefaultTTL: &never}
}

func startFixture(t *testing.T, c cosmos.Container, set ...func(*cosmos.Options)) fixture {
	t.Helper()
	clk := &clock{begin}
	o := cosmos.Options{Now: clk.Now, Databases: []cosmos.Database{{ID: "db", Containers: []cosmos.Container{c}}}}
	for _, f := range set {
		f(&o)
	}
	account := cosmos.Start(t, o)
	client := newClient(t, account.Endpoint, account.Key())
	db, err := client.NewDatabase("db")
	if err != nil {
		t.Fatal(err)
	}
	container, err := db.NewContainer(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{account, clk, db, container}
}

// newClient is an azcosmos client without retries, which would only slow down tests that expect an error.
func newClient(t *testing.T, endpoint, key string) *azcosmos.Client {
	t.Helper()
	cred, err := azcosmos.NewKeyCredential(key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := azcosmos.NewClientWithKey(endpoint, cred, &azcosmos.ClientOptions{
		ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// statusOf is the HTTP status an error of the client carries; 0 for none.
func statusOf(err error) int {
	var answered *azcore.ResponseError
	if errors.As(err, &answered) {
		return answered.StatusCode
	}
	return 0
}

// wantStatus fails the test unless the error carries that status, 0 meaning no error.
func wantStatus(t *testing.T, what string, err error, code int) {
	t.Helper()
	if err != nil && code == 0 || statusOf(err) != code {
		t.Errorf("%s: status %d (%v), want %d", what, statusOf(err), err, code)
	}
}

func partitionKey(s string) azcosmos.PartitionKey { return azcosmos.NewPartitionKeyString(s) }

func (f fixture) createItem(t *testing.T, tenant, item string) azcosmos.ItemResponse {
	t.Helper()
	r, err := f.c.CreateItem(t.Context(), partitionKey(tenant), []byte(item), nil)
	if err != nil {
		t.Fatalf("create %s: %v", item, err)
	}
	return r
}

func parseItem(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("answer %q: %v", raw, err)
	}
	return v
}

// Source: learn.microsoft.com/rest/api/cosmos-db/documents and http-status-codes-for-cosmosdb.
func TestItemLife(t *testing.T) {
	f := startFixture(t, thingsContainer())
	ctx := t.Context()
	item := []byte(`{"id":"a","tenant":"t1","n":1}`)
	created, err := f.c.CreateItem(ctx, partitionKey("t1"), item, nil)
	wantStatus(t, "create", err, 0)
	if created.RawResponse.StatusCode != 201 || len(created.Value) != 0 || created.ETag == "" || created.ActivityID == "" || created.SessionToken == nil {
		t.Errorf("create answered %d %q %v: want 201, no body under Prefer: return=minimal, etag, activity id, session token",
			created.RawResponse.StatusCode, created.Value, created.RawResponse.Header)
	}
	_, err = f.c.CreateItem(ctx, partitionKey("t1"), item, nil)
	wantStatus(t, "create again", err, 409)
	read, err := f.c.ReadItem(ctx, partitionKey("t1"), "a", nil)
	wantStatus(t, "read", err, 0)
	if v := parseItem(t, read.Value); v["n"] != 1.0 || v["_etag"] != string(created.ETag) || v["_ts"] != float64(begin.Unix()) {
		t.Errorf("read %v", v)
	}
	_, err = f.c.ReadItem(ctx, partitionKey("t2"), "a", nil)
	wantStatus(t, "read in another partition", err, 404)
	_, err = f.c.ReplaceItem(ctx, partitionKey("t1"), "none", []byte(`{"id":"none","tenant":"t1"}`), nil)
	wantStatus(t, "replace what is not there", err, 404)
	full, err := f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"b","tenant":"t1"}`), &azcosmos.ItemOptions{EnableContentResponseOnWrite: true})
	wantStatus(t, "upsert", err, 0)
	if full.RawResponse.StatusCode != 201 || parseItem(t, full.Value)["_etag"] == nil {
		t.Errorf("first upsert answered %d %s, want 201 with a body", full.RawResponse.StatusCode, full.Value)
	}
	again, err := f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"b","tenant":"t1","n":2}`), nil)
	wantStatus(t, "upsert again", err, 0)
	if again.RawResponse.StatusCode != 200 {
		t.Errorf("second upsert answered %d, want 200", again.RawResponse.StatusCode)
	}
	_, err = f.c.DeleteItem(ctx, partitionKey("t1"), "b", nil)
	wantStatus(t, "delete", err, 0)
	_, err = f.c.DeleteItem(ctx, partitionKey("t1"), "b", nil)
	wantStatus(t, "delete again", err, 404)
}

// Source: learn.microsoft.com/azure/cosmos-db/nosql/database-transactions-optimistic-concurrency.
func TestIfMatch(t *testing.T) {
	f := startFixture(t, thingsContainer())
	ctx := t.Context()
	old := f.createItem(t, "t1", `{"id":"a","tenant":"t1","n":1}`).ETag
	stale := &azcosmos.ItemOptions{IfMatchEtag: &old}
	r, err := f.c.ReplaceItem(ctx, partitionKey("t1"), "a", []byte(`{"id":"a","tenant":"t1","n":2}`), stale)
	wantStatus(t, "replace with the current etag", err, 0)
	if r.ETag == old {
		t.Error("a write left the etag as it was")
	}
	_, err = f.c.ReplaceItem(ctx, partitionKey("t1"), "a", []byte(`{"id":"a","tenant":"t1","n":3}`), stale)
	wantStatus(t, "replace with a stale etag", err, 412)
	_, err = f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":3}`), stale)
	wantStatus(t, "upsert with a stale etag", err, 412)
	_, err = f.c.DeleteItem(ctx, partitionKey("t1"), "a", stale)
	wantStatus(t, "delete with a stale etag", err, 412)
	var p azcosmos.PatchOperations
	p.AppendSet("/n", 3)
	_, err = f.c.PatchItem(ctx, partitionKey("t1"), "a", p, stale)
	wantStatus(t, "patch with a stale etag", err, 412)
	read, err := f.c.ReadItem(ctx, partitionKey("t1"), "a", nil)
	wantStatus(t, "read", err, 0)
	if v := parseItem(t, read.Value); v["n"] != 2.0 || read.ETag != r.ETag {
		t.Errorf("after refused writes n is %v and the etag %s, want 2 and %s", v["n"], read.ETag, r.ETag)
	}
	_, err = f.c.UpsertItem(ctx, partitionKey("t1"), []byte(`{"id":"deleted since","tenant":"t1"}`), stale)
	wantStatus(t, "upsert with an etag of what is not there, which creates", err, 0)
	only := policy.WithHTTPHeader(ctx, http.Header{"If-None-Match": {"*"}})
	_, err = f.c.UpsertItem(only, partitionKey("t1"), []byte(`{"id":"a","tenant":"t1","n":4}`), nil)
	wantStatus(t, "upsert with If-None-Match: * of what is there", err, 412)
	_, err = f.c.UpsertItem(only, partitionKey("t1"), []byte(`{"id":"new","tenant":"t1"}`), nil)
	wantStatus(t, "upsert with If-None-Match: * of what is not there", err, 0)
}

// What an item must be. Source: learn.microsoft.com/azure/cosmos-db/concepts-limits and
// learn.microsoft.com/rest/api/cosmos-db/create-a-document.
func TestItemRules(t *testing.T) {
	f := startFixture(t, thingsContainer())
	for _, tt := range []struct {
		what, tenant, item string
		code               int
	}{
		{"no id", "t1", `{"tenant":"t1"}`, 400},
		{"an id that is a number", "t1", `{"id":1,"tenant":"t1"}`, 400},
		{"slash in id", "t1", `{"id":"n/1","tenant":"t1"}`, 400},
		{"backslash in id", "t1", `{"id":"n\\1","tenant":"t1"}`, 400},
		{"question mark in id", "t1", `{"id":"n?1","tenant":"t1"}`, 400},
		{"hash in id", "t1", `{"id":"n#1","tenant":"t1"}`, 400},
		{"id of 1,023 bytes", "t1", fmt.Sprintf(`{"id":"%s","tenant":"t1"}`, strings.Repeat("i", 1023)), 0},
		{"id of 1,024 bytes", "t1", fmt.Sprintf(`{"id":"%s","tenant":"t1"}`, strings.Repeat("i", 1024)), 400},
		{"space, umlaut and dots in id", "t1", `{"id":"a ü.b..","tenant":"t1"}`, 0},
		{"header and body disagree", "t1", `{"id":"a","tenant":"t2"}`, 400},
		{"no key in the body", "t1", `{"id":"a"}`, 400},
		{"the same id in another partition", "t2", `{"id":"a ü.b..","tenant":"t2"}`, 0},
		{"a key beyond the basic plane, which azcosmos does not write as JSON", "🦊", `{"id":"a","tenant":"🦊"}`, 400},
		{"no object", "t1", `["id"]`, 400},
		{"a name twice", "t1", `{"id":"x","id":"y","tenant":"t1"}`, 400},
		{"more than 2 MB", "t1", fmt.Sprintf(`{"id":"big","tenant":"t1","x":"%s"}`, strings.Repeat("x", 2<<20)), 413},
		{"just 2 MB", "t1", fmt.Sprintf(`{"id":"big","tenant":"t1","x":"%s"}`, strings.Repeat("x", 2<<20-len(`{"id":"big","tenant":"t1","x":""}`))), 0},
		{"a fraction of a second to live", "t1", `{"id":"ttl","tenant":"t1","ttl":0.5}`, 400},
		{"no time to live at all", "t1", `{"id":"ttl","tenant":"t1","ttl":0}`, 400},
	} {
		_, err := f.c.CreateItem(t.Context(), partitionKey(tt.tenant), []byte(tt.item), nil)
		wantStatus(t, tt.what, err, tt.code)
	}
	read, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a ü.b..", nil)
	wantStatus(t, "read by an id with space, umlaut and dots", err, 0)
	if v := parseItem(t, read.Value); v["id"] != "a ü.b.." {
		t.Errorf("id came back as %v", v["id"])
	}
}

// Numbers are IEEE 754 doubles. Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum precision".
func TestNumbersAreDoubles(t *testing.T) {
	f := startFixture(t, thingsContainer())
	f.createItem(t, "t1", `{"id":"a","tenant":"t1","n":9007199254740993}`)
	r, err := f.c.ReadItem(t.Context(), partitionKey("t1"), "a", nil)
	wantStatus(t, "read", err, 0)
	if !strings.Contains(string(r.Value), "9007199254740992") {
		t.Errorf("2^53+1 came back exactly: %s", r.Value)
	}
}

func TestBatchIsAllOrNothing(t *testing.T) {
	f := startFixture(t, thingsContainer())
	ctx := context.Background()
	old := f.createItem(t, "t1", `{"id":"head","tenant":"t1","v":1}`).ETag
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	batch.CreateItem([]byte(`{"id":"c1","tenant":"t1"}`), nil)
	batch.UpsertItem([]byte(`{"id":"u1","tenant":"t1"}`), nil)
	batch.ReplaceItem("head", []byte(`{"id":"head","tenant":"t1","v":2}`), &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &old})
	batch.ReadItem("head", nil)
	batch.DeleteItem("u1", nil)
	r, err := f.c.ExecuteTransactionalBatch(ctx, batch, nil)
	wantStatus(t, "batch", err, 0)
	if !r.Success || len(r.OperationResults) != 5 {
		t.Fatalf("success %v with %d results", r.Success, len(r.OperationResults))
	}
	for i, code := range []int32{201, 201, 200, 200, 204} {
		if r.OperationResults[i].StatusCode != code {
			t.Errorf("operation %d answered %d, want %d", i, r.OperationResults[i].StatusCode, code)
		}
	}
	if v := parseItem(t, r.OperationResults[3].ResourceBody); v["v"] != 2.0 {
		t.Errorf("a batch does not read its own writes: %v", v)
	}
	again := f.c.NewTransactionalBatch(partitionKey("t1"))
	again.CreateItem([]byte(`{"id":"c2","tenant":"t1"}`), nil)
	again.ReplaceItem("head", []byte(`{"id":"head","tenant":"t1","v":3}`), &azcosmos.TransactionalBatchItemOptions{IfMatchETag: &old})
	again.CreateItem([]byte(`{"id":"c3","tenant":"t1"}`), nil)
	r, err = f.c.ExecuteTransactionalBatch(ctx, again, &azcosmos.TransactionalBatchOptions{EnableContentResponseOnWrite: true})
	wantStatus(t, "batch that fails", err, 0)
	if r.Success || r.OperationResults[0].StatusCode != 424 || r.OperationResults[1].StatusCode != 412 || r.OperationResults[2].StatusCode != 424 {
		t.Errorf("success %v, results %+v: want 424, 412, 424", r.Success, r.OperationResults)
	}
	_, err = f.c.ReadItem(ctx, partitionKey("t1"), "c2", nil)
	wantStatus(t, "read what a failed batch created", err, 404)
}
