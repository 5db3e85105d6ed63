package eventbridge

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// queueRecords opens the Records[] of a Lambda event (SQS, SNS, Kinesis, Firehose) or the Messages[] of an SQS
// receive answer. One that cannot be opened does not spoil the others.
func (o *opener) queueRecords(r ingest.Record, list string, wrappers int) {
	records, err := ingest.Elements(r.Field(list))
	if err != nil {
		o.fail(r.Raw, err)
		return
	}
	if len(records) == 0 {
		o.ignore(r.Raw, "an empty batch")
	}
	for _, raw := range records {
		e := ingest.NewRecord(raw, r.Context)
		switch {
		case e.Err != nil:
			o.open(e, wrappers+1)
		case e.Has("body"):
			o.held(e, "body", wrappers)
		case e.Has("Sns"):
			o.notification(ingest.NewRecord(e.Field("Sns"), r.Context), wrappers+1)
		case e.Has("kinesis"):
			o.packed(ingest.NewRecord(e.Field("kinesis"), r.Context), "data", wrappers)
		case e.Has("data"):
			o.packed(e, "data", wrappers)
		case e.Has("s3"):
			o.ignore(raw, "a notice of an S3 object, which holds no finding itself")
		default:
			o.open(e, wrappers+1)
		}
	}
}

// held opens a member that is JSON, usually written inside a string.
func (o *opener) held(r ingest.Record, name string, wrappers int) {
	v := r.Field(name)
	if v.Kind() == '"' {
		o.text(v, r.Context, name, wrappers)
		return
	}
	o.open(ingest.NewRecord(v, r.Context), wrappers+1)
}

// notification opens an SNS message. Confirmations are ignored: whoever subscribed the endpoint confirms it, and
// the URL in it could be anyone's.
func (o *opener) notification(r ingest.Record, wrappers int) {
	switch kind := r.Text("Type"); kind {
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		o.ignore(r.Raw, "SNS "+kind)
		return
	}
	if !r.Has("Message") {
		o.fail(r.Raw, fault.Errorf(fault.Invalid, "Message: missing"))
		return
	}
	o.held(r, "Message", wrappers)
}

// packed opens a member that is base64, of gzip or of plain JSON.
func (o *opener) packed(r ingest.Record, name string, wrappers int) {
	text, err := o.unpack(r.Field(name), name)
	if err != nil {
		o.fail(r.Raw, err)
		return
	}
	o.values(text, r.Context, wrappers+1)
}

// unpack decodes a base64 string and decompresses it, within the delivery's room.
func (o *opener) unpack(v jsontext.Value, name string) ([]byte, error) {
	if v.Kind() != '"' {
		return nil, fault.Errorf(fault.Invalid, "%s: missing, or no string", name)
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "%s: not a readable string", name)
	}
	text, err := o.inflate(string(s))
	if err != nil {
		return nil, fault.Errorf(fault.Of(err), "%s: %w", name, err)
	}
	if len(text) == 0 {
		return nil, fault.Errorf(fault.Invalid, "%s: empty", name)
	}
	return text, nil
}
