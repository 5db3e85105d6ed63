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

// note is entries of a journal on their way to it, in the partition of what they tell of: created by the batch that writes
// that, delivered and deleted right after it. Whoever reads journals first delivers what is left by those who died in between;
// delivering twice is delivering once.
//
//	batch: what changed + note ─▶ journal: entries ─▶ note deleted
//	                 └─ died here ─▶ Entries, Journals deliver it
type note struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant"` // the partition
	Type    string `json:"type"`
	Journal string `json:"journal"` // whose
	Lines   []line `json:"lines"`
}

// line is one entry of a note.
type line struct {
	ID      string         `json:"id"`
	Expires time.Time      `json:"expires,omitzero"`
	Data    jsontext.Value `json:"data"`
}

const noteType = "note"

// maxNote bounds the entries of one note, in bytes: what a batch of 2 MB has room for beside a commit.
const maxNote = 1 << 20

// newNote makes the note of entries, nil when there are none.
func (s *Store) newNote(partition, journal string, entries ...store.Entry) (*note, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	n := &note{ID: "note-" + rand.Text(), Tenant: partition, Type: noteType, Journal: journal}
	size := 0
	for _, e := range entries {
		if err := checkLedger(e.ID, e.Data); err != nil {
			return nil, fmt.Errorf("note %s: %w", e.ID, err)
		}
		size += len(e.Data)
		n.Lines = append(n.Lines, line{ID: e.ID, Expires: e.Expires.UTC(), Data: e.Data})
	}
	if size > maxNote {
		return nil, fault.Errorf(fault.TooLarge, "%d entries of %d bytes are more than %d", len(entries), size, maxNote)
	}
	return n, nil
}

// join adds the note to the batch that it tells of; nil adds nothing.
func (n *note) join(b *azcosmos.TransactionalBatch) error {
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

// deliver takes a note to its journal. It is safe where it is: should this fail, who reads the journal does it.
func (s *Store) deliver(ctx context.Context, n *note) {
	if n == nil {
		return
	}
	if err := s.delivered(ctx, n); err != nil {
		s.opts.Log.WarnContext(ctx, "entries reach their journal when it is next read", "tenant", n.Journal, "entries", len(n.Lines), "error", err)
	}
}

func (s *Store) delivered(ctx context.Context, n *note) error {
	for _, l := range n.Lines {
		if err := s.Append(ctx, n.Journal, store.Entry{ID: l.ID, Expires: l.Expires, Data: l.Data}); err != nil {
			return err
		}
	}
	pk := azcosmos.NewPartitionKeyString(n.Tenant)
	b := s.db.connection().state.NewTransactionalBatch(pk)
	b.DeleteItem(n.ID, nil)
	if _, err := s.db.batch(ctx, b, nil); err != nil && fault.Of(err) != fault.NotFound { // another has delivered it too
		return fmt.Errorf("delete note: %w", err)
	}
	return nil
}

// deliverLeft delivers what others have left behind. Like Journals it spans partitions.
func (s *Store) deliverLeft(ctx context.Context) error {
	q := question{page: 100}
	q.text = "SELECT * FROM c WHERE c.type = " + q.bind(noteType)
	var left []*note
	err := s.db.query(ctx, azcosmos.NewPartitionKey(), q, nil, func(data []byte) (bool, error) {
		n := &note{}
		err := json.Unmarshal(data, n)
		left = append(left, n)
		return true, err
	})
	if err != nil {
		return fmt.Errorf("look for notes: %w", err)
	}
	for _, n := range left {
		if err := s.delivered(ctx, n); err != nil {
			return fmt.Errorf("deliver note: %w", err)
		}
	}
	return nil
}
