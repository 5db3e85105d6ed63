package localstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// stageChange adds a change to the commit's entry in the feed: first letter of the kind, time, id.
func (w *commit) stageChange(kind store.ChangeKind, id string, at time.Time) {
	w.feed = append(w.feed, kind[0])
	w.feed = datadir.AppendUint(w.feed, datadir.TimeKey(at))
	w.feed = appendText(w.feed, id)
}

// kinds of changes by the letter that the feed stores.
var kinds = map[byte]store.ChangeKind{
	'a': store.AlertChanged, 'e': store.ExposureChanged, 'i': store.IncidentChanged,
}

// Changes is store.Feed. A cursor is the version of a commit and how many of its changes were returned; any other text
// is fault.Invalid.
func (r *reader) Changes(ctx context.Context, tenant, cursor string, limit int) ([]store.Change, string, error) {
	if err := errors.Join(ctx.Err(), datadir.CheckName("tenant", tenant)); err != nil {
		return nil, "", err
	}
	version, taken, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	prefix := datadir.Key(feedTable, tenant)
	it, err := r.dir.DB.NewIter(&pebble.IterOptions{LowerBound: datadir.AppendUint(prefix[:len(prefix):len(prefix)], version), UpperBound: datadir.PrefixEnd(prefix)})
	if err != nil {
		return nil, "", fmt.Errorf("read feed of %q: %w", tenant, err)
	}
	var out []store.Change
	for ok := it.First(); ok && len(out) < limit; ok = it.Next() {
		d := decoder{b: it.Value()}
		at := datadir.TrailingUint(it.Key())
		if at != version {
			version, taken = at, 0
		}
		for skip := 0; len(d.b) > 0 && len(out) < limit; skip++ {
			c := store.Change{Kind: kinds[d.takeByte()], Time: d.takeTime(), ID: d.takeText(), Version: version}
			if d.bad || c.Kind == "" {
				return nil, "", errors.Join(fmt.Errorf("feed of %q: entry %d is damaged", tenant, version), it.Close())
			}
			if skip >= taken {
				out = append(out, c)
				taken++
			}
		}
	}
	if err := it.Close(); err != nil {
		return nil, "", fmt.Errorf("read feed of %q: %w", tenant, err)
	}
	if len(out) == 0 {
		return nil, cursor, nil
	}
	return out, fmt.Sprintf("%d.%d", version, taken), nil
}

func parseCursor(cursor string) (version uint64, taken int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	v, n, _ := strings.Cut(cursor, ".")
	version, err = strconv.ParseUint(v, 10, 64)
	if err == nil {
		taken, err = strconv.Atoi(n)
	}
	if err != nil || taken < 0 {
		return 0, 0, fault.Errorf(fault.Invalid, "cursor: %q is none of the feed's", cursor)
	}
	return version, taken, nil
}
