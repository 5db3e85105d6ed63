package cosmos

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// outboxEntry is entries of an audit log on their way to it, in the partition of what they tell of: created by the
// batch that writes that, relayed and deleted right after it. Whoever reads audit logs first relays what is left by
// those who died in between; relaying twice is relaying once.
//
//	batch: what changed + outbox entry ─▶ audit log: entries ─▶ outbox entry deleted
//	                 └─ died here ─▶ Entries, AuditedTenants relay it
type outboxEntry struct {
	ID       string      `json:"id"`
	Tenant   string      `json:"tenant"` // the partition
	Type     string      `json:"type"`
	AuditLog string      `json:"journal"` // whose
	Lines    []auditLine `json:"lines"`
}

// auditLine is one entry of an outbox entry.
type auditLine struct {
	ID      string         `json:"id"`
	Expires time.Time      `json:"expires,omitzero"`
	Data    jsontext.Value `json:"data"`
}

const outboxType = "note"

// maxOutboxBytes bounds the entries of one outbox entry, in bytes: what a batch of 2 MB has room for beside a commit.
const maxOutboxBytes = 1 << 20

// newOutboxEntry makes the outbox entry of entries, nil when there are none.
func newOutboxEntry(partition, tenant string, entries ...store.AuditEntry) (*outboxEntry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	n := &outboxEntry{ID: "note-" + rand.Text(), Tenant: partition, Type: outboxType, AuditLog: tenant}
	size := 0
	for _, e := range entries {
		if err := checkRecord(e.ID, e.Data); err != nil {
			return nil, fmt.Errorf("audit entry %s: %w", e.ID, err)
		}
		size += len(e.Data)
		n.Lines = append(n.Lines, auditLine{ID: e.ID, Expires: e.Expires.UTC(), Data: e.Data})
	}
	if size > maxOutboxBytes {
		return nil, fault.Errorf(fault.TooLarge, "%d entries of %d bytes are more than %d", len(entries), size, maxOutboxBytes)
	}
	return n, nil
}

// addToBatch adds the outbox entry to the batch that it tells of; nil adds nothing.
func (n *outboxEntry) addToBatch(b *cosmosdb.Batch) error {
	if n == nil {
		return nil
	}
	data, err := json.Marshal(n)
	if err != nil {
		return fault.Errorf(fault.Invalid, "encode outbox entry: %w", err)
	}
	b.CreateItem(data)
	return nil
}

// relayOutbox takes an outbox entry to its audit log. It is safe where it is: should this fail, who reads the audit
// log does it.
func (l *auditLog) relayOutbox(ctx context.Context, n *outboxEntry) {
	if n == nil {
		return
	}
	if err := l.relayEntry(ctx, n); err != nil {
		l.opts.Log.WarnContext(ctx, "entries reach their audit log when it is next read", "tenant", n.AuditLog, "entries", len(n.Lines), "error", err)
	}
}

func (l *auditLog) relayEntry(ctx context.Context, n *outboxEntry) error {
	for _, e := range n.Lines {
		if err := l.AppendEntry(ctx, n.AuditLog, store.AuditEntry{ID: e.ID, Expires: e.Expires, Data: e.Data}); err != nil {
			return err
		}
	}
	if err := l.client.DeleteItem(ctx, cosmosdb.NewPartition(n.Tenant), n.ID); err != nil {
		return fmt.Errorf("delete outbox entry: %w", err)
	}
	return nil
}

// relayLeftovers relays what others have left behind. Like AuditedTenants it spans partitions.
func (l *auditLog) relayLeftovers(ctx context.Context) error {
	q := cosmosdb.Query{Page: 100}
	q.Text = "SELECT * FROM c WHERE c.type = " + q.BindParam(outboxType)
	var left []*outboxEntry
	err := l.client.RunQuery(ctx, cosmosdb.AllPartitions, q, func(data []byte) (bool, error) {
		n := &outboxEntry{}
		err := json.Unmarshal(data, n)
		left = append(left, n)
		return true, err
	})
	if err != nil {
		return fmt.Errorf("look for outbox entries: %w", err)
	}
	for _, n := range left {
		if err := l.relayEntry(ctx, n); err != nil {
			return fmt.Errorf("relay outbox entry: %w", err)
		}
	}
	return nil
}
