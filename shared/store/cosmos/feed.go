package cosmos

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Changes is store.Feed. A cursor is a commit and how many of its entries were passed; one that Changes did not give is
// fault.Invalid.
func (s *Store) Changes(ctx context.Context, tenant, cursor string, limit int) ([]store.Change, string, error) {
	from, err := parsePlace(cursor)
	if err != nil {
		return nil, "", err
	}
	type answer struct {
		changes []store.Change
		next    string
	}
	a, err := read(ctx, s, tenant, "feed", func(r *reading) (answer, error) {
		f := &feeding{limit: limit, from: from, at: from}
		err := r.feed(ctx, f)
		if len(f.changes) == 0 {
			return answer{nil, cursor}, err
		}
		return answer{f.changes, f.at.String()}, err
	})
	return a.changes, a.next, err
}

// place is a place in the feed: Entries of commit Version were passed, and all before it.
type place struct {
	version uint64
	entries int
}

func (p place) String() string { return fmt.Sprintf("%d.%d", p.version, p.entries) }

func parsePlace(cursor string) (place, error) {
	if cursor == "" {
		return place{}, nil
	}
	v, n, _ := strings.Cut(cursor, ".")
	version, err := strconv.ParseUint(v, 10, 53)
	entries, err2 := strconv.Atoi(n)
	if err != nil || err2 != nil || entries < 0 {
		return place{}, fault.Errorf(fault.Invalid, "cursor: %q is none of the feed's", cursor)
	}
	return place{version, entries}, nil
}

// feeding is one reading of the feed.
type feeding struct {
	limit    int
	from, at place
	changes  []store.Change
}

// feed goes through the commits in order: first those in the tables, then the tail.
func (r *reading) feed(ctx context.Context, f *feeding) error {
	root := &r.view.root
	more := true
	for n := root.holder(f.from.version); more && f.from.version <= root.Folded && n <= len(root.Volumes); n++ {
		q := question{page: 1 + f.limit/64}
		q.text = "SELECT * FROM c WHERE c.type = 'commit' AND c.v >= " + q.bind(f.from.version) + " AND c.v <= " + q.bind(root.last(n)) + " ORDER BY c.v ASC"
		of := r.volume(r.tenant, n)
		err := r.db.query(ctx, of.pk, q, of.seen, func(item []byte) (bool, error) {
			it, c, err := r.commitItem(ctx, r.tenant, item)
			more = err == nil && f.commit(it.V, c)
			return more, err
		})
		if err != nil {
			return err
		}
	}
	if !more {
		return nil
	}
	for _, l := range r.view.tail {
		if !f.commit(l.item.V, l.content) {
			break
		}
	}
	return nil
}

// commit tells of one commit's entries; what was overtaken by a later change since is told there. It returns false when there
// is no room for more.
func (f *feeding) commit(v uint64, c content) bool {
	if v < f.from.version {
		return true
	}
	for i := range len(c.Rows) + len(c.Incidents) {
		if v == f.from.version && i < f.from.entries {
			continue
		}
		if len(f.changes) >= f.limit {
			return false
		}
		if i >= len(c.Rows) {
			told := c.Incidents[i-len(c.Rows)]
			f.tell(store.Change{Kind: store.IncidentChanged, ID: told.ID, Version: v, Time: told.Updated}, i)
			continue
		}
		r := c.Rows[i]
		if r.V != v {
			continue
		}
		kind := store.AlertChanged
		if r.Alert.Class == alert.Exposure {
			kind = store.ExposureChanged
		}
		f.tell(store.Change{Kind: kind, ID: r.Alert.ID, Version: v, Time: r.Updated}, i)
	}
	return true
}

func (f *feeding) tell(c store.Change, i int) {
	f.changes = append(f.changes, c)
	f.at = place{c.Version, i + 1}
}
