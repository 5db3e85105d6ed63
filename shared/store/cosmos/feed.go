package cosmos

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// Changes is store.Feed. A cursor is a commit and how many of its entries were passed; one that Changes did not give is
// fault.Invalid.
func (s *Store) Changes(ctx context.Context, tenant, cursor string, limit int) ([]store.Change, string, error) {
	from, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	type answer struct {
		changes []store.Change
		next    string
	}
	a, err := readTenant(ctx, s, tenant, "feed", func(r *reader) (answer, error) {
		f := &feedReader{limit: limit, from: from, at: from}
		err := r.readFeed(ctx, f)
		if len(f.changes) == 0 {
			return answer{nil, cursor}, err
		}
		return answer{f.changes, f.at.String()}, err
	})
	return a.changes, a.next, err
}

// feedCursor is a place in the feed: Entries of commit Version were passed, and all before it.
type feedCursor struct {
	version uint64
	entries int
}

func (p feedCursor) String() string { return fmt.Sprintf("%d.%d", p.version, p.entries) }

func parseCursor(cursor string) (feedCursor, error) {
	if cursor == "" {
		return feedCursor{}, nil
	}
	v, n, _ := strings.Cut(cursor, ".")
	version, err := strconv.ParseUint(v, 10, 53)
	entries, err2 := strconv.Atoi(n)
	if err != nil || err2 != nil || entries < 0 {
		return feedCursor{}, fault.Errorf(fault.Invalid, "cursor: %q is none of the feed's", cursor)
	}
	return feedCursor{version, entries}, nil
}

// feedReader is one reading of the feed.
type feedReader struct {
	limit    int
	from, at feedCursor
	changes  []store.Change
}

// readFeed goes through the commits in order: first those in the tables, then the log.
func (r *reader) readFeed(ctx context.Context, f *feedReader) error {
	m := &r.manifest
	more := true
	for n := m.volumeOfCommit(f.from.version); more && f.from.version <= m.Flushed && n < len(m.Volumes); n++ {
		q := cosmosdb.Query{Page: 1 + f.limit/64}
		q.Text = "SELECT * FROM c WHERE c.type = 'commit' AND c.v >= " + q.BindParam(f.from.version) + " AND c.v <= " + q.BindParam(m.lastCommitOf(n)) + " ORDER BY c.v ASC"
		err := r.client.RunQuery(ctx, r.volumePartition(n), q, func(item []byte) (bool, error) {
			it, c, err := r.decodeCommit(ctx, item)
			more = err == nil && f.addCommit(it.V, c)
			return more, err
		})
		if err != nil {
			return err
		}
	}
	if !more {
		return nil
	}
	for _, l := range r.log {
		if !f.addCommit(l.item.V, l.content) {
			break
		}
	}
	return nil
}

// addCommit tells of one commit's entries; what was overtaken by a later change since is told there. It returns
// false when there is no room for more.
func (f *feedReader) addCommit(v uint64, c content) bool {
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
			f.addChange(store.Change{Kind: store.IncidentChanged, ID: told.ID, Version: v, Time: told.Updated}, i)
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
		f.addChange(store.Change{Kind: kind, ID: r.Alert.ID, Version: v, Time: r.Updated}, i)
	}
	return true
}

func (f *feedReader) addChange(c store.Change, i int) {
	f.changes = append(f.changes, c)
	f.at = feedCursor{c.Version, i + 1}
}
