package eventbridge

import (
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// sources are the detail-types that carry findings, each with the only source that may claim it. The resource policy
// lets nobody but AWS write "aws." sources, so a mismatch is a forgery or a broken rule.
var sources = map[string]string{
	"GuardDuty Finding":                     "aws.guardduty",
	"Security Hub Findings - Imported":      "aws.securityhub",
	"Security Hub Findings - Custom Action": "aws.securityhub",
	"Findings Imported V2":                  "aws.securityhub",
	"Inspector2 Finding":                    "aws.inspector2",
	"Macie Finding":                         "aws.macie",
}

// openEvent opens an EventBridge event, after checking that source and detail-type agree.
func (o *opener) openEvent(r ingest.Record, wrappers int) {
	kind, source := r.Text("detail-type"), r.Text("source")
	want, known := sources[kind]
	switch {
	case kind == "":
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "detail-type: missing, or no string"))
	case source == "":
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "source: missing, or no string"))
	case !known:
		o.addIgnored(r.Raw, "detail-type \""+kind+"\" carries no findings")
	case source != want:
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "source: %q, but detail-type %q comes from %q", source, kind, want))
	case r.Field("detail").Kind() != '{':
		o.addFailed(r.Raw, fault.Errorf(fault.Invalid, "detail: missing, or no object"))
	default:
		o.openRecord(ingest.NewRecord(r.Field("detail"), eventContext(r)), wrappers+1)
	}
}

// eventContext is what the event says about itself, as record context.
func eventContext(r ingest.Record) map[string]string {
	out := make(map[string]string, 6)
	for _, name := range []string{"source", "detail-type", "account", "region", "time"} {
		if v := r.Text(name); v != "" {
			out[name] = v
		}
	}
	if id := r.Text("id"); id != "" {
		out["event-id"] = id
	}
	return out
}
