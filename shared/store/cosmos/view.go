package cosmos

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
	"github.com/onepane/onepane/shared/store/cosmos/lsm"
)

// view is a tenant as of one manifest. It does not change.
type view struct {
	*tenant
	manifest manifest
	etag     azcore.ETag // "" when there is no manifest yet
	log      []*logEntry // the commits that are not in the tables, oldest first
	// What the log says last of each of its rows and incidents: the memtable.
	rows      map[string]*alertRow
	incidents map[string]*incidentRow
	tables    *tableCache
}

// logEntry is one commit of the log.
type logEntry struct {
	item commitItem
	content
	nodes *lsm.Layer
}

func newLogEntry(item commitItem, c content) *logEntry {
	return &logEntry{item, c, &lsm.Layer{Version: item.V, Written: item.At, Ref: item.Nodes}}
}

// exists says whether the tenant has ever committed.
func (v *view) exists() bool { return v.etag != "" }

// nodeSnapshot is the view's nodes.
func (v *view) nodeSnapshot() lsm.Snapshot {
	s := lsm.Snapshot{Since: v.manifest.LogSince, Levels: v.manifest.Levels}
	for _, l := range v.log {
		s.Log = append(s.Log, l.nodes)
	}
	return s
}

func (v *view) applyLogEntry(l *logEntry) {
	for i := range l.Rows {
		v.rows[l.Rows[i].Alert.ID] = &l.Rows[i]
	}
	for i := range l.Incidents {
		v.incidents[l.Incidents[i].ID] = &l.Incidents[i]
	}
}

// withCommit is the view after one more commit, as the writer knows it without reading.
func (v *view) withCommit(m manifest, etag azcore.ETag, l *logEntry) *view {
	next := &view{tenant: v.tenant, manifest: m, etag: etag, tables: v.tables, log: append(slices.Clip(v.log), l),
		rows: maps.Clone(v.rows), incidents: maps.Clone(v.incidents)}
	if next.rows == nil {
		next.rows, next.incidents = map[string]*alertRow{}, map[string]*incidentRow{}
	}
	next.applyLogEntry(l)
	return next
}

// queryVolumes asks the partitions of the tables all at once, and hands over what they answer in an order, or one
// partition's after the other's when there is none. Conditions on commits say "c.v <= @last": others are not of the
// tables yet, or no more.
func (v *view) queryVolumes(ctx context.Context, q cosmosdb.Query, order cosmosdb.Order, do func([]byte) (more bool, err error)) error {
	var from []cosmosdb.PartitionQuery
	commits := strings.Contains(q.Text, "@last")
	for n := range v.manifest.Volumes {
		if v.manifest.isEmptyVolume(n, !commits) {
			continue
		}
		part := q
		if commits {
			part.Params = append(slices.Clip(q.Params), azcosmos.QueryParameter{Name: "@last", Value: v.manifest.lastCommitOf(n)})
		}
		from = append(from, cosmosdb.PartitionQuery{In: v.volumePartition(n), Query: part})
	}
	return v.client.RunQueries(ctx, from, order, do)
}

// contentOfCommit is what a commit of the log or the tables wrote.
func (v *view) contentOfCommit(ctx context.Context, version uint64) (content, error) {
	for _, l := range v.log {
		if l.item.V == version {
			return l.content, nil
		}
	}
	_, c, _, err := v.readCommit(ctx, v.volumePartition(v.manifest.volumeOfCommit(version)), version)
	return c, err
}
