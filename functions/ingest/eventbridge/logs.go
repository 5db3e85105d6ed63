package eventbridge

import (
	"github.com/onepane/onepane/functions/ingest"
)

// subscription opens what CloudWatch Logs hands to a Lambda: awslogs.data, base64 of gzip of a log message.
func (o *opener) subscription(r ingest.Record, wrappers int) {
	o.packed(ingest.NewRecord(r.Field("awslogs"), r.Context), "data", wrappers)
}

// logEvents opens the lines of a log message. CloudWatch sends control messages of its own to see whether anyone listens.
func (o *opener) logEvents(r ingest.Record, wrappers int) {
	if r.Text("messageType") == "CONTROL_MESSAGE" {
		o.ignore(r.Raw, "a CloudWatch Logs control message")
		return
	}
	lines, err := ingest.Elements(r.Field("logEvents"))
	if err != nil {
		o.fail(r.Raw, err)
		return
	}
	if len(lines) == 0 {
		o.ignore(r.Raw, "a log message without events")
	}
	for _, line := range lines {
		e := ingest.NewRecord(line, r.Context)
		if e.Has("message") {
			o.held(e, "message", wrappers)
		} else {
			o.open(e, wrappers+1)
		}
	}
}
