package eventbridge

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// openQueueRecords opens the Records[] of a Lambda event (SQS, SNS, Kinesis, Firehose) or the Messages[] of an SQS
// receive answer. One that cannot be opened does not spoil the others.
func (o *opener) openQueueRecords(r ingest.Record, list string, wrappers int) {
	records, err := ingest.Elements(r.Field(list))
	if err != nil {
		o.addFailed(r.Raw, err)
		return
	}
	if len(records) == 0 {
		o.addIgnored(r.Raw, "an empty batch")
	}
	for _, raw := range records {
		e := ingest.NewRecord(raw, r.Context)
		switch {
		case e.Err != nil:
			o.openRecord(e, wrappers+1)
		case e.Has("body"):
			o.openMember(e, "body", wrappers)
		case e.Has("Sns"):
			o.openNotification(ingest.NewRecord(e.Field("Sns"), r.Context), wrappers+1)
		case e.Has("kinesis"):
			o.openPacked(ingest.NewRecord(e.Field("kinesis"), r.Context), "data", wrappers)
		case e.Has("data"):
			o.openPacked(e, "data", wrappers)
		case e.Has("s3"):
			o.addIgnored(raw, "a notice of an S3 object, which holds no finding itself")
		default:
			o.openRecord(e, wrappers+1)
		}
	}
}

// openMember opens a member that is JSON, usually written inside a string.
func (o *opener) openMember(r ingest.Record, name string, wrappers int) {
	v := r.Field(name)
	if v.Kind() == '"' {
		o.openText(v, r.Context, name, wrappers)
		return
	}
	o.openRecord(ingest.NewRecord(v, r.Context), wrappers+1)
}

// openNotification opens an SNS message. Confirmations are ignored: whoever subscribed the endpoint confirms it, and
// the URL in it could be anyone's.
func (o *opener) openNotification(r ingest.Record, wrappers int) {
	switch kind := r.Text("Type"); kind {
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		o.addIgnored(r.Raw, "SNS "+kind)
		return
	}
	if !r.Has("Message") {
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "Message: missing"))
		return
	}
	o.openMember(r, "Message", wrappers)
}

// openPacked opens a member that is base64, of gzip or of plain JSON.
func (o *opener) openPacked(r ingest.Record, name string, wrappers int) {
	text, err := o.unpackMember(r.Field(name), name)
	if err != nil {
		o.addFailed(r.Raw, err)
		return
	}
	o.openValues(text, r.Context, wrappers+1)
}

// unpackMember decodes a base64 string and decompresses it, within the delivery's room.
func (o *opener) unpackMember(v jsontext.Value, name string) ([]byte, error) {
	if v.Kind() != '"' {
		return nil, fault.Errorf(fault.Invalid, "%s: missing, or no string", name)
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "%s: not a readable string", name)
	}
	text, err := o.inflateBase64(string(s))
	if err != nil {
		return nil, fault.Errorf(fault.Of(err), "%s: %w", name, err)
	}
	if len(text) == 0 {
		return nil, fault.Errorf(fault.Invalid, "%s: empty", name)
	}
	return text, nil
}
