package cosmos_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// The client hashes each key itself and asks the one of a thousand physical partitions that must hold it, so both must
// hash alike.
func TestReadManyItems(t *testing.T) {
	for _, c := range []cosmos.Container{thingsContainer(), func() cosmos.Container {
		c := thingsContainer()
		c.PartitionKey = cosmos.PartitionKey{Paths: []string{"/tenant", "/n"}, Kind: "MultiHash", Version: 2}
		return c
	}()} {
		f := startFixture(t, c, func(o *cosmos.Options) { o.PhysicalPartitions = 1000 })
		var wanted []azcosmos.ItemIdentity
		var names []string
		for i := range 60 {
			tenant := strings.Repeat("ü", i%19) + fmt.Sprint(i/2)
			key := partitionKey(tenant)
			if len(c.PartitionKey.Paths) == 2 {
				key = key.AppendNumber(float64(i) / 3)
			}
			item := fmt.Sprintf(`{"id":"i%d","tenant":%q,"n":%v}`, i, tenant, float64(i)/3)
			if _, err := f.c.CreateItem(t.Context(), key, []byte(item), nil); err != nil {
				t.Fatal(err)
			}
			if i%3 > 0 {
				wanted, names = append(wanted, azcosmos.ItemIdentity{ID: fmt.Sprint("i", i), PartitionKey: key}), append(names, fmt.Sprint("i", i))
			}
		}
		wanted = append(wanted, azcosmos.ItemIdentity{ID: "none", PartitionKey: wanted[0].PartitionKey})
		r, err := f.c.ReadManyItems(t.Context(), wanted, nil)
		wantStatus(t, "read many", err, 0)
		var got []string
		for _, item := range r.Items {
			got = append(got, parseItem(t, item)["id"].(string))
		}
		slices.Sort(got)
		slices.Sort(names)
		if !slices.Equal(got, names) {
			t.Errorf("%v: read many finds %v, want %v", c.PartitionKey.Paths, got, names)
		}
		if r.RequestCharge < 40 {
			t.Errorf("reading 40 items costs %v", r.RequestCharge)
		}
	}
}

// feedPage reads the feed of one range once.
func (f fixture) feedPage(t *testing.T, o azcosmos.ChangeFeedOptions) (ids []string, next string) {
	t.Helper()
	r, err := f.c.ReadChangeFeed(t.Context(), &o)
	wantStatus(t, "change feed", err, 0)
	for _, item := range r.Items {
		ids = append(ids, fmt.Sprint(parseItem(t, item)["id"]))
	}
	return ids, r.ContinuationToken
}

// Source: learn.microsoft.com/azure/cosmos-db/change-feed-design-patterns (latest version mode) and
// learn.microsoft.com/rest/api/cosmos-db/list-documents.
func TestChangeFeed(t *testing.T) {
	f := startFixture(t, thingsContainer())
	for _, id := range []string{"a", "b", "c"} {
		f.createItem(t, "t1", fmt.Sprintf(`{"id":%q,"tenant":"t1"}`, id))
	}
	f.createItem(t, "t2", `{"id":"other","tenant":"t2"}`)
	key := partitionKey("t1")
	ranges, err := f.c.ReadFeedRanges(t.Context(), nil)
	wantStatus(t, "feed ranges", err, 0)
	if len(ranges) != 3 {
		t.Fatalf("%d feed ranges, want 3", len(ranges))
	}
	whole := azcosmos.FeedRange{MinInclusive: "", MaxExclusive: "FF"}
	o := azcosmos.ChangeFeedOptions{FeedRange: &whole, PartitionKey: &key, MaxItemCount: 2}
	got, next := f.feedPage(t, o)
	if strings.Join(got, " ") != "a b" {
		t.Fatalf("first page is %v", got)
	}
	o.Continuation = &next
	if _, err := f.c.UpsertItem(t.Context(), key, []byte(`{"id":"b","tenant":"t1","n":2}`), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.c.DeleteItem(t.Context(), key, "c", nil); err != nil {
		t.Fatal(err)
	}
	got, next = f.feedPage(t, o)
	if strings.Join(got, " ") != "b" {
		t.Errorf("after a change of b and the end of c the feed has %v, want b", got)
	}
	got, _ = f.feedPage(t, azcosmos.ChangeFeedOptions{PartitionKey: &key, Continuation: &next})
	if len(got) != 0 {
		t.Errorf("the feed repeats %v at its end", got)
	}
	all := []string{}
	for _, r := range ranges {
		ids, _ := f.feedPage(t, azcosmos.ChangeFeedOptions{FeedRange: &r})
		all = append(all, ids...)
	}
	slices.Sort(all)
	if strings.Join(all, " ") != "a b other" {
		t.Errorf("all ranges together have %v, want a b other", all)
	}
}

// A transaction is shown whole, over the page's size if need be. Source: learn.microsoft.com/azure/cosmos-db/nosql/
// change-feed-pull-model ("the number of items received could be higher … part of one atomic batch").
func TestChangeFeedKeepsTransactionsWhole(t *testing.T) {
	f := startFixture(t, thingsContainer())
	f.createItem(t, "t1", `{"id":"before","tenant":"t1"}`)
	batch := f.c.NewTransactionalBatch(partitionKey("t1"))
	for _, id := range []string{"x", "y", "z"} {
		batch.CreateItem(fmt.Appendf(nil, `{"id":%q,"tenant":"t1"}`, id), nil)
	}
	if _, err := f.c.ExecuteTransactionalBatch(t.Context(), batch, nil); err != nil {
		t.Fatal(err)
	}
	key, whole := partitionKey("t1"), azcosmos.FeedRange{MaxExclusive: "FF"}
	o := azcosmos.ChangeFeedOptions{FeedRange: &whole, PartitionKey: &key, MaxItemCount: 2}
	got, next := f.feedPage(t, o)
	o.Continuation = &next
	rest, _ := f.feedPage(t, o)
	if strings.Join(got, " ") != "before x y z" || len(rest) != 0 {
		t.Errorf("pages %v and %v, want the batch whole", got, rest)
	}
}

func TestChangeFeedStarts(t *testing.T) {
	f := startFixture(t, thingsContainer())
	f.createItem(t, "t1", `{"id":"old","tenant":"t1"}`)
	f.clock.now = begin.Add(time.Hour)
	f.createItem(t, "t1", `{"id":"new","tenant":"t1"}`)
	key, whole, from := partitionKey("t1"), azcosmos.FeedRange{MaxExclusive: "FF"}, begin.Add(time.Minute)
	if got, _ := f.feedPage(t, azcosmos.ChangeFeedOptions{FeedRange: &whole, PartitionKey: &key, StartFrom: &from}); strings.Join(got, " ") != "new" {
		t.Errorf("from a time on: %v", got)
	}
	header := map[string]string{"A-IM": "Incremental feed", "If-None-Match": "*", "x-ms-documentdb-partitionkey": `["t1"]`}
	if resp, body := f.sendRaw(t, "GET", "/dbs/db/colls/things/docs", "", header); resp.StatusCode != 304 || resp.Header.Get("etag") != `"2"` {
		t.Errorf("from now on: %d %s %s, want 304", resp.StatusCode, resp.Header.Get("etag"), body)
	}
	for name, bad := range map[string]map[string]string{
		"no feed":             {"A-IM": ""},
		"a strange position":  {"A-IM": "Incremental feed", "If-None-Match": `"x"`},
		"a range that is not": {"A-IM": "Incremental feed", "x-ms-documentdb-partitionkeyrangeid": "9"},
	} {
		resp, _ := f.sendRaw(t, "GET", "/dbs/db/colls/things/docs", "", bad)
		if code := map[bool]int{true: 410, false: 400}[name == "a range that is not"]; resp.StatusCode != code {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, code)
		}
	}
}
