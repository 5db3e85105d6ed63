package cosmos

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// outboxEntry is entries of a audit log on their way to it, in the partition of what they tell of: created by the batch that writes
// that, delivered and deleted right after it. Whoever reads audit logs first delivers what is left by those who died in between;
// delivering twice is delivering once.
//
//	batch: what changed + outbox entry ─▶ audit log: entries ─▶ note deleted
//	                 └─ died here ─▶ Entries, Journals deliver it
type outboxEntry struct {
	ID       string      `json:"id"`
	Tenant   string      `json:"tenant"` // the partition
	Type     string      `json:"type"`
	AuditLog string      `json:"journal"` // whose
	Lines    []auditLine `json:"lines"`
}

// auditLine is one entry of a note.
type auditLine struct {
	ID      string         `json:"id"`
	Expires time.Time      `json:"expires,omitzero"`
	Data    jsontext.Value `json:"data"`
}

const outboxType = "note"

// maxOutboxBytes bounds the entries of one note, in bytes: what a batch of 2 MB has room for beside a commit.
const maxOutboxBytes = 1 << 20

// newOutboxEntry makes the note of entries, nil when there are none.
func (s *Store) newOutboxEntry(partition, journal string, entries ...store.AuditEntry) (*outboxEntry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	n := &outboxEntry{ID: "note-" + rand.Text(), Tenant: partition, Type: outboxType, AuditLog: journal}
	size := 0
	for _, e := range entries {
		if err := checkRecord(e.ID, e.Data); err != nil {
			return nil, fmt.Errorf("note %s: %w", e.ID, err)
		}
		size += len(e.Data)
		n.Lines = append(n.Lines, auditLine{ID: e.ID, Expires: e.Expires.UTC(), Data: e.Data})
	}
	if size > maxOutboxBytes {
		return nil, fault.Errorf(fault.TooLarge, "%d entries of %d bytes are more than %d", len(entries), size, maxOutboxBytes)
	}
	return n, nil
}

// addToBatch adds the note to the batch that it tells of; nil adds nothing.
func (n *outboxEntry) addToBatch(b *azcosmos.TransactionalBatch) error {
	if n == nil {
		return nil
	}
	data, err := json.Marshal(n)
	if err != nil {
		return fault.Errorf(fault.Invalid, "encode note: %w", err)
	}
	b.CreateItem(data, nil)
	return nil
}

// relayOutbox takes a outbox entry to its audit log. It is safe where it is: should this fail, who reads the audit log does it.
func (s *Store) relayOutbox(ctx context.Context, n *outboxEntry) {
	if n == nil {
		return
	}
	if err := s.relayEntry(ctx, n); err != nil {
		s.opts.Log.WarnContext(ctx, "entries reach their journal when it is next read", "tenant", n.AuditLog, "entries", len(n.Lines), "error", err)
	}
}

func (s *Store) relayEntry(ctx context.Context, n *outboxEntry) error {
	for _, l := range n.Lines {
		if err := s.AppendEntry(ctx, n.AuditLog, store.AuditEntry{ID: l.ID, Expires: l.Expires, Data: l.Data}); err != nil {
			return err
		}
	}
	pk := azcosmos.NewPartitionKeyString(n.Tenant)
	b := s.client.containers().state.NewTransactionalBatch(pk)
	b.DeleteItem(n.ID, nil)
	if _, err := s.client.runBatch(ctx, b, nil); err != nil && fault.Of(err) != fault.NotFound { // another has delivered it too
		return fmt.Errorf("delete note: %w", err)
	}
	return nil
}

// relayLeftovers delivers what others have left behind. Like Journals it spans partitions.
func (s *Store) relayLeftovers(ctx context.Context) error {
	q := sqlQuery{page: 100}
	q.text = "SELECT * FROM c WHERE c.type = " + q.bindParam(outboxType)
	var left []*outboxEntry
	err := s.client.runQuery(ctx, azcosmos.NewPartitionKey(), q, nil, func(data []byte) (bool, error) {
		n := &outboxEntry{}
		err := json.Unmarshal(data, n)
		left = append(left, n)
		return true, err
	})
	if err != nil {
		return fmt.Errorf("look for notes: %w", err)
	}
	for _, n := range left {
		if err := s.relayEntry(ctx, n); err != nil {
			return fmt.Errorf("deliver note: %w", err)
		}
	}
	return nil
}
