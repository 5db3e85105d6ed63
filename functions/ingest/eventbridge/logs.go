package eventbridge

import (
	"github.com/onepane/onepane/functions/ingest"
)

// openSubscription opens what CloudWatch Logs hands to a Lambda: awslogs.data, base64 of gzip of a log message.
func (o *opener) openSubscription(r ingest.Record, wrappers int) {
	o.openPacked(ingest.NewRecord(r.Field("awslogs"), r.Context), "data", wrappers)
}

// openLogEvents opens the lines of a log message. CloudWatch sends control messages of its own to see whether anyone
// listens.
func (o *opener) openLogEvents(r ingest.Record, wrappers int) {
	if r.Text("messageType") == "CONTROL_MESSAGE" {
		o.addIgnored(r.Raw, "a CloudWatch Logs control message")
		return
	}
	lines, err := ingest.Elements(r.Field("logEvents"))
	if err != nil {
		o.addFailed(r.Raw, err)
		return
	}
	if len(lines) == 0 {
		o.addIgnored(r.Raw, "a log message without events")
	}
	for _, line := range lines {
		e := ingest.NewRecord(line, r.Context)
		if e.Has("message") {
			o.openMember(e, "message", wrappers)
		} else {
			o.openRecord(e, wrappers+1)
		}
	}
}
