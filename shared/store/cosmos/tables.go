package cosmos

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/cache"
)

// tableCache is what was read of a tenant's tables since they were flushed last; until they are flushed again, the
// log says whatever is newer. Nil is known not to exist.
type tableCache struct {
	rows *cache.LRU[string, *alertRow] // by alert id
	// incidents by id. A commit asks for hundreds that are on as many pages, whose neighbours nobody asks for.
	incidents *cache.LRU[string, *incidentRow]
	// pages of incidents as they are stored, packed: far more of them fit so, and unpacking one again is cheaper
	// than asking for it.
	pages *cache.LRU[string, *payload]
}

// What is remembered: some 50 to 100 MB each, as estimated.
const (
	maxRows      = 100_000
	maxIncidents = 50_000
	maxPages     = 20_000 // of incidents, 32 on each
)

func newTableCache() *tableCache {
	return &tableCache{
		cache.New[string](maxRows, cache.One[*alertRow]), cache.New[string](maxIncidents, cache.One[*incidentRow]),
		cache.New[string](maxPages, cache.One[*payload]),
	}
}

// afterFlush is what is known of the tables once a view's log and the pages made of it are in them.
func (t *tableCache) afterFlush(v *view, pages map[string]*payload) *tableCache {
	return &tableCache{withAll(t.rows, v.rows), withAll(t.incidents, v.incidents), withAll(t.pages, pages)}
}

func withAll[V any](c *cache.LRU[string, V], more map[string]V) *cache.LRU[string, V] {
	next := c.Clone()
	for key, v := range more {
		next.Put(key, v)
	}
	return next
}

// cacheIncidents keeps the requested incidents of a page, not their 31 neighbours: a commit asks for hundreds of
// pages and rarely for a neighbour.
func (t *tableCache) cacheIncidents(page map[string]*incidentRow, ids ...string) {
	for _, id := range ids {
		i := page[id]
		if i != nil {
			alone := *i
			i = &alone
		}
		t.incidents.Put(id, i)
	}
}

// findIncident gives one incident as it was committed; nil when there is none.
func (v *view) findIncident(ctx context.Context, id string) (*incidentRow, error) {
	if i, known := v.knownIncident(id); known {
		return i, nil
	}
	page, err := v.cachedPage(ctx, pageOf(id))
	if err != nil {
		return nil, err
	}
	v.tables.cacheIncidents(page, id)
	return page[id], nil
}

// knownIncident is what is known without reading; nil is known not to exist, or no more.
func (v *view) knownIncident(id string) (i *incidentRow, known bool) {
	if i = v.incidents[id]; i == nil {
		i, known = v.tables.incidents.Get(id)
	}
	if i != nil && i.Purged {
		return nil, true
	}
	return i, known || i != nil
}

// cachedPage reads a page of the table of incidents, once between two flushes.
func (v *view) cachedPage(ctx context.Context, page string) (map[string]*incidentRow, error) {
	volume := v.manifest.volumeOfPage(page)
	if v.manifest.isEmptyVolume(volume, true) {
		return nil, nil
	}
	packed, known := v.tables.pages.Get(page)
	if !known {
		var err error
		if packed, _, err = v.readPage(ctx, volume, page); err != nil {
			return nil, err
		}
		v.tables.pages.Put(page, packed)
	}
	return v.openPage(ctx, packed)
}

// findIncidents finds incidents by id, a few at a time; those that do not exist are left out.
func (v *view) findIncidents(ctx context.Context, ids []string) ([]*incidentRow, error) {
	unknown := map[string][]string{} // by page
	for _, id := range ids {
		if _, known := v.knownIncident(id); !known {
			unknown[pageOf(id)] = append(unknown[pageOf(id)], id)
		}
	}
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(parallel)
	for _, name := range sortedKeys(unknown) {
		reads.Go(func() error {
			page, err := v.cachedPage(readCtx, name)
			if err == nil {
				v.tables.cacheIncidents(page, unknown[name]...)
			}
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	var out []*incidentRow
	for _, id := range ids {
		i, err := v.findIncident(ctx, id)
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

// survivorOf follows merges from an incident to the one that has its content now. What cannot be found is shown as
// it is.
func (v *view) survivorOf(ctx context.Context, id string) (string, error) {
	for range maxRedirects {
		if id == "" {
			break
		}
		i, err := v.findIncident(ctx, id)
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
