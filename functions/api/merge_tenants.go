package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/query"
)

// tenantLister lists one tenant's rows.
type tenantLister[T query.Row] func(ctx context.Context, tenant string, q query.Query) (query.Page[T], error)

// chunkRows is how many rows of a tenant are read at once while several are merged, so that a deep page costs time
// but no memory.
const chunkRows = 200

// mergeTenants lists the rows of several tenants as one list: each tenant is read in the query's order, and the first
// of their next rows comes next.
func mergeTenants[T query.Row](ctx context.Context, tenants []string, q query.Query, list tenantLister[T]) (query.Page[T], error) {
	if len(tenants) == 1 {
		return list(ctx, tenants[0], q)
	}
	page := query.Page[T]{Total: -1}
	if q.Count {
		page.Total = 0
	}
	streams := make([]*tenantStream[T], len(tenants))
	for i, tenant := range tenants {
		part := q
		part.Skip, part.Top = 0, min(q.Skip+q.Top+1, chunkRows)
		streams[i] = &tenantStream[T]{tenant: tenant, q: part, list: list, seen: map[string]bool{}}
		if err := streams[i].readChunk(ctx); err != nil {
			return page, err
		}
		if q.Count {
			page.Total += streams[i].total
		}
	}
	for n := 0; ; n++ {
		next, err := nextStream(ctx, streams, q.Order)
		if next == nil || err != nil {
			return page, err
		}
		if n == q.Skip+q.Top {
			page.More = true
			return page, nil
		}
		if n >= q.Skip {
			page.Items = append(page.Items, next.rows[0])
		}
		next.rows = next.rows[1:]
	}
}

// tenantStream reads one tenant's rows chunk by chunk. What arrives between two chunks moves rows on: those met again
// are left out, so that no answer shows a row twice.
type tenantStream[T query.Row] struct {
	tenant string
	q      query.Query
	list   tenantLister[T]
	rows   []T // read and not yet taken
	seen   map[string]bool
	more   bool
	total  int64
}

func (s *tenantStream[T]) readChunk(ctx context.Context) error {
	p, err := s.list(ctx, s.tenant, s.q)
	if err != nil {
		return err
	}
	if s.q.Count {
		s.total, s.q.Count = p.Total, false
	}
	s.rows, s.more = s.rows[:0:0], p.More && len(p.Items) > 0
	for _, row := range p.Items {
		if id := row.Text(query.ID); !s.seen[id] {
			s.seen[id] = true
			s.rows = append(s.rows, row)
		}
	}
	s.q.Skip += len(p.Items)
	s.q.Top = chunkRows
	return nil
}

// nextStream is the stream whose next row comes first; nil when all are at their end.
func nextStream[T query.Row](ctx context.Context, streams []*tenantStream[T], order []query.Order) (*tenantStream[T], error) {
	var best *tenantStream[T]
	for _, s := range streams {
		for len(s.rows) == 0 && s.more {
			if err := s.readChunk(ctx); err != nil {
				return nil, err
			}
		}
		if len(s.rows) > 0 && (best == nil || compareRows(s.rows[0], best.rows[0], order) < 0) {
			best = s
		}
	}
	return best, nil
}

var newestFirst = []query.Order{{Field: query.Created, Desc: true}}

// compareRows orders rows as a Reader does: newest created first unless stated, severity by rank, ties by id.
func compareRows(a, b query.Row, order []query.Order) int {
	if len(order) == 0 {
		order = newestFirst
	}
	for _, o := range order {
		c := compareField(a, b, o.Field)
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.Text(query.ID), b.Text(query.ID))
}

func compareField(a, b query.Row, f query.Field) int {
	switch {
	case f.IsTime():
		return a.Time(f).Compare(b.Time(f))
	case f == query.Severity:
		return cmp.Compare(alert.Severity(a.Text(f)).Rank(), alert.Severity(b.Text(f)).Rank())
	}
	return strings.Compare(strings.ToLower(a.Text(f)), strings.ToLower(b.Text(f)))
}

// sortedUnique gives the distinct tenants in the order in which they are read.
func sortedUnique(tenants []string) []string {
	out := slices.Clone(tenants)
	slices.Sort(out)
	return slices.Compact(out)
}
