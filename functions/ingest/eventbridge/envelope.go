// Package eventbridge opens what AWS wraps around findings on their way here, to any nesting: EventBridge events,
// SQS and SNS in their Lambda and raw shapes, CloudWatch Logs subscriptions, Firehose, pages of GetFindings, S3
// export lines. It leaves the findings themselves to their providers, and never follows an address in a message.
//
//	body ─Values─▶ value ─▶ wrapper? ──no──▶ record (a bare finding)
//	                 ▲         │yes
//	                 └─────────┘ what it holds, opened the same way
package eventbridge

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Envelope opens deliveries of the route aws. A record from an EventBridge event carries what the event states in its
// Context, as "source", "detail-type", "account", "region", "time" and "event-id"; the account is the bus owner's,
// not always the finding's.
type Envelope struct{}

// maxWrappers bounds how many wrappers lie around one finding. Real ones are four: SQS, SNS, EventBridge, findings.
const maxWrappers = 16

// Open implements ingest.Envelope.
func (Envelope) Open(d ingest.Delivery) ([]ingest.Record, error) {
	body, o := d.Body, opener{room: ingest.NewRoom()}
	if text, ok := packed(body); ok {
		// An S3 export that someone stored as text: no wire form of AWS, but harmless to read.
		raw, err := o.inflate(text)
		if err != nil {
			return nil, err
		}
		body = raw
	}
	o.values(body, nil, 0)
	return o.records, nil
}

// opener gathers the records of one delivery, in order.
type opener struct {
	records []ingest.Record
	room    *ingest.Room
}

// values opens every JSON value in text.
func (o *opener) values(text []byte, context map[string]string, wrappers int) {
	for _, r := range ingest.Values(text) {
		if r.Err != nil {
			o.records = append(o.records, r)
			continue
		}
		r.Context = context
		o.open(r, wrappers)
	}
}

// open takes one wrapper off r, or keeps it as a finding.
func (o *opener) open(r ingest.Record, wrappers int) {
	if r.Err != nil {
		o.records = append(o.records, r)
		return
	}
	if wrappers > maxWrappers {
		o.fail(r.Raw, fault.Errorf(fault.Invalid, "body: more than %d wrappers around a finding", maxWrappers))
		return
	}
	switch r.Raw.Kind() {
	case '[':
		for _, e := range ingest.Array(r) {
			o.open(e, wrappers+1)
		}
	case '"':
		o.text(r.Raw, r.Context, "body", wrappers)
	case '{':
		o.object(r, wrappers)
	default:
		o.records = append(o.records, r)
	}
}

// object tells the wrappers apart by the members that only they have.
func (o *opener) object(r ingest.Record, wrappers int) {
	switch {
	case r.Has("awslogs"):
		o.subscription(r, wrappers)
	case r.Has("logEvents") || r.Text("messageType") == "CONTROL_MESSAGE":
		o.logEvents(r, wrappers)
	case isList(r.Field("Records")):
		o.queueRecords(r, "Records", wrappers)
	case isList(r.Field("Messages")):
		o.queueRecords(r, "Messages", wrappers)
	case r.Has("Type", "MessageId") && (r.Has("Message") || r.Has("TopicArn")):
		o.notification(r, wrappers)
	case r.Has("detail-type") || r.Has("detail", "source"):
		o.event(r, wrappers)
	case r.Has("detail") && !r.Has("id", "title"):
		o.open(ingest.NewRecord(r.Field("detail"), r.Context), wrappers+1)
	case isList(r.Field("findings")):
		o.page(r, wrappers)
	default:
		o.records = append(o.records, r)
	}
}

// page opens the findings[] of Security Hub events and of GetFindings answers.
func (o *opener) page(r ingest.Record, wrappers int) {
	found, err := ingest.Elements(r.Field("findings"))
	if err != nil {
		o.fail(r.Raw, err)
		return
	}
	if len(found) == 0 {
		o.ignore(r.Raw, "a page without findings")
	}
	for _, v := range found {
		o.open(ingest.NewRecord(v, r.Context), wrappers+1)
	}
}

// text opens JSON that is written inside a string, as it is or as base64 of gzip; name says where, for the reason when
// it is none.
func (o *opener) text(v jsontext.Value, context map[string]string, name string, wrappers int) {
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		o.fail(v, fault.Errorf(fault.Invalid, "%s: not a readable string", name))
		return
	}
	if len(strings.TrimSpace(string(s))) == 0 {
		o.fail(v, fault.Errorf(fault.Invalid, "%s: empty", name))
		return
	}
	if text, ok := packed(s); ok {
		if s, err = o.inflate(text); err != nil {
			o.fail(v, fault.Errorf(fault.Of(err), "%s: %w", name, err))
			return
		}
	}
	o.values(s, context, wrappers+1)
}

func (o *opener) fail(raw jsontext.Value, err error) {
	o.records = append(o.records, ingest.Record{Raw: raw, Err: err})
}

func (o *opener) ignore(raw jsontext.Value, reason string) {
	o.records = append(o.records, ingest.Record{Raw: raw, Ignored: reason})
}

func isList(v jsontext.Value) bool { return v.Kind() == '[' }

// packed reports whether body is nothing but base64 of gzip, and returns it without line breaks.
func packed(body []byte) (string, bool) {
	if !strings.HasPrefix(string(body[:min(len(body), 4)]), "H4sI") {
		return "", false
	}
	return strings.NewReplacer("\n", "", "\r", "").Replace(string(body)), true
}

// inflate decodes base64 and decompresses what is gzip in it.
func (o *opener) inflate(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "base64: %w", err)
	}
	return o.room.Gunzip(raw)
}
