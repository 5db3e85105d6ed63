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

// tables is what was read of a tenant's tables since they were folded last; until they are folded again, the tail says
// whatever is newer.
type tables struct {
	mu sync.Mutex
	// rows by alert id; nil is known not to exist.
	rows *recent[*row]
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

func newTables() *tables {
	return &tables{rows: newRecent[*row](maxKnown), incidents: newRecent[*incidentRow](maxIncidents),
		pages: newRecent[*payload](maxPages)}
}

// after is what is known of the tables once a view's tail and the pages made of it are in them.
func (t *tables) after(v *view, pages map[string]*payload) *tables {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &tables{rows: t.rows.with(v.rows), incidents: t.incidents.with(v.incidents), pages: t.pages.with(pages)}
}

func (t *tables) row(id string) (r *row, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.get(id)
}

// found notes what a lookup of ids brought.
func (t *tables) found(ids []string, rows map[string]*row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		t.rows.put(id, rows[id])
	}
}

// met notes those incidents of a page that somebody asked for; the others need not stay for them.
func (t *tables) met(page map[string]*incidentRow, ids ...string) {
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

// rowsOf finds alerts' rows by id; those that do not exist are left out. Names finds nodes beside them, in the same
// request.
func (s *Store) rowsOf(ctx context.Context, t *tenant, v *view, ids, names []string) (map[string]*row, []incident.Node, error) {
	rows := map[string]*row{}
	var unknown []string
	for _, id := range ids {
		if r := v.rows[id]; r != nil {
			if !r.Gone {
				rows[id] = r
			}
		} else if r, known := v.tables.row(id); !known {
			unknown = append(unknown, id)
		} else if r != nil && !r.Gone {
			rows[id] = r
		}
	}
	l := lookup{rows: map[string]*row{}, names: map[string]nameNode{}, wanted: map[string]bool{}}
	var terms, all []string
	for _, id := range unknown {
		l.wanted[id] = true
		terms = append(terms, alertTerm(id))
	}
	all = slices.Clip(terms)
	for _, key := range names {
		l.wanted[key] = true
		all = append(all, nameTerm(key))
	}
	err := each(ctx, len(v.root.Volumes)+1, func(ctx context.Context, n int) error {
		ask := terms // names are in the tenant's own partition alone
		if n == 0 {
			ask = all
		} else if v.root.empty(n, false) {
			return nil
		}
		for part := range slices.Chunk(ask, maxTerms) {
			if err := s.lookup(ctx, t, v, n, part, &l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	v.tables.found(unknown, l.rows)
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

// lookup is what a search by terms has found.
type lookup struct {
	wanted map[string]bool

	mu    sync.Mutex // guards what follows
	rows  map[string]*row
	names map[string]nameNode
}

type nameNode struct {
	incident.Node
	v uint64
}

// maxTerms is how many terms one question has.
const maxTerms = 100

// lookup asks the index of a volume for items that hold any of terms: what finding nothing costs does not grow with what is
// stored there.
func (s *Store) lookup(ctx context.Context, t *tenant, v *view, n int, terms []string, l *lookup) error {
	q := question{page: 100}
	var any []string
	for _, term := range terms {
		any = append(any, "ARRAY_CONTAINS(c.ids, "+q.bind(term)+")")
	}
	q.text = "SELECT * FROM c WHERE " + strings.Join(any, " OR ")
	of := s.volume(t, n)
	return s.db.query(ctx, of.pk, q, of.seen, func(data []byte) (bool, error) {
		var kind struct {
			Type string `json:"type"`
			V    uint64 `json:"v"`
		}
		if err := json.Unmarshal(data, &kind); err != nil {
			return false, fmt.Errorf("damaged item: %w", err)
		}
		switch {
		case kind.V > v.root.Version: // committed after this view
			return true, nil
		case kind.Type == namesType:
			return true, s.lookInNames(ctx, t, data, l)
		case kind.V > v.root.last(n): // of the tail, which is in memory, or of a fold that did not end
			return true, nil
		}
		return true, s.lookInRows(ctx, t, data, l)
	})
}

func (s *Store) lookInRows(ctx context.Context, t *tenant, data []byte, l *lookup) error {
	it, c, err := s.commitItem(ctx, t, data)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Home == it.V && !r.Gone && l.wanted[r.Alert.ID] {
			l.rows[r.Alert.ID] = r
		}
	}
	return err
}

func (s *Store) lookInNames(ctx context.Context, t *tenant, data []byte, l *lookup) error {
	var it namesItem
	if err := json.Unmarshal(data, &it); err != nil {
		return fmt.Errorf("damaged item: %w", err)
	}
	var nodes []incident.Node
	if err := s.open(ctx, t.name, it.Nodes, &nodes); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range nodes {
		if l.wanted[n.Key] && l.names[n.Key].v <= it.V {
			l.names[n.Key] = nameNode{n, it.V}
		}
	}
	return nil
}

// incident gives one incident as it was committed; nil when there is none.
func (s *Store) incident(ctx context.Context, t *tenant, v *view, id string) (*incidentRow, error) {
	if i, known := v.incident(id); known {
		return i, nil
	}
	page, err := s.page(ctx, t, v, pageOf(id))
	if err != nil {
		return nil, err
	}
	v.tables.met(page, id)
	return page[id], nil
}

// incident is what is known without reading; nil is known not to exist, or no more.
func (v *view) incident(id string) (i *incidentRow, known bool) {
	if i = v.incidents[id]; i == nil {
		v.tables.mu.Lock()
		defer v.tables.mu.Unlock()
		i, known = v.tables.incidents.get(id)
	}
	if i != nil && i.Gone {
		return nil, true
	}
	return i, known || i != nil
}

// page reads a page of the table of incidents, once between two folds.
func (s *Store) page(ctx context.Context, t *tenant, v *view, page string) (map[string]*incidentRow, error) {
	if v.root.Folded == 0 {
		return nil, nil
	}
	v.tables.mu.Lock()
	rows, known := v.tables.pages.get(page)
	v.tables.mu.Unlock()
	if !known {
		var err error
		if rows, _, err = s.pageAt(ctx, s.volume(t, v.root.pageHolder(page)), page); err != nil {
			return nil, err
		}
		v.tables.mu.Lock()
		v.tables.pages.put(page, rows)
		v.tables.mu.Unlock()
	}
	return s.incidentRows(ctx, t, rows)
}

func (s *Store) incidentsItem(ctx context.Context, t *tenant, data []byte) (map[string]*incidentRow, error) {
	var it incidentsItem
	if err := json.Unmarshal(data, &it); err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	return s.incidentRows(ctx, t, &it.Rows)
}

// incidentRows unpacks a page of incidents.
func (s *Store) incidentRows(ctx context.Context, t *tenant, p *payload) (map[string]*incidentRow, error) {
	if p == nil {
		return nil, nil
	}
	var rows []incidentRow
	if err := s.open(ctx, t.name, *p, &rows); err != nil {
		return nil, err
	}
	out := make(map[string]*incidentRow, len(rows))
	for i := range rows {
		out[rows[i].ID] = &rows[i]
	}
	return out, nil
}

// incidentsOf finds incidents by id, a few at a time; those that do not exist are left out.
func (s *Store) incidentsOf(ctx context.Context, t *tenant, v *view, ids []string) ([]*incidentRow, error) {
	unknown := map[string][]string{} // by page
	for _, id := range ids {
		if _, known := v.incident(id); !known {
			unknown[pageOf(id)] = append(unknown[pageOf(id)], id)
		}
	}
	pages := sorted(unknown)
	err := each(ctx, len(pages), func(ctx context.Context, i int) error {
		page, err := s.page(ctx, t, v, pages[i])
		if err == nil {
			v.tables.met(page, unknown[pages[i]]...)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*incidentRow
	for _, id := range ids {
		i, err := s.incident(ctx, t, v, id)
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

// survivor follows merges from an incident to the one that has its content now. What cannot be found is shown as it is.
func (s *Store) survivor(ctx context.Context, t *tenant, v *view, id string) (string, error) {
	for range maxRedirects {
		if id == "" {
			break
		}
		i, err := s.incident(ctx, t, v, id)
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
