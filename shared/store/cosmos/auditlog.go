package cosmos

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// auditLog is store.AuditLog. Logs live in the state container, in partitions of their own, as documents do.
//
//	"~!journal/<tenant>"   e-<id>    one entry, TTL when it expires
//	                       journal   says that there is a log: what AuditedTenants finds
//
// An entry that tells of a commit or of a document cannot be written to the log in the batch of what it tells of:
// that is another partition. It goes along as an outbox entry beside it, and is relayed to the log from there: see
// outbox.go.
type auditLog struct{ *backend }

const (
	auditPrefix   = cosmosdb.EscapeMark + "!journal/"
	entryType     = "entry"
	auditHeadType = "journal"
)

// AppendEntry is store.AuditLog.
func (l *auditLog) AppendEntry(ctx context.Context, tenant string, e store.AuditEntry) error {
	if err := checkRecord(e.ID, e.Data); err != nil {
		return err
	}
	p := l.client.PartitionOf(auditPrefix, tenant)
	it := recordItem{ID: recordID("e-", e.ID), Tenant: p.Name, Type: entryType, Name: e.ID, Expires: e.Expires.UTC(), Data: e.Data}
	if !e.Expires.IsZero() {
		it.TTL = max(1, int64(e.Expires.Sub(l.opts.Now()).Seconds()))
	}
	entry, err := json.Marshal(it)
	if err != nil {
		return fault.Errorf(fault.Invalid, "append to audit log of %q: %w", tenant, err)
	}
	head, err := json.Marshal(recordItem{ID: auditHeadType, Tenant: p.Name, Type: auditHeadType})
	if err != nil {
		return err
	}
	const tries = 3 // an append whose answer is lost may be repeated: the second finds the first
	for try := 1; ; try++ {
		b := &cosmosdb.Batch{}
		b.CreateItem(entry)
		b.UpsertItem(head)
		_, err := l.client.RunBatch(ctx, p, b)
		switch {
		case err == nil || fault.Of(err) == fault.Conflict:
			return nil
		case !cosmosdb.IsAmbiguous(err) || try == tries:
			return fmt.Errorf("append to audit log of %q: %w", tenant, err)
		}
	}
}

// Entries is store.AuditLog.
func (l *auditLog) Entries(ctx context.Context, tenant, before string, limit int) ([]store.AuditEntry, error) {
	if err := l.relayLeftovers(ctx); err != nil {
		return nil, fmt.Errorf("read audit log of %q: %w", tenant, err)
	}
	q := cosmosdb.Query{Page: limit}
	q.Text = "SELECT * FROM c WHERE c.type = " + q.BindParam(entryType)
	if before != "" {
		q.Text += " AND c.cmin < " + q.BindParam(before)
	}
	q.Text += " ORDER BY c.cmin DESC"
	items, err := l.listRecords(ctx, l.client.PartitionOf(auditPrefix, tenant), q, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit log of %q: %w", tenant, err)
	}
	var out []store.AuditEntry
	for _, it := range items {
		out = append(out, store.AuditEntry{ID: it.Name, Expires: it.Expires, Data: it.Data})
	}
	return out, nil
}

// AuditedTenants is store.AuditLog. Like Tenants it spans partitions.
func (l *auditLog) AuditedTenants(ctx context.Context) ([]string, error) {
	if err := l.relayLeftovers(ctx); err != nil {
		return nil, fmt.Errorf("list audit logs: %w", err)
	}
	q := cosmosdb.Query{Text: "SELECT c.tenant FROM c WHERE c.type = 'journal'", Page: 1000}
	var out []string
	err := l.client.RunQuery(ctx, cosmosdb.AllPartitions, q, func(data []byte) (bool, error) {
		var it recordItem
		err := json.Unmarshal(data, &it)
		out = append(out, cosmosdb.UnescapeName(strings.TrimPrefix(it.Tenant, auditPrefix)))
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("list audit logs: %w", err)
	}
	slices.Sort(out)
	return out, nil
}
