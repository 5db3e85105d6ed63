package cosmos_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/infra/local/cosmos"
)

// queryRows runs a query to its end.
func (f fixture) queryRows(t *testing.T, q string, key azcosmos.PartitionKey, o *azcosmos.QueryOptions) (out []string) {
	t.Helper()
	for pager := f.c.NewQueryItemsPager(q, key, o); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for _, item := range page.Items {
			out = append(out, string(item))
		}
	}
	return out
}

// queryIDs is the same for rows that are items.
func (f fixture) queryIDs(t *testing.T, q string, key azcosmos.PartitionKey, o *azcosmos.QueryOptions) (out []string) {
	t.Helper()
	for _, row := range f.queryRows(t, q, key, o) {
		out = append(out, fmt.Sprint(parseItem(t, []byte(row))["id"]))
	}
	return out
}

// storeSample fills two partitions.
func storeSample(t *testing.T, f fixture) {
	for _, item := range []string{
		`{"id":"a","tenant":"t1","n":1,"s":"alpha","on":true,"tags":["x","y"],"deep":{"er":1}}`,
		`{"id":"b","tenant":"t1","n":2,"s":"beta","on":false,"tags":[],"gone":null}`,
		`{"id":"c","tenant":"t1","n":3,"s":"2026-03-03T00:00:00Z","on":true,"tags":["z"]}`,
		`{"id":"d","tenant":"t1","n":"3","s":"delta \"q\"","strange name":1}`,
		`{"id":"a","tenant":"t2","n":1,"s":"alpha","on":true}`,
	} {
		f.createItem(t, parseItem(t, []byte(item))["tenant"].(string), item)
	}
}

// What each part of the language means. Source: learn.microsoft.com/azure/cosmos-db/nosql/query/, one page each.
func TestQueries(t *testing.T) {
	f := startFixture(t, thingsContainer())
	storeSample(t, f)
	p := func(name string, v any) azcosmos.QueryParameter { return azcosmos.QueryParameter{Name: name, Value: v} }
	for _, tt := range []struct {
		where string
		want  string
		with  []azcosmos.QueryParameter
	}{
		{"", "a b c d", nil},
		{"WHERE c.n = 3", "c", nil}, // a number is no text
		{"WHERE c.n = '3'", "d", nil},
		{"WHERE c.n = @n", "b", []azcosmos.QueryParameter{p("@n", 2)}},
		{"WHERE c.n != 3", "a b", nil}, // values of two types are neither equal nor unequal
		{"WHERE c.n > 1", "b c", nil},
		{"WHERE c.n >= 1 AND c.n < 3", "a b", nil},
		{"WHERE c.n BETWEEN 2 AND 3", "b c", nil},
		{"WHERE c.on = true", "a c", nil},
		{"WHERE NOT c.on = true", "b", nil}, // not of undefined is undefined
		{"WHERE c.n = 1 OR c.s = \"beta\"", "a b", nil},
		{"WHERE (c.n = 1 OR c.n = 2) AND c.on = false", "b", nil},
		{"WHERE c.n IN (1, 3, '3')", "a c d", nil},
		{"WHERE c.n NOT IN (1, 2)", "c", nil},
		{"WHERE STARTSWITH(c.s, 'al')", "a", nil},
		{"WHERE CONTAINS(c.s, 'ta')", "b d", nil},
		{"WHERE STARTSWITH(c.id, @p)", "a", []azcosmos.QueryParameter{p("@p", "a")}},
		{"WHERE c.id > 'a' AND c.id <= 'c'", "b c", nil},
		{"WHERE c.s >= '2026-03-01' AND c.s < '2026-04-01'", "c", nil},
		{"WHERE ARRAY_CONTAINS(c.tags, 'x')", "a", nil},
		{"WHERE ARRAY_CONTAINS(@ids, c.id)", "a d", []azcosmos.QueryParameter{p("@ids", []string{"d", "a"})}},
		{"WHERE IS_DEFINED(c.gone)", "b", nil},
		{"WHERE IS_NULL(c.gone)", "b", nil},
		{"WHERE NOT IS_DEFINED(c.tags)", "d", nil},
		{"WHERE c.deep.er = 1", "a", nil},
		{`WHERE c["deep"]["er"] = 1`, "a", nil},
		{`WHERE c["strange name"] = 1`, "d", nil},
		{`WHERE c.s = 'delta "q"'`, "d", nil},
		{"WHERE c.n = -1", "", nil},
		{"WHERE c._ts > 0", "a b c d", nil},
	} {
		got := f.queryIDs(t, "SELECT * FROM c "+tt.where, partitionKey("t1"), &azcosmos.QueryOptions{QueryParameters: tt.with})
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s finds %v, want %s", tt.where, got, tt.want)
		}
	}
}

func TestQueryShapes(t *testing.T) {
	f := startFixture(t, thingsContainer())
	storeSample(t, f)
	for _, tt := range []struct{ query, want string }{
		{"SELECT VALUE COUNT(1) FROM c WHERE c.n > 1", "2"},
		{"SELECT c.id, c.n FROM c WHERE c.id = 'a'", `{"id":"a","n":1}`},
		{"SELECT c.id AS name, c.none FROM c WHERE c.id = 'a'", `{"name":"a"}`},
		{"SELECT VALUE c.n FROM c ORDER BY c.n DESC", `"3" 3 2 1`}, // texts above numbers
		{"SELECT VALUE c.on FROM c ORDER BY c.on", `false true true`},
		{"SELECT TOP 2 VALUE c.id FROM c ORDER BY c.id DESC", `"d" "c"`},
		{"SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 1 LIMIT 2", `"b" "c"`},
		{"SELECT VALUE x.id FROM things x WHERE x.n = 2", `"b"`},
		{"SELECT VALUE x.id FROM things AS x WHERE x.n = 2", `"b"`},
	} {
		if got := strings.Join(f.queryRows(t, tt.query, partitionKey("t1"), nil), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
		}
	}
}

// What is refused, with the column. Some of it the service would take: see the grammar.
func TestQueriesRefused(t *testing.T) {
	f := startFixture(t, thingsContainer())
	storeSample(t, f)
	for _, tt := range []struct{ query, says string }{
		{"SELECT * FROM c WHERE c.on", "column 27"},
		{"SELECT * FROM c WHERE d.n = 1", "column 23"},
		{"SELECT * FROM c WHERE c.n = null", "IS_NULL"},
		{"SELECT * FROM c WHERE c.n = @none", "@none is not given"},
		{"SELECT * FROM c WHERE LOWER(c.s) = 'a'", "column 23"},
		{"SELECT * FROM c JOIN t IN c.tags", "unexpected JOIN"},
		{"SELECT DISTINCT c.n FROM c", "column 8"},
		{"SELECT c.n FROM c GROUP BY c.n", "unexpected GROUP"},
		{"SELECT VALUE MAX(c.n) FROM c", "column 14"},
		{"SELECT * FROM c ORDER BY c.n, c.s", "composite index"},
		{"SELECT TOP 1 * FROM c OFFSET 1 LIMIT 1", "exclude each other"},
		{"SELECT * FROM c WHERE c.s = 'open", "does not end"},
		{"SELEC * FROM c", "column 1"},
		{"SELECT * FROM c; DROP", "column 16"},
		{"SELECT * FROM c WHERE " + strings.Repeat("(", 400<<10), "is missing"},
		{"SELECT * FROM c WHERE " + strings.Repeat("(", 512<<10), "more than"},
	} {
		_, err := f.c.NewQueryItemsPager(tt.query, partitionKey("t1"), nil).NextPage(t.Context())
		if statusOf(err) != 400 || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want 400 and %q", tt.query, err, tt.says)
		}
	}
}

// Source: learn.microsoft.com/rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api, "Queries that cannot
// be served by gateway".
func TestCrossPartitionQueries(t *testing.T) {
	f := startFixture(t, thingsContainer())
	storeSample(t, f)
	everywhere := azcosmos.NewPartitionKey()
	if got := f.queryIDs(t, "SELECT c.id FROM c WHERE c.n = 1", everywhere, nil); strings.Join(got, " ") != "a a" {
		t.Errorf("a filter across partitions finds %v, want a of both", got)
	}
	for _, q := range []string{"SELECT * FROM c ORDER BY c.n", "SELECT TOP 1 * FROM c", "SELECT * FROM c OFFSET 0 LIMIT 1", "SELECT VALUE COUNT(1) FROM c"} {
		_, err := f.c.NewQueryItemsPager(q, everywhere, nil).NextPage(t.Context())
		wantStatus(t, q+" across partitions", err, 400)
	}
	off := false
	_, err := f.c.NewQueryItemsPager("SELECT * FROM c", everywhere, &azcosmos.QueryOptions{EnableCrossPartitionQuery: &off}).NextPage(t.Context())
	wantStatus(t, "a cross-partition query that is not asked for", err, 400)
}

// Source: learn.microsoft.com/azure/cosmos-db/index-policy.
func TestOrderNeedsItsIndex(t *testing.T) {
	c := thingsContainer()
	c.IndexingPolicy = &cosmos.IndexingPolicy{IndexingMode: "consistent", IncludedPaths: []cosmos.IndexPath{{Path: "/n/?"}, {Path: "/s/?"}, {Path: "/deep/*"}},
		ExcludedPaths:    []cosmos.IndexPath{{Path: "/*"}},
		CompositeIndexes: [][]cosmos.CompositeIndex{{{Path: "/n", Order: "ascending"}, {Path: "/s", Order: "descending"}}}}
	f := startFixture(t, c)
	storeSample(t, f)
	for _, tt := range []struct {
		order string
		code  int
	}{
		{"c.n", 0}, {"c.id", 0}, {"c._ts", 0}, {"c.deep.er", 0},
		{"c.on", 400}, {"c.tenant", 400}, // the partition key is not indexed by itself
		{"c.n ASC, c.s DESC", 0}, {"c.n DESC, c.s ASC", 0}, {"c.n, c.s", 400}, {"c.s DESC, c.n", 400},
	} {
		_, err := f.c.NewQueryItemsPager("SELECT * FROM c ORDER BY "+tt.order, partitionKey("t1"), nil).NextPage(t.Context())
		wantStatus(t, "ORDER BY "+tt.order, err, tt.code)
	}
	if got := strings.Join(f.queryIDs(t, "SELECT * FROM c WHERE c.on = true ORDER BY c.n", partitionKey("t1"), nil), " "); got != "a c" {
		t.Errorf("a filter on what is not indexed is a scan, and finds %s", got)
	}
}

func TestPolicyMustNameTheRoot(t *testing.T) {
	for _, paths := range [][]string{{"/n/?"}, {"/*", "/n"}, {"/*", "n/?"}} {
		account := cosmos.Start(t, cosmos.Options{Databases: []cosmos.Database{{ID: "db"}}})
		db, _ := newClient(t, account.Endpoint, account.Key()).NewDatabase("db")
		policy := &azcosmos.IndexingPolicy{Automatic: true, IndexingMode: "consistent"}
		for _, p := range paths {
			policy.IncludedPaths = append(policy.IncludedPaths, azcosmos.IncludedPath{Path: p})
		}
		_, err := db.CreateContainer(t.Context(), azcosmos.ContainerProperties{ID: "c", IndexingPolicy: policy,
			PartitionKeyDefinition: azcosmos.PartitionKeyDefinition{Paths: []string{"/tenant"}, Version: 2}}, nil)
		wantStatus(t, fmt.Sprint("policy including ", paths), err, 400)
	}
}

// Source: learn.microsoft.com/azure/cosmos-db/nosql/query/pagination.
func TestPages(t *testing.T) {
	f := startFixture(t, thingsContainer())
	for i := range 50 {
		f.createItem(t, "t1", fmt.Sprintf(`{"id":"i%02d","tenant":"t1","n":%d}`, i, i/7))
	}
	for _, q := range []string{"SELECT * FROM c", "SELECT * FROM c ORDER BY c.n DESC", "SELECT * FROM c ORDER BY c.none", "SELECT TOP 40 * FROM c ORDER BY c.id", "SELECT * FROM c ORDER BY c.id OFFSET 5 LIMIT 30"} {
		whole := f.queryIDs(t, q, partitionKey("t1"), &azcosmos.QueryOptions{PageSizeHint: 100})
		paged := f.queryIDs(t, q, partitionKey("t1"), &azcosmos.QueryOptions{PageSizeHint: 4})
		if !slices.Equal(whole, paged) {
			t.Errorf("%s: pages of 4 give %v, one page %v", q, paged, whole)
		}
	}
	first, err := f.c.NewQueryItemsPager("SELECT * FROM c", partitionKey("t1"), &azcosmos.QueryOptions{PageSizeHint: 4}).NextPage(t.Context())
	wantStatus(t, "first page", err, 0)
	for _, tt := range []struct {
		query string
		key   string
		code  int
	}{{"SELECT * FROM c", "t1", 0}, {"SELECT * FROM c WHERE c.n = 1", "t1", 400}, {"SELECT * FROM c", "t2", 400}} {
		_, err = f.c.NewQueryItemsPager(tt.query, partitionKey(tt.key), &azcosmos.QueryOptions{ContinuationToken: first.ContinuationToken}).NextPage(t.Context())
		wantStatus(t, "a continuation of the first page given to "+tt.query+" in "+tt.key, err, tt.code)
	}
	forged := "bm90IG91cnM"
	_, err = f.c.NewQueryItemsPager("SELECT * FROM c", partitionKey("t1"), &azcosmos.QueryOptions{ContinuationToken: &forged}).NextPage(t.Context())
	wantStatus(t, "a continuation that is none", err, 400)
}

// Pages may be smaller than asked for, and empty with a continuation; nothing may be lost over it.
func TestPagesSmallerAndEmpty(t *testing.T) {
	f := startFixture(t, thingsContainer())
	for i := range 20 {
		f.createItem(t, "t1", fmt.Sprintf(`{"id":"i%02d","tenant":"t1"}`, i))
	}
	n := 0
	f.Inject(func(op cosmos.Operation) cosmos.Fault {
		n++
		return cosmos.Fault{PageSize: 3, EmptyPage: n%2 == 0}
	})
	got := f.queryIDs(t, "SELECT * FROM c ORDER BY c.id", partitionKey("t1"), &azcosmos.QueryOptions{PageSizeHint: 100})
	if len(got) != 20 || !slices.IsSorted(got) || n < 10 {
		t.Errorf("%d items over %d pages: %v", len(got), n, got)
	}
}
