package datadir

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
)

// An event is kept as its attributes, each behind its length, and then its data exactly as published: reading the
// data takes no decoding, and neither does handing it on.
//
//	format(1) │ published │ time │ id source type subject dataschema tenant trace │ data
const eventFormat = 1

var errCorrupt = errors.New("entry is not an event: the log is damaged here")

// AppendEvent appends e to b. Published is when the bus took it.
func AppendEvent(b []byte, e cloudevent.Event, published time.Time) []byte {
	b = append(b, eventFormat)
	b = AppendUint(b, TimeKey(published))
	b = AppendUint(b, TimeKey(e.Time))
	for _, s := range [...]string{e.ID, e.Source, e.Type, e.Subject, e.DataSchema, e.Tenant, e.Trace} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return append(b, e.Data...)
}

// ParseEvent reads what AppendEvent wrote. The event's Data is part of b.
func ParseEvent(b []byte) (e cloudevent.Event, published time.Time, err error) {
	if len(b) < 17 || b[0] != eventFormat {
		return e, published, errCorrupt
	}
	published, e.Time = KeyTime(TrailingUint(b[1:9])), KeyTime(TrailingUint(b[9:17]))
	b = b[17:]
	for _, s := range [...]*string{&e.ID, &e.Source, &e.Type, &e.Subject, &e.DataSchema, &e.Tenant, &e.Trace} {
		v, rest, ok := cutText(b)
		if !ok {
			return e, published, errCorrupt
		}
		*s, b = string(v), rest
	}
	if len(b) > 0 {
		e.Data = b
	}
	return e, published, nil
}

// eventData gives the data of an encoded event, as part of b.
func eventData(b []byte) ([]byte, error) {
	if len(b) < 17 || b[0] != eventFormat {
		return nil, errCorrupt
	}
	b = b[17:]
	for range 7 {
		_, rest, ok := cutText(b)
		if !ok {
			return nil, errCorrupt
		}
		b = rest
	}
	return b, nil
}

// cutText takes one text behind its length from the front of b.
func cutText(b []byte) (text, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}
