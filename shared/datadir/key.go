package datadir

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// MaxName is the longest name of a session, tenant or queue, in bytes.
const MaxName = 200

// CheckName reports a name that cannot be part of a key, as fault.Invalid.
func CheckName(what, name string) error {
	if len(name) > MaxName {
		return fault.Errorf(fault.Invalid, "%s: %d bytes are more than %d", what, len(name), MaxName)
	}
	return nil
}

// Key begins a key of a table: the table and names, each behind its length. Names that CheckName refuses must not
// come here.
func Key(table byte, names ...string) []byte {
	k := make([]byte, 0, 64)
	k = append(k, table)
	for _, n := range names {
		k = append(append(k, byte(len(n))), n...)
	}
	return k
}

// PrefixEnd is the least key greater than all keys that begin with prefix. A table byte is never 0xff, so there is one.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			k := append([]byte(nil), prefix[:i+1]...)
			k[i]++
			return k
		}
	}
	return nil
}

// AppendUint appends n so that keys sort by it.
func AppendUint(k []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(k, n) }

// TrailingUint reads what AppendUint wrote, at the end of k; 0 when k is too short.
func TrailingUint(k []byte) uint64 {
	if len(k) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(k[len(k)-8:])
}

// The instants that nanoseconds since 1970 can say, from 1678 to 2262. Times beyond sort as the nearest of them.
var earliest, latest = time.Unix(0, math.MinInt64+1), time.Unix(0, math.MaxInt64)

// TimeKey gives t as a number that sorts as the instants do; the zero time is 0 and comes first.
func TimeKey(t time.Time) uint64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(earliest):
		t = earliest
	case t.After(latest):
		t = latest
	}
	return uint64(t.UnixNano()) ^ 1<<63
}

// KeyTime gives back the instant of TimeKey, in UTC.
func KeyTime(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n^1<<63)).UTC()
}
