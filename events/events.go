// Package events is the wire contract: what travels on the bus, as versioned CloudEvents. Each type has a JSON
// Schema in schemas/ and an example in examples/ that the tests hold against each other and against this code.
//
//	ingest ──AlertReported──▶ queue "alerts" ──▶ correlate
//	ingest, bus ──Rejected──▶ queue "quarantine" ──▶ an operator, replay
package events

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Event types. A change that an older reader would misunderstand gets a new version beside the old one.
const (
	AlertReported = "io.onepane.alert.reported.v1"
	Rejected      = "io.onepane.delivery.rejected.v1"
)

// schemaBase makes a dataschema from a type's file name in schemas/.
const schemaBase = "https://onepane.github.io/schemas/"

// NewAlert wraps one report of an alert. The id is the alert's id and revision, so a bus drops exact repeats.
// Trace is a W3C traceparent or empty.
func NewAlert(a alert.Alert, trace string) (cloudevent.Event, error) {
	data, revision, err := a.Encode()
	if err != nil {
		return cloudevent.Event{}, fault.Errorf(fault.Invalid, "encode alert %s: %w", a.ID, err)
	}
	return cloudevent.Event{
		ID: a.ID + "." + revision, Source: "/onepane/ingest/" + a.Reporter, Type: AlertReported, Subject: a.ID,
		Time: a.Delivered, DataSchema: schemaBase + "alert.reported.v1.json", Tenant: a.Tenant, Trace: trace, Data: data,
	}, nil
}

// ParseAlert reads an AlertReported event. An event of another type, without tenant, or whose data
// is no alert is fault.Invalid.
func ParseAlert(e cloudevent.Event) (alert.Alert, error) {
	var a alert.Alert
	if e.Type != AlertReported {
		return a, fault.Errorf(fault.Invalid, "type: %q is not %s", e.Type, AlertReported)
	}
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return a, fault.Errorf(fault.Invalid, "decode data of event %s: %w", e.ID, err)
	}
	switch {
	case a.ID == "":
		return a, fault.Errorf(fault.Invalid, "data.id: missing in event %s", e.ID)
	case a.Tenant == "" || a.Tenant != e.Tenant:
		return a, fault.Errorf(fault.Invalid, "data.tenant: %q is not the event's tenant %q", a.Tenant, e.Tenant)
	case a.First.IsZero():
		return a, fault.Errorf(fault.Invalid, "data.first: missing in event %s", e.ID)
	}
	return a, nil
}

// Rejection is what was quarantined, why, and all that a retry needs.
type Rejection struct {
	Route    string            `json:"route"`             // aws, azure, gcp or webhook; "bus" for an event that correlate refused
	Provider string            `json:"provider,omitzero"` // the room that tried to read it, when one did
	Tenant   string            `json:"tenant,omitzero"`   // bound by credential; a mapping may find it later
	Kind     string            `json:"kind"`              // fault kind: invalid, too large, held
	Reason   string            `json:"reason"`
	Index    int               `json:"index"` // place in the delivery, from 0
	Received time.Time         `json:"received"`
	Headers  map[string]string `json:"headers,omitempty"` // wrapper facts that replay needs
	Body     string            `json:"body,omitzero"`     // the record as received, when it is text
	Binary   []byte            `json:"binary,omitempty"`  // the record as received, when it is not valid UTF-8
	Size     int               `json:"size"`              // bytes received; Body and Binary are cut at MaxRejected
	Cut      bool              `json:"cut,omitzero"`      // it was larger than MaxRejected: kept for inspection, not for replay
}

// MaxRejected bounds what is kept of one rejected record, in bytes.
const MaxRejected = 4 << 20

// SetBody keeps body in r: as text if it is, cut if it is beyond MaxRejected.
func (r *Rejection) SetBody(body []byte) {
	r.Size = len(body)
	if len(body) > MaxRejected {
		body, r.Cut = body[:MaxRejected], true
	}
	if utf8.Valid(body) {
		r.Body = string(body)
	} else {
		r.Binary = append([]byte(nil), body...)
	}
}

// Bytes gives back what SetBody kept.
func (r Rejection) Bytes() []byte {
	if r.Binary != nil {
		return r.Binary
	}
	return []byte(r.Body)
}

// NewRejection wraps r. The id is derived from what was rejected, so the same bad record is kept once however often
// its sender repeats it.
func NewRejection(r Rejection, trace string) (cloudevent.Event, error) {
	h := sha256.New()
	for _, s := range []string{r.Route, r.Tenant, r.Body, string(r.Binary)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	data, err := json.Marshal(r, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return cloudevent.Event{}, fault.Errorf(fault.Invalid, "encode rejection: %w", err)
	}
	return cloudevent.Event{
		ID: "q" + hex.EncodeToString(h.Sum(nil)[:12]), Source: "/onepane/ingest/" + r.Route, Type: Rejected,
		Time: r.Received, DataSchema: schemaBase + "delivery.rejected.v1.json", Tenant: r.Tenant, Trace: trace, Data: data,
	}, nil
}

// ParseRejection reads a Rejected event; anything else is fault.Invalid.
func ParseRejection(e cloudevent.Event) (Rejection, error) {
	var r Rejection
	if e.Type != Rejected {
		return r, fault.Errorf(fault.Invalid, "type: %q is not %s", e.Type, Rejected)
	}
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return r, fault.Errorf(fault.Invalid, "decode data of event %s: %w", e.ID, err)
	}
	return r, nil
}
