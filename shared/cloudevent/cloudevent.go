// Package cloudevent is the CloudEvents 1.0 envelope as one small value, so that functions that start
// cold need no SDK for it. Tests hold it against cloudevents/sdk-go.
//
//	Event ──MarshalJSON──▶ application/cloudevents+json (structured mode)
//	Event ──Attributes──▶ headers or application properties (binary mode), Data as the body
package cloudevent

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/fault"
)

// Content types of the structured and the batch mode.
const (
	StructuredType = "application/cloudevents+json"
	BatchType      = "application/cloudevents-batch+json"
)

// Event is one CloudEvent with JSON data. Tenant and TraceParent are the extensions Onepane uses.
type Event struct {
	ID         string         `json:"id"`
	Source     string         `json:"source"`
	Type       string         `json:"type"`
	Subject    string         `json:"subject,omitzero"`
	Time       time.Time      `json:"time,omitzero"`
	DataSchema string         `json:"dataschema,omitzero"`
	Tenant     string         `json:"tenant,omitzero"`      // extension: whose data this is; the bus session
	Trace      string         `json:"traceparent,omitzero"` // extension: W3C trace context
	Data       jsontext.Value `json:"data,omitzero"`
	// Position is the event's place in a durable log, for a driver that has one; 0 otherwise. It never travels.
	Position uint64 `json:"-"`
}

// structuredEvent is the structured mode: the attributes with the two constant ones.
type structuredEvent struct {
	SpecVersion     string     `json:"specversion"`
	DataContentType string     `json:"datacontenttype,omitzero"`
	Event           plainEvent `json:",embed"`
}

type plainEvent Event // without methods, so that encoding it does not recurse

// MarshalJSON gives the structured mode.
func (e Event) MarshalJSON() ([]byte, error) {
	w := structuredEvent{SpecVersion: "1.0", Event: plainEvent(e)}
	if e.Data != nil {
		w.DataContentType = "application/json"
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads the structured mode. Unknown extensions are dropped; an event that is not
// CloudEvents 1.0, or lacks id, source or type, is fault.Invalid.
func (e *Event) UnmarshalJSON(b []byte) error {
	var w structuredEvent
	if err := json.Unmarshal(b, &w); err != nil {
		return fault.Errorf(fault.Invalid, "decode CloudEvent: %w", err)
	}
	if w.SpecVersion != "1.0" {
		return fault.Errorf(fault.Invalid, "specversion: %q is not 1.0", w.SpecVersion)
	}
	*e = Event(w.Event)
	return e.Validate()
}

// Validate reports the attributes that CloudEvents requires and e lacks, as fault.Invalid.
func (e Event) Validate() error {
	var missing []string
	for _, f := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", e.Type}} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return fault.Errorf(fault.Invalid, "CloudEvent lacks %s", strings.Join(missing, ", "))
	}
	return nil
}

// Attributes gives the context attributes by name, as binary mode carries them beside the data.
func (e Event) Attributes() map[string]string {
	m := map[string]string{"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type}
	for name, v := range map[string]string{"subject": e.Subject, "dataschema": e.DataSchema, "tenant": e.Tenant, "traceparent": e.Trace} {
		if v != "" {
			m[name] = v
		}
	}
	if !e.Time.IsZero() {
		m["time"] = e.Time.Format(time.RFC3339Nano)
	}
	return m
}

// FromAttributes rebuilds an event from binary mode.
func FromAttributes(attr map[string]string, data []byte) (Event, error) {
	e := Event{
		ID: attr["id"], Source: attr["source"], Type: attr["type"], Subject: attr["subject"],
		DataSchema: attr["dataschema"], Tenant: attr["tenant"], Trace: attr["traceparent"], Data: data,
	}
	if v := attr["specversion"]; v != "1.0" {
		return e, fault.Errorf(fault.Invalid, "specversion: %q is not 1.0", v)
	}
	if t := attr["time"]; t != "" {
		var err error
		if e.Time, err = time.Parse(time.RFC3339Nano, t); err != nil {
			return e, fault.Errorf(fault.Invalid, "time: %q is not an RFC 3339 time", t)
		}
	}
	return e, e.Validate()
}
