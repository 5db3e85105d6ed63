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
// and when that is large, in the next. A volume begins with a commit and with a page of incidents; both rise, so the root
// says where everything is. Of what the tenant's own partition holds, tables remain up to there, and the tail: from then on
// a fold copies the tail's commits to the newest volume, and the one after it deletes them here.
//
//	<tenant>              root · tail · names · notes, and what tables there were
//	~!volume-1/<tenant>   c-<version> from Volumes[0].From on · i-<page> from Volumes[0].Page on
//	~!volume-2/<tenant>   c-<version> from Volumes[1].From on · …
//
// A batch has one partition: the root cannot be replaced along with what is in a volume. What keeps two who fold from mixing:
// whoever has read all that it will write replaces the root, as a claim, if it is still the one that the fold began with, and
// then writes each item only if it is still the one that was read. Another's claim comes before, and then this one fails, or
// after, and then of two that write one item the second is refused.
//
// Copies of a partition lag behind each other. Whoever sees in the root that tables have grown must see them in the volume
// too, whichever copy answers: so the root says what of each volume must have been seen (session tokens).
const volumePartition = marked + "!volume-"

// volume says from where on tables are in a partition of their own.
type volume struct {
	From  uint64 `json:"from"`           // commit
	Page  uint64 `json:"page"`           // of incidents, see pageOf
	Bytes int64  `json:"bytes,omitzero"` // of items when they came, about
	// Rows and Incidents are how many are not forgotten, or more when a fold did not end: where there are none nobody asks.
	Rows      int64 `json:"rows,omitzero"`
	Incidents int64 `json:"incidents,omitzero"`
	// Seen is the session token of the last fold's writing.
	Seen string `json:"seen,omitzero"`
}

// volume is the n-th partition of a tenant's tables; 0 is its own.
func (s *Store) volume(t *tenant, n int) shelf {
	if n == 0 {
		return shelf{t.name, t.pk, &t.seen}
	}
	return s.shelf(volumePartition+strconv.Itoa(n)+"/", t.name)
}

// holder is the volume whose table has a commit.
func (r *root) holder(version uint64) int {
	n := 0
	for n < len(r.Volumes) && r.Volumes[n].From <= version {
		n++
	}
	return n
}

// pageHolder is the volume that has a page of incidents.
func (r *root) pageHolder(page string) int {
	number, err := strconv.ParseUint(page, 10, 64)
	n := 0
	for err == nil && n < len(r.Volumes) && r.Volumes[n].Page <= number {
		n++
	}
	return n
}

// last is the last commit that the table of a volume has.
func (r *root) last(n int) uint64 {
	if n < len(r.Volumes) {
		return r.Volumes[n].From - 1
	}
	return r.Folded
}

// empty says that all rows of a volume are forgotten, or all incidents. The tenant's own partition is always asked.
func (r *root) empty(n int, incidents bool) bool {
	if n == 0 {
		return false
	}
	if incidents {
		return r.Volumes[n-1].Incidents <= 0
	}
	return r.Volumes[n-1].Rows <= 0
}

// size is of the newest volume.
func (r *root) size() *int64 {
	if n := len(r.Volumes); n > 0 {
		return &r.Volumes[n-1].Bytes
	}
	return &r.Bytes
}

// catchUp makes what is asked of volumes from now on answered as of a root or later.
func (s *Store) catchUp(t *tenant, r root, before *view) {
	for n := range r.Volumes {
		seen := r.Volumes[n].Seen
		if seen != "" && (before == nil || n >= len(before.root.Volumes) || before.root.Volumes[n].Seen != seen) {
			s.volume(t, n+1).seen.saw(&seen)
		}
	}
}

// inVolumes asks the partitions of a tenant's tables all at once, and hands over what they answer in the order of a span, or
// one partition's after the other's when that is "". Conditions on commits say "c.v <= @last": others are not of the tables
// yet, or no more.
func (s *Store) inVolumes(ctx context.Context, t *tenant, r root, q question, span string, desc bool, do func([]byte) (more bool, err error)) error {
	if r.Folded == 0 {
		return nil
	}
	var from []asked
	commits := strings.Contains(q.text, "@last")
	for n := range len(r.Volumes) + 1 {
		if r.empty(n, !commits) {
			continue
		}
		part := q
		if commits {
			part.params = append(q.params[:len(q.params):len(q.params)], azcosmos.QueryParameter{Name: "@last", Value: r.last(n)})
		}
		from = append(from, asked{s.volume(t, n), part})
	}
	return s.db.merged(ctx, from, span, desc, do)
}

// pageAt reads a page of incidents; nothing when there is none.
func (s *Store) pageAt(ctx context.Context, in shelf, page string) (*payload, azcore.ETag, error) {
	read, err := s.db.read(ctx, state, in.pk, incidentsID(page), in.seen)
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

// turn opens a new volume, in the root that a fold will leave, when the newest is large enough.
func (f *folding) turn() {
	f.root.Volumes = slices.Clone(f.root.Volumes)
	if *f.root.size() < f.store.opts.VolumeAt {
		return
	}
	if len(f.root.Volumes) == 0 {
		f.root.Swept = f.root.Folded
	}
	f.root.Form = newestForm
	f.root.Volumes = append(f.root.Volumes, volume{
		From: f.root.Folded + 1,
		Page: uint64(f.root.Sequence)/pageSpan + 1, // no incident of a page that is written already has such a number
	})
}

// change is an item to be written, or deleted when it has no data.
type change struct {
	id   string
	data []byte
	etag azcore.ETag // of the item in its place; "" when there is none, or when whose partition it is says enough
}

// fit takes changes off a list: what fits in a batch beside the root.
func fit(changes []change, most int) (part, rest []change) {
	const mostBytes = 1_500_000 // of 2 MB
	n, size := 0, 0
	for n < len(changes) && n < most && (n == 0 || size+len(changes[n].data) <= mostBytes) {
		size += len(changes[n].data)
		n++
	}
	return changes[:n], changes[n:]
}

// beside writes what belongs into volumes, provided that nobody has moved on since it was read. Next is the view to go on from.
func (f *folding) beside(ctx context.Context, next *view) error {
	if len(f.volumes) == 1 {
		return nil
	}
	if err := f.store.replace(ctx, f.tenant, next, f.view.root, nil); err != nil { // the claim
		return err
	}
	for n := 1; n < len(f.volumes); n++ {
		in := f.store.volume(f.tenant, n)
		for part, rest := fit(f.volumes[n], f.store.opts.perBatch); len(part) > 0; part, rest = fit(rest, f.store.opts.perBatch) {
			seen, err := f.store.write(ctx, in, part)
			if err != nil {
				return fmt.Errorf("volume %d: %w", n, err)
			}
			f.root.Volumes[n-1].Seen = seen
		}
	}
	return nil
}

// sweep deletes the commits that the fold before this one copied to a volume: whoever is slow may still look for the last ones here.
func (f *folding) sweep() {
	for v := f.root.Swept + 1; len(f.root.Volumes) > 0 && v <= f.view.root.Folded; v++ {
		f.volumes[0] = append(f.volumes[0], change{id: commitID(v)})
	}
}

// etag is that of an item; "" when there is none.
func (s *Store) etag(ctx context.Context, in shelf, id string) (azcore.ETag, error) {
	read, err := s.db.read(ctx, state, in.pk, id, in.seen)
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	return read.etag, err
}

// write carries out changes in one partition, if each item is still the one that it was, and gives the session token of that.
func (s *Store) write(ctx context.Context, in shelf, changes []change) (string, error) {
	b := s.db.connection().state.NewTransactionalBatch(in.pk)
	for _, c := range changes {
		if c.etag == "" {
			b.CreateItem(c.data, nil)
		} else {
			b.ReplaceItem(c.id, c.data, ifStill(c.etag))
		}
	}
	var at session
	if _, err := s.db.batch(ctx, b, &at); err != nil {
		return "", err
	}
	in.seen.saw(&at.last)
	return at.last, nil
}
