package cosmos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/incident"
)

// tableCache is what was read of a tenant's tables since they were folded last; until they are folded again, the log says
// whatever is newer.
type tableCache struct {
	mu sync.Mutex
	// rows by alert id; nil is known not to exist.
	rows *recent[*alertRow]
	// incidents by id, likewise. A commit asks for hundreds that are on as many pages, whose neighbours nobody asks for.
	incidents *recent[*incidentRow]
	// pages of incidents as they are stored, packed: far more of them fit so, and unpacking one again is cheaper than asking for
	// it. Nil is known not to exist.
	pages *recent[*payload]
}

// What is remembered: some 50 to 100 MB each, as estimated.
const (
	maxKnown     = 100_000 // rows
	maxIncidents = 50_000
	maxPages     = 20_000 // of incidents, 32 on each
)

func newTableCache() *tableCache {
	return &tableCache{rows: newRecent[*alertRow](maxKnown), incidents: newRecent[*incidentRow](maxIncidents),
		pages: newRecent[*payload](maxPages)}
}

// afterFlush is what is known of the tables once a view's log and the pages made of it are in them.
func (t *tableCache) afterFlush(v *view, pages map[string]*payload) *tableCache {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &tableCache{rows: t.rows.withAll(v.rows), incidents: t.incidents.withAll(v.incidents), pages: t.pages.withAll(pages)}
}

func (t *tableCache) knownRow(id string) (r *alertRow, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.get(id)
}

// cacheRows outbox entries what a lookup of ids brought.
func (t *tableCache) cacheRows(ids []string, rows map[string]*alertRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		t.rows.put(id, rows[id])
	}
}

// cacheIncidents outbox entries those incidents of a page that somebody asked for; the others need not stay for them.
func (t *tableCache) cacheIncidents(page map[string]*incidentRow, ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		i := page[id]
		if i != nil {
			alone := *i
			i = &alone
		}
		t.incidents.put(id, i)
	}
}

// findRows finds alerts' rows by id; those that do not exist are left out. Names finds nodes beside them, in the same
// request.
func (s *Store) findRows(ctx context.Context, t *tenant, v *view, ids, names []string) (map[string]*alertRow, []incident.Node, error) {
	rows := map[string]*alertRow{}
	var unknown []string
	for _, id := range ids {
		if r := v.rows[id]; r != nil {
			if !r.Purged {
				rows[id] = r
			}
		} else if r, known := v.tables.knownRow(id); !known {
			unknown = append(unknown, id)
		} else if r != nil && !r.Purged {
			rows[id] = r
		}
	}
	l := termLookup{rows: map[string]*alertRow{}, names: map[string]indexedNode{}, wanted: map[string]bool{}}
	var terms, all []string
	for _, id := range unknown {
		l.wanted[id] = true
		terms = append(terms, alertTerm(id))
	}
	all = slices.Clip(terms)
	for _, key := range names {
		l.wanted[key] = true
		all = append(all, idTerm(key))
	}
	err := each(ctx, len(v.manifest.Volumes)+1, func(ctx context.Context, n int) error {
		ask := terms // names are in the tenant's own partition alone
		if n == 0 {
			ask = all
		} else if v.manifest.isEmptyVolume(n, false) {
			return nil
		}
		for part := range slices.Chunk(ask, maxTerms) {
			if err := s.lookupTerms(ctx, t, v, n, part, &l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	v.tables.cacheRows(unknown, l.rows)
	for id, r := range l.rows {
		rows[id] = r
	}
	var nodes []incident.Node
	for _, key := range names {
		if n, ok := l.names[key]; ok {
			nodes = append(nodes, n.Node)
		}
	}
	return rows, nodes, nil
}

// termLookup is what a search by terms has found.
type termLookup struct {
	wanted map[string]bool

	mu    sync.Mutex // guards what follows
	rows  map[string]*alertRow
	names map[string]indexedNode
}

type indexedNode struct {
	incident.Node
	v uint64
}

// maxTerms is how many terms one question has.
const maxTerms = 100

// lookupTerms asks the index of a volume for items that hold any of terms: what finding nothing costs does not grow with what is
// stored there.
func (s *Store) lookupTerms(ctx context.Context, t *tenant, v *view, n int, terms []string, l *termLookup) error {
	q := sqlQuery{page: 100}
	var any []string
	for _, term := range terms {
		any = append(any, "ARRAY_CONTAINS(c.ids, "+q.bindParam(term)+")")
	}
	q.text = "SELECT * FROM c WHERE " + strings.Join(any, " OR ")
	of := s.volumePartition(t, n)
	return s.client.runQuery(ctx, of.pk, q, of.session, func(data []byte) (bool, error) {
		var kind struct {
			Type string `json:"type"`
			V    uint64 `json:"v"`
		}
		if err := json.Unmarshal(data, &kind); err != nil {
			return false, fmt.Errorf("damaged item: %w", err)
		}
		switch {
		case kind.V > v.manifest.Version: // committed after this view
			return true, nil
		case kind.Type == idIndexType:
			return true, s.collectNodes(ctx, t, data, l)
		case kind.V > v.manifest.lastCommitOf(n): // of the log, which is in memory, or of a flush that did not end
			return true, nil
		}
		return true, s.collectRows(ctx, t, data, l)
	})
}

func (s *Store) collectRows(ctx context.Context, t *tenant, data []byte, l *termLookup) error {
	it, c, err := s.decodeCommit(ctx, t, data)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Origin == it.V && !r.Purged && l.wanted[r.Alert.ID] {
			l.rows[r.Alert.ID] = r
		}
	}
	return err
}

func (s *Store) collectNodes(ctx context.Context, t *tenant, data []byte, l *termLookup) error {
	var it idIndexItem
	if err := json.Unmarshal(data, &it); err != nil {
		return fmt.Errorf("damaged item: %w", err)
	}
	var nodes []incident.Node
	if err := s.openPayload(ctx, t.name, it.Nodes, &nodes); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range nodes {
		if l.wanted[n.Key] && l.names[n.Key].v <= it.V {
			l.names[n.Key] = indexedNode{n, it.V}
		}
	}
	return nil
}

// findIncident gives one incident as it was committed; nil when there is none.
func (s *Store) findIncident(ctx context.Context, t *tenant, v *view, id string) (*incidentRow, error) {
	if i, known := v.knownIncident(id); known {
		return i, nil
	}
	page, err := s.cachedPage(ctx, t, v, pageOf(id))
	if err != nil {
		return nil, err
	}
	v.tables.cacheIncidents(page, id)
	return page[id], nil
}

// knownIncident is what is known without reading; nil is known not to exist, or no more.
func (v *view) knownIncident(id string) (i *incidentRow, known bool) {
	if i = v.incidents[id]; i == nil {
		v.tables.mu.Lock()
		defer v.tables.mu.Unlock()
		i, known = v.tables.incidents.get(id)
	}
	if i != nil && i.Purged {
		return nil, true
	}
	return i, known || i != nil
}

// cachedPage reads a page of the table of incidents, once between two flushes.
func (s *Store) cachedPage(ctx context.Context, t *tenant, v *view, page string) (map[string]*incidentRow, error) {
	if v.manifest.Flushed == 0 {
		return nil, nil
	}
	v.tables.mu.Lock()
	rows, known := v.tables.pages.get(page)
	v.tables.mu.Unlock()
	if !known {
		var err error
		if rows, _, err = s.readPage(ctx, s.volumePartition(t, v.manifest.volumeOfPage(page)), page); err != nil {
			return nil, err
		}
		v.tables.mu.Lock()
		v.tables.pages.put(page, rows)
		v.tables.mu.Unlock()
	}
	return s.openPage(ctx, t, rows)
}

func (s *Store) decodePage(ctx context.Context, t *tenant, data []byte) (map[string]*incidentRow, error) {
	var it incidentsItem
	if err := json.Unmarshal(data, &it); err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	return s.openPage(ctx, t, &it.Rows)
}

// openPage unpacks a page of incidents.
func (s *Store) openPage(ctx context.Context, t *tenant, p *payload) (map[string]*incidentRow, error) {
	if p == nil {
		return nil, nil
	}
	var rows []incidentRow
	if err := s.openPayload(ctx, t.name, *p, &rows); err != nil {
		return nil, err
	}
	out := make(map[string]*incidentRow, len(rows))
	for i := range rows {
		out[rows[i].ID] = &rows[i]
	}
	return out, nil
}

// findIncidents finds incidents by id, a few at a time; those that do not exist are left out.
func (s *Store) findIncidents(ctx context.Context, t *tenant, v *view, ids []string) ([]*incidentRow, error) {
	unknown := map[string][]string{} // by page
	for _, id := range ids {
		if _, known := v.knownIncident(id); !known {
			unknown[pageOf(id)] = append(unknown[pageOf(id)], id)
		}
	}
	pages := sortedKeys(unknown)
	err := each(ctx, len(pages), func(ctx context.Context, i int) error {
		page, err := s.cachedPage(ctx, t, v, pages[i])
		if err == nil {
			v.tables.cacheIncidents(page, unknown[pages[i]]...)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*incidentRow
	for _, id := range ids {
		i, err := s.findIncident(ctx, t, v, id)
		if err != nil {
			return nil, err
		}
		if i != nil {
			out = append(out, i)
		}
	}
	return out, nil
}

// maxRedirects ends a circle of redirects, which correlation never makes.
const maxRedirects = 1000

// survivorOf follows merges from an incident to the one that has its content now. What cannot be found is shown as it is.
func (s *Store) survivorOf(ctx context.Context, t *tenant, v *view, id string) (string, error) {
	for range maxRedirects {
		if id == "" {
			break
		}
		i, err := s.findIncident(ctx, t, v, id)
		if err != nil {
			return id, err
		}
		if i == nil || i.RedirectTo == "" {
			break
		}
		id = i.RedirectTo
	}
	return id, nil
}
