package cosmos

import (
	"strconv"

	"github.com/onepane/onepane/shared/store/cosmos/cosmosdb"
)

// The service limits a partition to 20 GB. So tables are in partitions beside the tenant's own, volumes, and when
// the newest is large they go on in the next. A volume begins with a commit and with a page of incidents; both
// rise, so the manifest says where everything is. The log alone is in the tenant's own partition: a flush copies
// its commits to the newest volume, and the flush after it deletes them from the log.
//
//	<tenant>              root (manifest) · log · id index · outbox
//	~!volume-0/<tenant>   c-<version> from 1 on · i-<page> from 0 on, and those of incidents whose ids are no numbers
//	~!volume-1/<tenant>   c-<version> from Volumes[1].From on · i-<page> from Volumes[1].Page on · …
//
// A batch has one partition: the manifest cannot be replaced along with what is in a volume. What keeps two who
// flush from mixing: whoever has read all that it will write replaces the manifest, as a claim, if it is still the
// one that the flush began with, and then writes each item only if it is still the one that was read. Another's
// claim comes before, and then this one fails, or after, and then of two that write one item the second is refused.
//
// Copies of a partition lag behind each other. Whoever sees in the manifest that tables have grown must see them in
// the volume too, whichever copy answers: so the manifest says what of each volume must have been seen (session
// tokens).
const volumePrefix = cosmosdb.EscapeMark + "!volume-"

// volume says from where on tables are in a partition.
type volume struct {
	From  uint64 `json:"from"`           // commit
	Page  uint64 `json:"page"`           // of incidents, see pageOf
	Bytes int64  `json:"bytes,omitzero"` // of items when they came, about
	// Rows and Incidents are how many are not purged, or more when a flush did not end: where there are none nobody
	// asks.
	Rows      int64 `json:"rows,omitzero"`
	Incidents int64 `json:"incidents,omitzero"`
	// Seen is the session token of the last flush's writing.
	Seen string `json:"seen,omitzero"`
}

// volumeOfCommit is the volume whose table has a commit.
func (m *manifest) volumeOfCommit(version uint64) int {
	n := len(m.Volumes) - 1
	for n > 0 && m.Volumes[n].From > version {
		n--
	}
	return n
}

// volumeOfPage is the volume that has a page of incidents.
func (m *manifest) volumeOfPage(page string) int {
	number, err := strconv.ParseUint(page, 10, 64)
	if err != nil { // of ids that are no numbers
		return 0
	}
	n := len(m.Volumes) - 1
	for n > 0 && m.Volumes[n].Page > number {
		n--
	}
	return n
}

// lastCommitOf is the last commit that the table of a volume has.
func (m *manifest) lastCommitOf(n int) uint64 {
	if n+1 < len(m.Volumes) {
		return m.Volumes[n+1].From - 1
	}
	return m.Flushed
}

// isEmptyVolume says that all rows of a volume are purged, or all incidents.
func (m *manifest) isEmptyVolume(n int, incidents bool) bool {
	if incidents {
		return m.Volumes[n].Incidents <= 0
	}
	return m.Volumes[n].Rows <= 0
}
