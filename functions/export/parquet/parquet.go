// Package parquet packs OCSF events as Parquet, one class to a file, with the columns of ocsf.Event: structs and lists
// nested, times as milliseconds in INT64, as OCSF and Security Lake's own tables have them, "unmapped" as JSON in a
// string. A class always has all its columns, whatever is in them, so that a crawler sees one table.
//
//	row ─▶ Encode: JSON ─▶ batch ─▶ Pack ─┬─▶ PLACE/NAME.parquet   2004, by time
//	                                      └─▶ PLACE/NAME.parquet   2005, by time
package parquet

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/ocsf"
	"github.com/onepane/onepane/shared/fault"
)

// MediaType is that of Parquet (IANA).
const MediaType = "application/vnd.apache.parquet"

// Packer is an export.Packer. It is used by one goroutine at a time.
type Packer struct {
	Encoder ocsf.Encoder
	Place   func(ocsf.Event) string // the directory of an event; events of both classes never share one
	columns map[int]*columns
}

// The bounds of what is written: Security Lake wants data pages of at most 1 MB and row groups of at most 256 MB. A
// batch becomes one row group for each file, so that a batch's bytes bound the memory. A value is not split over pages,
// which bounds a record.
const (
	batchBytes     = 16 << 20 // as JSON; a fifth to a tenth of it as Parquet
	recordBytes    = 768 << 10
	pageBytes      = 128 << 10 // a page ends with the value that fills it
	changesPerPage = 4000      // read at once, so that a schedule makes few files
)

// Encode implements export.Packer: the JSON form.
func (p *Packer) Encode(r export.Row) ([]byte, error) { return p.Encoder.Encode(r) }

// Limits implements export.Packer.
func (p *Packer) Limits() export.Limits {
	return export.Limits{Bytes: batchBytes, RecordBytes: recordBytes, Alerts: ocsf.MaxAlerts, Changes: changesPerPage}
}

// Pack implements export.Packer.
func (p *Packer) Pack(records []export.Record) ([]export.Object, error) {
	events := make(map[string]ocsf.Event, len(records))
	groups, err := export.GroupByPlace(records, func(r export.Record) (string, error) {
		v, err := ocsf.ReadEvent(r)
		events[r.ID] = v
		return p.Place(v), err
	})
	if err != nil {
		return nil, err
	}
	var out []export.Object
	for _, g := range groups {
		rows := make([]ocsf.Event, len(g.Records))
		for i, r := range g.Records {
			rows[i] = events[r.ID]
		}
		data, err := p.writeFile(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, export.Object{Key: g.Place + "/" + export.ObjectName(g.Records) + ".parquet", Type: MediaType, Data: data, Records: len(rows)})
	}
	return out, nil
}

// writeFile is a file of events of one class.
func (p *Packer) writeFile(events []ocsf.Event) ([]byte, error) {
	slices.SortStableFunc(events, func(a, b ocsf.Event) int { return cmp.Compare(a.Time, b.Time) })
	class := events[0].ClassUID
	c, err := p.columnsOf(class)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := p.newWriter(&b, c)
	for i := range events {
		if events[i].ClassUID != class {
			return nil, fault.Errorf(fault.Invalid, "events of classes %d and %d in one place", class, events[i].ClassUID)
		}
		row, err := c.rowOf(&events[i])
		if err != nil {
			return nil, err
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			return nil, fault.Errorf(fault.Invalid, "write event %s: %w", events[i].Metadata.UID, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fault.Errorf(fault.Invalid, "write parquet: %w", err)
	}
	return b.Bytes(), nil
}

// newWriter is for one file: one that is reset has lost the names of its columns (parquet-go 0.32, whose Reset empties
// the paths that the last file's footer shares with them).
func (p *Packer) newWriter(to io.Writer, c *columns) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](to, c.schema, parquet.PageBufferSize(pageBytes), parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1),
		parquet.CreatedBy("onepane", p.Encoder.Product, ""), parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("time"))))
}

func (p *Packer) columnsOf(class int) (*columns, error) {
	if c := p.columns[class]; c != nil {
		return c, nil
	}
	c, err := columnsOf(class)
	if err != nil {
		return nil, err
	}
	if p.columns == nil {
		p.columns = map[int]*columns{}
	}
	p.columns[class] = c
	return c, nil
}
