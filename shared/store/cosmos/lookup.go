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

// maxTerms is how many terms one query has.
const maxTerms = 100

// findRows finds alerts' rows by id; those that do not exist are left out.
func (s *Store) findRows(ctx context.Context, t *tenant, v *view, ids []string) (map[string]*alertRow, error) {
	rows := map[string]*alertRow{}
	var unknown []string
	for _, id := range ids {
		r := v.rows[id]
		if r == nil {
			var known bool
			if r, known = v.tables.knownRow(id); !known {
				unknown = append(unknown, id)
			}
		}
		if r != nil && !r.Purged {
			rows[id] = r
		}
	}
	var mu sync.Mutex
	found := map[string]*alertRow{}
	err := each(ctx, len(v.manifest.Volumes), func(ctx context.Context, n int) error {
		if v.manifest.isEmptyVolume(n, false) {
			return nil
		}
		return s.lookupTerms(ctx, s.volumePartition(t, n), unknown, alertTerm, func(item []byte) error {
			it, c, err := s.decodeCommit(ctx, t, item)
			if it.V > v.manifest.lastCommitOf(n) { // of the log, which is in memory, or of a flush that did not end
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range c.Rows {
				if r := &c.Rows[i]; r.Origin == it.V && !r.Purged {
					found[r.Alert.ID] = r
				}
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	v.tables.cacheRows(unknown, found)
	for _, id := range unknown {
		if r := found[id]; r != nil {
			rows[id] = r
		}
	}
	return rows, nil
}

// findShortLived finds short-lived nodes by key, in the id index of the tenant's own partition; those that do not exist are
// left out.
func (s *Store) findShortLived(ctx context.Context, t *tenant, v *view, keys []string) ([]incident.Node, error) {
	type versioned struct {
		incident.Node
		v uint64
	}
	found := map[string]versioned{}
	err := s.lookupTerms(ctx, t.partition(), keys, idTerm, func(item []byte) error {
		var it idIndexItem
		if err := json.Unmarshal(item, &it); err != nil {
			return fmt.Errorf("damaged item: %w", err)
		}
		if it.V > v.manifest.Version { // committed after this view
			return nil
		}
		var nodes []incident.Node
		err := s.openPayload(ctx, t.name, it.Nodes, &nodes)
		for _, n := range nodes {
			if found[n.Key].v <= it.V {
				found[n.Key] = versioned{n, it.V}
			}
		}
		return err
	})
	var out []incident.Node
	for _, key := range keys {
		if n, ok := found[key]; ok {
			out = append(out, n.Node)
		}
	}
	return out, err
}

// lookupTerms asks a partition's index for items that hold any of the names, each as a term: what finding nothing costs does
// not grow with what is stored there.
func (s *Store) lookupTerms(ctx context.Context, in partition, names []string, term func(string) string, do func(item []byte) error) error {
	for part := range slices.Chunk(names, maxTerms) {
		q := sqlQuery{page: 100}
		q.text = "SELECT * FROM c WHERE " + q.whereIDs(part, term)
		err := s.client.runQuery(ctx, in.pk, q, in.session, func(item []byte) (bool, error) { return true, do(item) })
		if err != nil {
			return err
		}
	}
	return nil
}

// whereIDs holds for items with any of the names among their ids, each as a term.
func (q *sqlQuery) whereIDs(names []string, term func(string) string) string {
	var any []string
	for _, name := range names {
		any = append(any, "ARRAY_CONTAINS(c.ids, "+q.bindParam(term(name))+")")
	}
	return strings.Join(any, " OR ")
}
