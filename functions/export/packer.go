package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Packer makes files of a batch, for targets that keep files: NDJSON or Parquet.
type Packer interface {
	// Encode writes a row as Pack reads it: see Target.Encode.
	Encode(Row) ([]byte, error)
	// Limits are those of a batch that becomes files of a size that is pleasant to read.
	Limits() Limits
	// Pack puts every record into one object. Its errors are permanent: see Target.Send.
	Pack(records []Record) ([]Object, error)
}

// Object is a file of records.
type Object struct {
	// Key is its place, with slashes: the same records have the same key, so that what is sent twice is kept once.
	Key     string
	Type    string // the media type
	Data    []byte
	Records int
}

// Lines packs NDJSON.
type Lines struct {
	Write  Encoder
	Alerts int // how many alerts the encoder wants with an incident
	// Place is the directory of a record; unset it is the day of its state, "20260303".
	Place func(Record) (string, error)
}

// Encode implements Packer.
func (l Lines) Encode(r Row) ([]byte, error) { return l.Write(r) }

// Limits implements Packer.
func (l Lines) Limits() Limits { return Limits{Bytes: 8 << 20, Overhead: 1, Alerts: l.Alerts} }

// Pack implements Packer.
func (l Lines) Pack(records []Record) ([]Object, error) {
	place := l.Place
	if place == nil {
		place = func(r Record) (string, error) { return r.Updated.UTC().Format("20060102"), nil }
	}
	groups, err := GroupByPlace(records, place)
	if err != nil {
		return nil, err
	}
	var out []Object
	for _, g := range groups {
		out = append(out, Object{g.Place + "/" + ObjectName(g.Records) + ".ndjson", "application/x-ndjson", JoinLines(g.Records), len(g.Records)})
	}
	return out, nil
}

// JoinLines gives the records' Data as NDJSON, a line each.
func JoinLines(records []Record) []byte {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.Data)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Group is the records of a batch that belong into one directory.
type Group struct {
	Place   string
	Records []Record
}

// GroupByPlace puts records of one place together: places in the order in which they first occur, records in their own.
func GroupByPlace(records []Record, place func(Record) (string, error)) ([]Group, error) {
	var out []Group
	for _, r := range records {
		where, err := place(r)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(out, func(g Group) bool { return g.Place == where })
		if at < 0 {
			at, out = len(out), append(out, Group{Place: where})
		}
		out[at].Records = append(out[at].Records, r)
	}
	return out, nil
}

// ObjectName names a file by the states that are in it, whatever their order and however they are written.
func ObjectName(records []Record) string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	slices.Sort(ids)
	h := sha256.New()
	for _, id := range ids {
		h.Write([]byte(id + "\n")) // never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
