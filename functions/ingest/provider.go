package ingest

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
)

// Envelope opens what a transport wraps around findings (EventBridge, SQS, Pub/Sub, Event Hubs, CloudEvents, an
// array, NDJSON) and yields one Record per finding, in order. A part that cannot be opened becomes a Record with
// Err, and does not spoil the others. Open fails only when nothing at all can be made of the body.
type Envelope interface {
	Open(d Delivery) ([]Record, error)
}

// Provider reads the findings of one product.
type Provider interface {
	// Name is the room's name, as in Origin.Provider: "guardduty".
	Name() string
	// Recognize reports whether r is a finding of this product, by its shape. It must be cheap: it sees every record.
	Recognize(r Record) bool
	// Normalize turns r into an alert: everything but ID, Tenant, Delivered and Raw, which Function fills in. First
	// must not be zero unless the finding states no time at all. It returns Ignore(reason) for what is no finding,
	// and a fault.Invalid that names the field for what cannot be read. It must not keep or change r.
	Normalize(r Record) (alert.Alert, error)
}

// Splitter is a Provider some of whose records hold several findings (an Alertmanager group, an incident with its
// alerts). Split returns them in order; a record that holds one finding is returned alone.
type Splitter interface {
	Split(r Record) ([]Record, error)
}

// Record is one finding-sized JSON value, taken out of its wrappers.
type Record struct {
	// Raw is the finding as received: one JSON value, nearly always an object.
	Raw jsontext.Value
	// Fields are the top-level members of Raw as written; nil when Raw is no object.
	Fields []Member
	// Context is what the wrappers state: "source", "detail-type", "account", "region", "time", "ce-type"… Each
	// envelope documents its names.
	Context map[string]string
	// Ignored is why this is no finding at all (a heartbeat, a subscription confirmation); "" for a finding.
	Ignored string
	// Err is why this part of the delivery could not be opened; Raw then holds what could not be.
	Err error

	depth    int      // nesting of Raw in levels; 0 when it is no object
	provider Provider // who recognized it; nil before Function asked, and when nobody did
}

// NewRecord reads the top-level members of raw, a part of what Values gave. A value that is no JSON object has none.
func NewRecord(raw jsontext.Value, context map[string]string) Record {
	fields, deep := objectMembers(raw)
	return Record{Raw: raw, Fields: fields, Context: context, depth: deep}
}

// Has reports whether every one of the named top-level members is there and not null. Names compare without case.
func (r Record) Has(names ...string) bool {
	for _, n := range names {
		if r.Field(n) == nil {
			return false
		}
	}
	return true
}

// Field returns a top-level member by name, whatever its case; nil when it is absent or null.
func (r Record) Field(name string) jsontext.Value {
	at := slices.IndexFunc(r.Fields, func(m Member) bool { return m.Name == name })
	if at < 0 {
		at = slices.IndexFunc(r.Fields, func(m Member) bool { return strings.EqualFold(m.Name, name) })
	}
	if at < 0 {
		return nil
	}
	v := r.Fields[at].Value
	if len(v) == 0 || v[0] == 'n' {
		return nil
	}
	return v
}

// Text returns a top-level member that is a string, unquoted; "" for anything else.
func (r Record) Text(name string) string {
	v := r.Field(name)
	if len(v) == 0 || v[0] != '"' {
		return ""
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(s)
}

// ignoredError is the error that Ignore returns.
type ignoredError string

func (i ignoredError) Error() string { return string(i) }

// Ignore says that a record is no finding at all, and why. The receipt lists it as ignored; it is not kept.
func Ignore(reason string) error { return ignoredError(reason) }

// IgnoredReason returns the reason when err says that a record is no finding.
func IgnoredReason(err error) (string, bool) {
	var i ignoredError
	if errors.As(err, &i) {
		return string(i), true
	}
	return "", false
}
