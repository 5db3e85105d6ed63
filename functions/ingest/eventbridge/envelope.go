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
	body, o := d.Body, opener{room: ingest.NewGunzipBudget()}
	if text, ok := packedBody(body); ok {
		// An S3 export that someone stored as text: no wire form of AWS, but harmless to read.
		raw, err := o.inflateBase64(text)
		if err != nil {
			return nil, err
		}
		body = raw
	}
	o.openValues(body, nil, 0)
	return o.records, nil
}

// opener gathers the records of one delivery, in order.
type opener struct {
	records []ingest.Record
	room    *ingest.GunzipBudget
}

// openValues opens every JSON value in text.
func (o *opener) openValues(text []byte, context map[string]string, wrappers int) {
	for _, r := range ingest.SplitValues(text) {
		if r.Err != nil {
			o.records = append(o.records, r)
			continue
		}
		r.Context = context
		o.openRecord(r, wrappers)
	}
}

// openRecord takes one wrapper off r, or keeps it as a finding.
func (o *opener) openRecord(r ingest.Record, wrappers int) {
	if r.Err != nil {
		o.records = append(o.records, r)
		return
	}
	if wrappers > maxWrappers {
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "body: more than %d wrappers around a finding", maxWrappers))
		return
	}
	switch r.Raw.Kind() {
	case '[':
		for _, e := range ingest.SplitArray(r) {
			o.openRecord(e, wrappers+1)
		}
	case '"':
		o.openText(r.Raw, r.Context, "body", wrappers)
	case '{':
		o.openObject(r, wrappers)
	default:
		o.records = append(o.records, r)
	}
}

// openObject tells the wrappers apart by the members that only they have.
func (o *opener) openObject(r ingest.Record, wrappers int) {
	switch {
	case r.Has("awslogs"):
		o.openSubscription(r, wrappers)
	case r.Has("logEvents") || r.Text("messageType") == "CONTROL_MESSAGE":
		o.openLogEvents(r, wrappers)
	case isList(r.Field("Records")):
		o.openQueueRecords(r, "Records", wrappers)
	case isList(r.Field("Messages")):
		o.openQueueRecords(r, "Messages", wrappers)
	case r.Has("Type", "MessageId") && (r.Has("Message") || r.Has("TopicArn")):
		o.openNotification(r, wrappers)
	case r.Has("detail-type") || r.Has("detail", "source"):
		o.openEvent(r, wrappers)
	case r.Has("detail") && !r.Has("id", "title"):
		o.openRecord(ingest.NewRecord(r.Field("detail"), r.Context), wrappers+1)
	case isList(r.Field("findings")):
		o.openPage(r, wrappers)
	default:
		o.records = append(o.records, r)
	}
}

// openPage opens the findings[] of Security Hub events and of GetFindings answers.
func (o *opener) openPage(r ingest.Record, wrappers int) {
	found, err := ingest.Elements(r.Field("findings"))
	if err != nil {
		o.addFailed(r.Raw, err)
		return
	}
	if len(found) == 0 {
		o.addIgnored(r.Raw, "a page without findings")
	}
	for _, v := range found {
		o.openRecord(ingest.NewRecord(v, r.Context), wrappers+1)
	}
}

// openText opens JSON that is written inside a string, as it is or as base64 of gzip; name says where, for the reason
// when it is none.
func (o *opener) openText(v jsontext.Value, context map[string]string, name string, wrappers int) {
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		o.addFailed(v, fault.Errorf(fault.Invalid, "%s: not a readable string", name))
		return
	}
	if len(strings.TrimSpace(string(s))) == 0 {
		o.addFailed(v, fault.Errorf(fault.Invalid, "%s: empty", name))
		return
	}
	if text, ok := packedBody(s); ok {
		if s, err = o.inflateBase64(text); err != nil {
			o.addFailed(v, fault.Errorf(fault.Of(err), "%s: %w", name, err))
			return
		}
	}
	o.openValues(s, context, wrappers+1)
}

func (o *opener) addFailed(raw jsontext.Value, err error) {
	o.records = append(o.records, ingest.Record{Raw: raw, Err: err})
}

func (o *opener) addIgnored(raw jsontext.Value, reason string) {
	o.records = append(o.records, ingest.Record{Raw: raw, Ignored: reason})
}

func isList(v jsontext.Value) bool { return v.Kind() == '[' }

// packedBody reports whether body is nothing but base64 of gzip, and returns it without line breaks.
func packedBody(body []byte) (string, bool) {
	if !strings.HasPrefix(string(body[:min(len(body), 4)]), "H4sI") {
		return "", false
	}
	return strings.NewReplacer("\n", "", "\r", "").Replace(string(body)), true
}

// inflateBase64 decodes base64 and decompresses what is gzip in it.
func (o *opener) inflateBase64(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "base64: %w", err)
	}
	return o.room.Gunzip(raw)
}
