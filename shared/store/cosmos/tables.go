package cosmos

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
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
	if v.manifest.isEmptyVolume(v.manifest.volumeOfPage(page), true) {
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
