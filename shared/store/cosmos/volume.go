package cosmos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// The service limits a partition to 20 GB. So when a tenant's tables are large they go on in a partition beside, a volume,
// and when that is large, in the next. A volume begins with a commit and with a page of incidents; both rise, so the manifest
// says where everything is. Of what the tenant's own partition holds, tables remain up to there, and the log: from then on
// a flush copies the log's commits to the newest volume, and the one after it deletes them here.
//
//	<tenant>              manifest · log · names · outbox entries, and what tables there were
//	~!volume-1/<tenant>   c-<version> from Volumes[0].From on · i-<page> from Volumes[0].Page on
//	~!volume-2/<tenant>   c-<version> from Volumes[1].From on · …
//
// A batch has one partition: the manifest cannot be replaced along with what is in a volume. What keeps two who flush from mixing:
// whoever has read all that it will write replaces the manifest, as a claim, if it is still the one that the flush began with, and
// then writes each item only if it is still the one that was read. Another's claim comes before, and then this one fails, or
// after, and then of two that write one item the second is refused.
//
// Copies of a partition lag behind each other. Whoever sees in the manifest that tables have grown must see them in the volume
// too, whichever copy answers: so the manifest says what of each volume must have been seen (session tokens).
const volumePrefix = escapeMark + "!volume-"

// volume says from where on tables are in a partition of their own.
type volume struct {
	From  uint64 `json:"from"`           // commit
	Page  uint64 `json:"page"`           // of incidents, see pageOf
	Bytes int64  `json:"bytes,omitzero"` // of items when they came, about
	// Rows and Incidents are how many are not purged, or more when a flush did not end: where there are none nobody asks.
	Rows      int64 `json:"rows,omitzero"`
	Incidents int64 `json:"incidents,omitzero"`
	// Seen is the session token of the last flush's writing.
	Seen string `json:"seen,omitzero"`
}

// volumePartition is the n-th partition of a tenant's tables.
func (s *Store) volumePartition(t *tenant, n int) partition {
	return s.partitionOf(volumePrefix+strconv.Itoa(n)+"/", t.name)
}

// volumeOfCommit is the volume whose table has a commit.
func (r *manifest) volumeOfCommit(version uint64) int {
	n := len(r.Volumes) - 1
	for n > 0 && r.Volumes[n].From > version {
		n--
	}
	return n
}

// volumeOfPage is the volume that has a page of incidents.
func (r *manifest) volumeOfPage(page string) int {
	number, err := strconv.ParseUint(page, 10, 64)
	if err != nil { // ids that are no numbers
		return 0
	}
	n := len(r.Volumes) - 1
	for n > 0 && r.Volumes[n].Page > number {
		n--
	}
	return n
}

// lastCommitOf is the last commit that the table of a volume has.
func (r *manifest) lastCommitOf(n int) uint64 {
	if n+1 < len(r.Volumes) {
		return r.Volumes[n+1].From - 1
	}
	return r.Flushed
}

// isEmptyVolume says that all rows of a volume are purged, or all incidents. The tenant's own partition is always asked.
func (r *manifest) isEmptyVolume(n int, incidents bool) bool {
	if incidents {
		return r.Volumes[n].Incidents <= 0
	}
	return r.Volumes[n].Rows <= 0
}

// advanceSessions makes what is asked of volumes from now on answered as of a manifest or later.
func (s *Store) advanceSessions(t *tenant, r manifest, before *view) {
	for n := range r.Volumes {
		seen := r.Volumes[n].Seen
		if seen != "" && (before == nil || n >= len(before.manifest.Volumes) || before.manifest.Volumes[n].Seen != seen) {
			s.volumePartition(t, n).session.advanceTo(&seen)
		}
	}
}

// queryVolumes asks the partitions of a tenant's tables all at once, and hands over what they answer in the order of a span, or
// one partition's after the other's when that is "". Conditions on commits say "c.v <= @last": others are not of the tables
// yet, or no more.
func (s *Store) queryVolumes(ctx context.Context, t *tenant, r manifest, q sqlQuery, span string, desc bool, do func([]byte) (more bool, err error)) error {
	var from []partitionQuery
	commits := strings.Contains(q.text, "@last")
	for n := range r.Volumes {
		if r.isEmptyVolume(n, !commits) {
			continue
		}
		part := q
		if commits {
			part.params = append(q.params[:len(q.params):len(q.params)], azcosmos.QueryParameter{Name: "@last", Value: r.lastCommitOf(n)})
		}
		from = append(from, partitionQuery{s.volumePartition(t, n), part})
	}
	return s.client.runQueries(ctx, from, span, desc, do)
}

// readPage reads a page of incidents; nothing when there is none.
func (s *Store) readPage(ctx context.Context, in partition, page string) (*payload, azcore.ETag, error) {
	read, err := s.client.readItem(ctx, stateContainer, in.pk, incidentsID(page), in.session)
	if fault.Of(err) == fault.NotFound {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read incidents: %w", err)
	}
	var it incidentsItem
	if err := json.Unmarshal(read.body, &it); err != nil {
		return nil, "", fmt.Errorf("damaged item: %w", err)
	}
	return &it.Rows, read.etag, nil
}

// openVolume begins the next volume, in the manifest that a flush will leave, when the newest is large enough.
func (f *flusher) openVolume() {
	f.manifest.Volumes = slices.Clone(f.manifest.Volumes)
	if f.manifest.Volumes[len(f.manifest.Volumes)-1].Bytes < f.store.opts.VolumeAt {
		return
	}
	f.manifest.Volumes = append(f.manifest.Volumes, volume{
		From: f.manifest.Flushed + 1,
		Page: uint64(f.manifest.Sequence)/pageSpan + 1, // no incident of a page that is written already has such a number
	})
}

// itemChange is an item to be written into a volume.
type itemChange struct {
	id   string
	data []byte
	etag azcore.ETag // of the item in its place; "" when there is none
}

// maxBatchBytes leaves room in the 2 MB of a batch.
const maxBatchBytes = 1_500_000

// fillBatch takes changes off a list: what fits in a batch beside the manifest.
func fillBatch(changes []itemChange, most int) (part, rest []itemChange) {
	n, size := 0, 0
	for n < len(changes) && n < most && (n == 0 || size+len(changes[n].data) <= maxBatchBytes) {
		size += len(changes[n].data)
		n++
	}
	return changes[:n], changes[n:]
}

// writeVolumes writes what belongs into volumes, provided that nobody has moved on since it was read. Next is the view to go on
// from.
func (f *flusher) writeVolumes(ctx context.Context, next *view) error {
	if err := f.store.replaceManifest(ctx, f.tenant, next, f.view.manifest, nil); err != nil { // the claim
		return err
	}
	for n := range f.changes {
		in := f.store.volumePartition(f.tenant, n)
		for part, rest := fillBatch(f.changes[n], f.store.opts.perBatch); len(part) > 0; part, rest = fillBatch(rest, f.store.opts.perBatch) {
			seen, err := f.store.writeBatch(ctx, in, part)
			if err != nil {
				return fmt.Errorf("volume %d: %w", n, err)
			}
			f.manifest.Volumes[n].Seen = seen
		}
	}
	return nil
}

// readETag is that of an item; "" when there is none.
func (s *Store) readETag(ctx context.Context, in partition, id string) (azcore.ETag, error) {
	read, err := s.client.readItem(ctx, stateContainer, in.pk, id, in.session)
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	return read.etag, err
}

// writeBatch carries out changes in one partition, if each item is still the one that it was, and gives the session token of that.
func (s *Store) writeBatch(ctx context.Context, in partition, changes []itemChange) (string, error) {
	b := s.client.containers().state.NewTransactionalBatch(in.pk)
	for _, c := range changes {
		if c.etag == "" {
			b.CreateItem(c.data, nil)
		} else {
			b.ReplaceItem(c.id, c.data, ifMatch(c.etag))
		}
	}
	var at session
	if _, err := s.client.runBatch(ctx, b, &at); err != nil {
		return "", err
	}
	in.session.advanceTo(&at.last)
	return at.last, nil
}
