// Package eventhubs opens what the Microsoft side wraps around its findings on the way to us: batches of the Event
// Hubs trigger, streaming records, pages of a REST answer, query results, Event Grid and playbook envelopes. What a
// finding means is the providers' business.
//
//	body ─▶ value ─┬─ array, records, value, JSON in a string ─▶ value …
//	               ├─ tables: a row ─▶ object
//	               ├─ data, object, body of an envelope ─▶ value …
//	               └─ anything else ─▶ Record
package eventhubs

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Envelope opens deliveries of the route azure. It adds no Context: Microsoft's records state everything themselves.
type Envelope struct{}

// maxWrappers is how many wrappers may lie around each other. Three is the most that has been seen.
const maxWrappers = 10

// Open yields one record per finding. Wrappers that hold no finding (a heartbeat, a notification without content)
// become ignored records that say so.
func (Envelope) Open(d ingest.Delivery) ([]ingest.Record, error) {
	var o opener
	for _, r := range ingest.SplitValues(d.Body) {
		o.openRecord(r, 0)
	}
	return o.out, nil
}

// opener gathers records in their order.
type opener struct{ out []ingest.Record }

func (o *opener) addRecord(r ingest.Record) { o.out = append(o.out, r) }

func (o *opener) addIgnored(r ingest.Record, reason string) {
	r.Ignored = reason
	o.addRecord(r)
}

func (o *opener) openRecord(r ingest.Record, wrappers int) {
	if r.Err != nil {
		o.addRecord(r)
		return
	}
	if wrappers > maxWrappers {
		r.Err = fault.Errorf(fault.Invalid, "body: more than %d wrappers around each other", maxWrappers)
		o.addRecord(r)
		return
	}
	switch r.Raw.Kind() {
	case '[':
		for _, e := range ingest.SplitArray(r) {
			o.openRecord(e, wrappers+1)
		}
	case '"':
		o.openText(r, wrappers)
	case '{':
		o.openObject(r, wrappers)
	case 'n':
		o.addIgnored(r, "null holds no finding")
	default:
		o.addRecord(r)
	}
}

// openText opens JSON that was put into a string, as the Functions trigger does with cardinality "many".
func (o *opener) openText(r ingest.Record, wrappers int) {
	s, err := jsontext.AppendUnquote(nil, r.Raw)
	if err == nil {
		if s = []byte(strings.TrimSpace(string(s))); len(s) == 0 {
			o.addIgnored(r, "an empty message holds no finding")
			return
		}
	}
	if err != nil || s[0] != '{' && s[0] != '[' && s[0] != '"' {
		r.Err = fault.Errorf(fault.Invalid, "body: a text that is no JSON is not a finding")
		o.addRecord(r)
		return
	}
	for _, in := range ingest.SplitValues(s) {
		o.openRecord(in, wrappers+1)
	}
}

// openObject opens a wrapper, or keeps what is none.
func (o *opener) openObject(r ingest.Record, wrappers int) {
	into := func(v jsontext.Value) { o.openRecord(ingest.NewRecord(v, r.Context), wrappers+1) }
	switch {
	case len(r.Fields) == 0:
		o.addIgnored(r, "an empty object holds no finding")
	case memberKind(r, "records") == '[':
		into(r.Field("records"))
	case memberKind(r, "value") == '[' && isPage(r):
		o.openPage(r, wrappers)
	case memberKind(r, "tables") == '[':
		o.openTables(r, wrappers)
	case strings.EqualFold(r.Text("schemaId"), "azureMonitorCommonAlertSchema"):
		o.openMonitorAlert(r, wrappers)
	case isNotification(r):
		o.openNotification(r, wrappers)
	case r.Has("eventType", "data", "eventTime") || r.Has("specversion", "data"):
		o.openEvent(r, wrappers)
	case memberKind(r, "object") == '{' && r.Has("workspaceInfo"): // what Sentinel sends a playbook
		into(r.Field("object"))
	case memberKind(r, "body") != 0 && len(r.Fields) <= 3: // what a Logic App posts of its trigger
		into(r.Field("body"))
	case isHeartbeat(r):
		o.addIgnored(r, "a heartbeat is no finding")
	case isActivity(r):
		o.addIgnored(r, "an Azure activity log record is no finding; export alerts with continuous export")
	default:
		o.addRecord(r)
	}
}

func memberKind(r ingest.Record, name string) jsontext.Kind { return r.Field(name).Kind() }

// isPage tells a page of a REST answer from an object that merely has a list called value.
func isPage(r ingest.Record) bool {
	for _, m := range r.Fields {
		name := m.Name
		switch strings.ToLower(name) {
		case "value", "nextlink", "count", "totalcount", "validationtokens":
		default:
			if !strings.HasPrefix(name, "@odata.") && !strings.HasPrefix(name, "@microsoft.") {
				return false
			}
		}
	}
	return true
}

func (o *opener) openPage(r ingest.Record, wrappers int) {
	before := len(o.out)
	o.openRecord(ingest.NewRecord(r.Field("value"), r.Context), wrappers+1)
	if len(o.out) == before {
		o.addIgnored(r, "an empty page holds no finding")
	}
}

// isHeartbeat reports a sign of life of an agent or a pipeline.
func isHeartbeat(r ingest.Record) bool {
	for _, name := range []string{"Type", "category", "eventType"} {
		if strings.EqualFold(r.Text(name), "heartbeat") {
			return true
		}
	}
	return false
}

// isActivity reports a record of the Azure activity log or of a resource's diagnostic log.
func isActivity(r ingest.Record) bool {
	return r.Has("operationName", "resourceId", "category") && !r.Has("SystemAlertId")
}
