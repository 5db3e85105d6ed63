package cosmos

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// maxTerms is how many terms one query has.
const maxTerms = 100

// findRows finds alerts' rows by id; those that do not exist are left out.
func (v *view) findRows(ctx context.Context, ids []string) (map[string]*alertRow, error) {
	rows := map[string]*alertRow{}
	var unknown []string
	for _, id := range ids {
		r := v.rows[id]
		if r == nil {
			var known bool
			if r, known = v.tables.rows.Get(id); !known {
				unknown = append(unknown, id)
			}
		}
		if r != nil && !r.Purged {
			rows[id] = r
		}
	}
	var mu sync.Mutex
	found := map[string]*alertRow{}
	lookups, lookupCtx := errgroup.WithContext(ctx)
	lookups.SetLimit(parallel)
	for n := range v.manifest.Volumes {
		if v.manifest.isEmptyVolume(n, false) {
			continue
		}
		last := v.manifest.lastCommitOf(n)
		lookups.Go(func() error {
			return v.lookupTerms(lookupCtx, v.volumePartition(n), unknown, alertTerm, func(item []byte) error {
				it, c, err := v.decodeCommit(lookupCtx, item)
				if it.V > last { // of the log, which is in memory, or of a flush that did not end
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
	}
	if err := lookups.Wait(); err != nil {
		return nil, err
	}
	for _, id := range unknown {
		v.tables.rows.Put(id, found[id])
		if found[id] != nil {
			rows[id] = found[id]
		}
	}
	return rows, nil
}

// findShortLived finds short-lived nodes by key, in the id index of the tenant's own partition; those that do not
// exist are left out.
func (v *view) findShortLived(ctx context.Context, keys []string) ([]incident.Node, error) {
	type versioned struct {
		incident.Node
		v uint64
	}
	found := map[string]versioned{}
	err := v.lookupTerms(ctx, v.Partition, keys, idTerm, func(item []byte) error {
		var it idIndexItem
		if err := json.Unmarshal(item, &it); err != nil {
			return fmt.Errorf("damaged item: %w", err)
		}
		if it.V > v.manifest.Version { // committed after this view
			return nil
		}
		var nodes []incident.Node
		err := v.openPayload(ctx, it.Nodes, &nodes)
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

// lookupTerms asks a partition's index for items that hold any of the names, each as a term: what finding nothing
// costs does not grow with what is stored there.
func (v *view) lookupTerms(ctx context.Context, in cosmosdb.Partition, names []string, term func(string) string, do func(item []byte) error) error {
	for part := range slices.Chunk(names, maxTerms) {
		q := sqlQuery{cosmosdb.Query{Page: 100}}
		q.Text = "SELECT * FROM c WHERE " + q.whereIDs(part, term)
		err := v.client.RunQuery(ctx, in, q.Query, func(item []byte) (bool, error) { return true, do(item) })
		if err != nil {
			return err
		}
	}
	return nil
}

// findNodes finds nodes that live long, by key; those that do not exist are left out.
func (v *view) findNodes(ctx context.Context, keys []string) ([]incident.Node, error) {
	found, err := v.nodes.FindNodes(ctx, v.nodeSnapshot(), keys)
	out := make([]incident.Node, len(found))
	for i, n := range found {
		if err := json.Unmarshal(n.JSON, &out[i]); err != nil {
			return nil, fmt.Errorf("node %s: damaged item: %w", n.Key, err)
		}
	}
	return out, err
}
