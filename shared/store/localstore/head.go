package localstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// A head is a row without its body: what can be filtered and ordered by, in a form that costs well under a
// microsecond to read. Texts are behind their lengths, times are datadir.TimeKeys.
//
//	format(1) │ flags │ position │ updated resolved first last │ texts │ rest as JSON: reasons, comments
const (
	headFormat = 1

	flagStatusSet = 1 << 0
)

var errHead = errors.New("head is damaged")

// alertRow is an alert or exposure as its head tells it: a Member whose Alert has only ID, Title, Severity,
// ServiceSource, Class, First and Last. It is a query.Row.
type alertRow struct {
	incident.AlertRecord
	created uint64
	rest    []byte
	view    *view // resolves merged incidents; nil leaves them
}

var _ query.Row = (*alertRow)(nil)

// Text shows the incident as readers see it: the survivor of merges.
func (r *alertRow) Text(f query.Field) string {
	if f == query.IncidentID && r.view != nil {
		return r.view.survivorOf(r.Incident)
	}
	return r.AlertRecord.Text(f)
}

// alertRest is the part of a head that no query looks at.
type alertRest struct {
	Reasons  []incident.Reason  `json:"reasons,omitempty"`
	Comments []incident.Comment `json:"comments,omitempty"`
}

func encodeAlert(m incident.AlertRecord) ([]byte, error) {
	b := make([]byte, 0, 256)
	var flags byte
	if m.StatusSet {
		flags |= flagStatusSet
	}
	b = append(b, headFormat, flags)
	b = binary.AppendUvarint(b, m.Position)
	for _, t := range [...]time.Time{m.Updated, m.Resolved, m.Alert.First, m.Alert.Last} {
		b = datadir.AppendUint(b, datadir.TimeKey(t))
	}
	for _, s := range [...]string{
		m.Incident, m.FoldedInto, string(m.Status), m.Alert.Title, string(m.Alert.Severity), m.Alert.GraphService(), string(m.Alert.Class),
		m.AssignedTo, m.Classification, m.Determination,
	} {
		b = appendText(b, s)
	}
	if len(m.Reasons)+len(m.Comments) == 0 {
		return b, nil
	}
	rest, err := json.Marshal(alertRest{m.Reasons, m.Comments})
	return append(b, rest...), err
}

// decodeAlert reads a head. The result keeps nothing of b but the rest.
func decodeAlert(id string, created uint64, b []byte) (*alertRow, error) {
	r := &alertRow{created: created}
	m := &r.AlertRecord
	d := decoder{b: b}
	if d.takeByte() != headFormat {
		return nil, fmt.Errorf("alert %s: %w", id, errHead)
	}
	m.StatusSet = d.takeByte()&flagStatusSet != 0
	m.Position = d.takeUvarint()
	for _, t := range [...]*time.Time{&m.Updated, &m.Resolved, &m.Alert.First, &m.Alert.Last} {
		*t = d.takeTime()
	}
	for _, s := range [...]*string{
		&m.Incident, &m.FoldedInto, (*string)(&m.Status), &m.Alert.Title, (*string)(&m.Alert.Severity), &m.Alert.ServiceSource, (*string)(&m.Alert.Class),
		&m.AssignedTo, &m.Classification, &m.Determination,
	} {
		*s = d.takeText()
	}
	if d.bad {
		return nil, fmt.Errorf("alert %s: %w", id, errHead)
	}
	m.Alert.ID, m.Created = id, datadir.KeyTime(created)
	r.rest = append([]byte(nil), d.b...)
	return r, nil
}

// decodeWhole adds what only the rest and the body tell.
func (r *alertRow) decodeWhole(body []byte) (incident.AlertRecord, error) {
	m := r.AlertRecord
	if len(r.rest) > 0 {
		var rest alertRest
		if err := json.Unmarshal(r.rest, &rest); err != nil {
			return m, fmt.Errorf("alert %s: %w: %w", m.Alert.ID, errHead, err)
		}
		m.Reasons, m.Comments = rest.Reasons, rest.Comments
	}
	m.Alert = alert.Alert{}
	if err := json.Unmarshal(body, &m.Alert); err != nil {
		return m, fmt.Errorf("alert %s: decode body: %w", r.Alert.ID, err)
	}
	return m, nil
}

// encodeIncident makes the head of an incident.
func encodeIncident(i incident.Incident) []byte {
	b := append(make([]byte, 0, 128), headFormat)
	for _, t := range [...]time.Time{i.Updated, i.First, i.Last} {
		b = datadir.AppendUint(b, datadir.TimeKey(t))
	}
	for _, s := range [...]string{i.Name, string(i.Severity), string(i.Status), i.AssignedTo, i.Classification, i.Determination} {
		b = appendText(b, s)
	}
	return b
}

func decodeIncident(id string, created uint64, b []byte) (*incident.Incident, error) {
	i := &incident.Incident{ID: id, Created: datadir.KeyTime(created)}
	d := decoder{b: b}
	if d.takeByte() != headFormat {
		return nil, fmt.Errorf("incident %s: %w", id, errHead)
	}
	for _, t := range [...]*time.Time{&i.Updated, &i.First, &i.Last} {
		*t = d.takeTime()
	}
	for _, s := range [...]*string{&i.Name, (*string)(&i.Severity), (*string)(&i.Status), &i.AssignedTo, &i.Classification, &i.Determination} {
		*s = d.takeText()
	}
	if d.bad {
		return nil, fmt.Errorf("incident %s: %w", id, errHead)
	}
	return i, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads from the front of b; once bad, it gives zeroes.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) takeBytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.b, d.bad = nil, true
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) takeByte() byte {
	if v := d.takeBytes(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) takeUvarint() uint64 {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.b, d.bad = nil, true
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *decoder) takeUint() uint64 { return datadir.TrailingUint(d.takeBytes(8)) }

func (d *decoder) takeTime() time.Time { return datadir.KeyTime(d.takeUint()) }

func (d *decoder) takeText() string { return string(d.takeBytes(d.takeUvarint())) }
