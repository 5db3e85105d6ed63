package cosmos

import (
	"cmp"
	"encoding/base64"
	"hash/fnv"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// maxQuery is how long a query's text is at most.
// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum length of SQL query 512 KB".
const maxQuery = 512 << 10

// maxPage is how many bytes of items a page holds at most.
// Source: learn.microsoft.com/azure/cosmos-db/concepts-limits, "Maximum response size 4 MB".
const maxPage = 4 << 20

// queryBody is a query as it comes over the wire.
type queryBody struct {
	Query      string `json:"query"`
	Parameters []struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	} `json:"parameters"`
}

// answerQuery answers one page. With a partition key header it looks into that logical partition alone; without one
// it looks everywhere, and then only filters and projections are served.
func (r *call) answerQuery() (answer, error) {
	if err := r.requireAccess(ReadData); err != nil {
		return answer{}, err
	}
	q, err := r.prepareQuery()
	if err != nil {
		r.addUsage(Query, Usage{Requests: 1, Operations: 1, Charge: queryBase, Refused: 1})
		return answer{charge: queryBase}, err
	}
	wanted, err := r.scopeOf()
	if err != nil {
		return answer{}, err
	}
	one, err := r.aimedPartition(Query)
	if err != nil {
		return answer{}, err
	}
	pg, err := r.findPage(q, one, wanted)
	if err != nil {
		return answer{}, err
	}
	r.chargePage(one, Query, pg.charge)
	body, err := json.Marshal(map[string]any{"_rid": r.c.rid, "Documents": pg.rows, "_count": len(pg.rows)}, json.Deterministic(true))
	a := answer{status: http.StatusOK, body: body, charge: pg.charge}
	if pg.next != "" {
		a.header = map[string]string{"x-ms-continuation": pg.next}
	}
	return a, err
}

// prepareQuery reads the query and refuses what cannot be served here: by its index, or because it spans partitions.
func (r *call) prepareQuery() (*search, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/query+json") {
		return nil, refuseBadRequest("a query has the content type application/query+json")
	}
	var body queryBody
	if err := json.Unmarshal(r.body, &body); err != nil {
		return nil, refuseBadRequest("the query is not understood: %v", err)
	}
	if len(body.Query) > maxQuery {
		return nil, refuseBadRequest("the query has %d bytes, which is more than %d", len(body.Query), maxQuery)
	}
	parameters := map[string]any{}
	for _, p := range body.Parameters {
		if !strings.HasPrefix(p.Name, "@") {
			return nil, refuseBadRequest("parameter %q does not begin with @", p.Name)
		}
		parameters[p.Name] = p.Value
	}
	parsed, err := sql.Parse(body.Query, parameters)
	if err != nil {
		return nil, refuseBadRequest("%v", err)
	}
	q := &search{parsed, r.c.index}
	if r.Header.Get("x-ms-documentdb-partitionkey") == "" {
		if err := q.checkCrossPartition(r.request); err != nil {
			return nil, err
		}
	}
	return q, q.checkIndex()
}

// search is a query over one container.
type search struct {
	*sql.Query
	index *index
}

// checkCrossPartition refuses what needs more than one partition to be put together: the gateway does not do that,
// and azcosmos has no query engine of its own. Source:
// learn.microsoft.com/rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api, "Queries that cannot be
// served by gateway".
func (q *search) checkCrossPartition(r *request) error {
	if !strings.EqualFold(r.Header.Get("x-ms-documentdb-query-enablecrosspartition"), "true") {
		return refuseBadRequest("Cross partition query is required but disabled. Please set x-ms-documentdb-query-enablecrosspartition to true")
	}
	if len(q.Order) > 0 || q.Count || q.Top >= 0 || q.Limit >= 0 {
		return refuseBadRequest("The provided cross partition query can not be directly served by the gateway: " +
			"without a partition key only filters and projections are")
	}
	return nil
}

// checkIndex refuses an order that the indexing policy does not keep.
// Source: learn.microsoft.com/azure/cosmos-db/index-policy, "Composite indexes" and "Range index".
func (q *search) checkIndex() error {
	for _, o := range q.Order {
		if !q.index.coversPath(o.Path) {
			return refuseBadRequest("The index path corresponding to the specified order-by item is excluded: %s", o.Path)
		}
	}
	if len(q.Order) > 1 && !q.index.servesOrder(q.Order) {
		return refuseBadRequest("The order by query does not have a corresponding composite index that it can be served from")
	}
	return nil
}

// isIndexed is whether every property the filter names is in the index, so that only what matches is loaded.
func (q *search) isIndexed() bool {
	for _, p := range q.Filtered {
		if !q.index.coversPath(p) && !q.index.coversPath(append(slices.Clip(p), "[]")) {
			return false
		}
	}
	return !q.index.none
}

// cursor is where a query continues: after the row with these values and this place. Clients get it as opaque text.
type cursor struct {
	Query uint64 `json:"q"` // of what was asked: another query is refused
	Row   []any  `json:"r"` // the values ordered by
	Place uint64 `json:"p"` // decides between equal values
	ID    string `json:"i"`
	Done  int    `json:"n"` // rows passed, skipped ones included
}

// page is what one request of a query is answered with.
type page struct {
	rows   []jsontext.Value
	next   string
	charge float64
}

// match is an item that fits, with what it is sorted by.
type match struct {
	it    *item
	row   []any
	place uint64
}

// findPage finds what fits, orders it, and takes a page from where the continuation says.
func (r *call) findPage(q *search, one *partition, wanted func(key) bool) (page, error) {
	size, err := pageSize(r.request)
	if err != nil {
		return page{}, err
	}
	at, err := readCursor(r.request)
	if err != nil {
		return page{}, err
	}
	searched, visited := r.c.searchedPartitions(one, wanted)
	pg := page{rows: []jsontext.Value{}, charge: queryBase * float64(visited)}
	indexed := q.isIndexed()
	if !indexed {
		pg.charge += loadCharge(searched)
	}
	found := q.findMatches(searched)
	if q.Count {
		pg.rows = append(pg.rows, jsontext.Value(jsontext.AppendFloat(nil, float64(len(found)), 64)))
		return pg, nil
	}
	slices.SortFunc(found, q.compareMatches)
	if at != nil {
		found = found[sort.Search(len(found), func(i int) bool { return q.compareCursor(found[i], at) > 0 }):]
	}
	return pg, q.fillPage(&pg, r.request, found, at, size, indexed)
}

// loadCharge is what reading everything in the partitions costs.
func loadCharge(list []*partition) (charge float64) {
	for _, p := range list {
		for _, it := range p.sorted {
			charge += ReadCharge(it.storedSize())
		}
	}
	return charge
}

// findMatches filters.
func (q *search) findMatches(list []*partition) (found []match) {
	for _, p := range list {
		for it := range p.candidateItems(q) {
			if q.Matches(it) {
				found = append(found, q.matchOf(it))
			}
			it.forgetLarge()
		}
	}
	return found
}

// candidateItems are items among which all that match are.
func (p *partition) candidateItems(q *search) iter.Seq[*item] {
	find := func(at sql.Path, text string) (map[*item]bool, bool) { return p.itemsWithText(q.index, at, text) }
	if found, ok := sql.Narrow(q.Query, find); ok {
		return maps.Keys(found)
	}
	return slices.Values(p.sorted.withinBounds(q.IDBounds))
}

func (q *search) matchOf(it *item) match {
	m := match{it: it}
	for _, o := range q.Order {
		m.row = append(m.row, it.valueAt(o.Path))
	}
	h := fnv.New64a()
	h.Write([]byte(it.key.epk + it.id))
	m.place = h.Sum64()
	return m
}

// compareMatches orders matches; what the query leaves open is decided by a hash, so that nobody gets used to an
// order that the service does not promise.
func (q *search) compareMatches(a, b match) int {
	for i, o := range q.Order {
		c := sql.CompareValues(a.row[i], b.row[i])
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.it.id, b.it.id))
}

func (q *search) compareCursor(m match, at *cursor) int {
	row := slices.Clone(at.Row)
	for i, v := range row {
		if object, ok := v.(map[string]any); ok && len(object) == 0 {
			row[i] = sql.Undefined{}
		}
	}
	return q.compareMatches(m, match{it: &item{id: at.ID}, row: row, place: at.Place})
}

// fillPage takes rows until the page is full and leaves a cursor when there may be more.
func (q *search) fillPage(pg *page, r *request, rest []match, at *cursor, size int, load bool) error {
	done := 0
	if at != nil {
		done = at.Done
	}
	bytes := 0
	last := at
	for _, m := range rest {
		if q.Top >= 0 && done >= q.Top || q.Limit >= 0 && done >= q.Offset+q.Limit {
			return nil
		}
		if len(pg.rows) >= size || bytes > maxPage || r.fault.EmptyPage {
			next, err := last.encodeToken(r)
			pg.next = next
			return err
		}
		if load {
			pg.charge += ReadCharge(m.it.storedSize())
		}
		done++
		last = &cursor{Row: m.row, Place: m.place, ID: m.it.id, Done: done}
		if done <= q.Offset {
			continue
		}
		row, err := q.projectRow(m.it)
		if err != nil {
			return err
		}
		if row != nil {
			pg.rows = append(pg.rows, row)
			bytes += len(row)
		}
	}
	return nil
}

// projectRow is the row that is answered for an item; nil for VALUE of a path that the item does not have.
func (q *search) projectRow(it *item) (jsontext.Value, error) {
	if q.Columns == nil {
		return it.encodeBody(), nil
	}
	row := map[string]any{}
	for _, c := range q.Columns {
		v := it.valueAt(c.Path)
		if v == (sql.Undefined{}) {
			continue
		}
		if q.ValueOnly {
			return json.Marshal(v, json.Deterministic(true))
		}
		row[c.Name] = v
	}
	if q.ValueOnly {
		return nil, nil
	}
	return json.Marshal(row, json.Deterministic(true))
}

// queryHash identifies what a continuation belongs to: the query with its parameters and the partitions it looks at.
func queryHash(r *request) uint64 {
	h := fnv.New64a()
	for _, part := range []string{string(r.body), r.Header.Get("x-ms-documentdb-partitionkey"), r.Header.Get("x-ms-documentdb-partitionkeyrangeid"),
		strings.Join(r.path, "/")} {
		h.Write([]byte(part + "\x00"))
	}
	return h.Sum64()
}

// encodeToken is the continuation token of a cursor; that of a nil cursor continues at the first row.
func (at *cursor) encodeToken(r *request) (string, error) {
	c := cursor{}
	if at != nil {
		c = *at
	}
	c.Query = queryHash(r)
	row := []any{}
	for _, v := range c.Row {
		if v == (sql.Undefined{}) {
			v = map[string]any{}
		}
		row = append(row, v)
	}
	c.Row = row
	raw, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

func readCursor(r *request) (*cursor, error) {
	token := r.Header.Get("x-ms-continuation")
	if token == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	at := &cursor{}
	if err == nil {
		err = json.Unmarshal(raw, at)
	}
	if err != nil {
		return nil, refuseBadRequest("Invalid Continuation Token")
	}
	if at.Query != queryHash(r) {
		return nil, refuseBadRequest("Invalid Continuation Token: it belongs to another query")
	}
	if at.ID == "" {
		return nil, nil
	}
	return at, nil
}
