// Package webhook opens what anyone may post on the route webhook: an object, an array, NDJSON, and CloudEvents 1.0
// in structured, batch and binary mode. It reads no alert itself.
//
//	binary (ce-* headers)  ─▶ body is the data ─┐
//	structured, batch      ─▶ data, data_base64 ├─▶ one Record per alert
//	object, array, NDJSON  ─▶ as it is ─────────┘
//	confirmation, ping     ─▶ Ignored
package webhook

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Envelope opens deliveries of the route webhook. A record out of a CloudEvent carries in Context the event's
// "ce-id", "ce-source", "ce-type", "ce-time" and, from the extension attribute "tenant", "ce-tenant".
type Envelope struct{}

// Open returns a record per alert. A CloudEvent that cannot be opened is the error of its own record.
func (Envelope) Open(d ingest.Delivery) ([]ingest.Record, error) {
	if d.Header("ce-specversion") != "" && !strings.HasPrefix(d.Header("content-type"), "application/cloudevents") {
		return openBinary(d)
	}
	var out []ingest.Record
	room := ingest.NewGunzipBudget()
	for _, v := range ingest.SplitValues(d.Body) {
		if v.Raw.Kind() == '[' && v.Err == nil && strings.TrimSpace(string(v.Raw[1:len(v.Raw)-1])) == "" {
			v.Ignored = "an empty array"
			out = append(out, v)
			continue
		}
		for _, r := range ingest.SplitArray(v) {
			out = append(out, openRecord(r, room)...)
		}
	}
	return out, nil
}

// attributes are the CloudEvents attributes that go into Context, with "ce-" before them.
var attributes = []string{"id", "source", "type", "time", "tenant"}

// openBinary reads an event whose attributes are headers and whose data is the body.
func openBinary(d ingest.Delivery) ([]ingest.Record, error) {
	if v := d.Header("ce-specversion"); !strings.HasPrefix(v, "1.") {
		return nil, fault.Errorf(fault.Invalid, "ce-specversion: %q is not 1.0", v)
	}
	context := map[string]string{}
	for _, name := range attributes {
		if v := d.Header("ce-" + name); v != "" {
			context["ce-"+name] = v
		}
	}
	return openData(d.Body, context), nil
}

// openRecord opens a record that is a CloudEvent; any other stays as it is.
func openRecord(r ingest.Record, room *ingest.GunzipBudget) []ingest.Record {
	switch {
	case r.Err != nil || r.Ignored != "":
	case r.Has("specversion") && r.Has("id", "source", "type") || r.Has("specversion") && (r.Has("data") || r.Has("data_base64")):
		return openStructured(r, room)
	default:
		r.Ignored = controlReason(r)
	}
	return []ingest.Record{r}
}

// openStructured opens an event that is one JSON object.
func openStructured(r ingest.Record, room *ingest.GunzipBudget) []ingest.Record {
	if v := r.Text("specversion"); !strings.HasPrefix(v, "1.") {
		return failedRecord(r, "specversion: %q is not 1.0", v)
	}
	context := map[string]string{}
	for _, name := range attributes {
		if v := r.Text(name); v != "" {
			context["ce-"+name] = v
		}
	}
	for _, name := range []string{"id", "source", "type"} {
		if context["ce-"+name] == "" {
			return failedRecord(r, "%s: missing", name)
		}
	}
	data := r.Field("data")
	switch {
	case r.Has("data_base64"):
		return openBase64(r, context, room)
	case data == nil:
		return failedRecord(r, "data: missing")
	case data.Kind() == '"': // JSON that was put into text on the way
		if text := r.Text("data"); strings.HasPrefix(strings.TrimSpace(text), "{") || strings.HasPrefix(strings.TrimSpace(text), "[") {
			return openData([]byte(text), context)
		}
		return failedRecord(r, "data: text that is no JSON object")
	}
	return openData(data, context)
}

func openBase64(r ingest.Record, context map[string]string, room *ingest.GunzipBudget) []ingest.Record {
	text := strings.TrimRight(strings.TrimSpace(r.Text("data_base64")), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	body, err := encoding.DecodeString(text)
	if err != nil {
		return failedRecord(r, "data_base64: %w", err)
	}
	if body, err = room.Gunzip(body); err != nil {
		return []ingest.Record{{Raw: r.Raw, Err: fault.Errorf(fault.Of(err), "data_base64: %w", err)}}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return failedRecord(r, "data_base64: empty")
	}
	return openData(body, context)
}

// openData splits an event's data into records: one alert, or several.
func openData(data jsontext.Value, context map[string]string) []ingest.Record {
	var out []ingest.Record
	for _, v := range ingest.SplitValues(data) {
		for _, r := range ingest.SplitArray(v) {
			if r.Context = context; r.Err == nil {
				r.Ignored = controlReason(r)
			}
			out = append(out, r)
		}
	}
	return out
}

// controlReason is why a record is a control message (a confirmation, a ping) and no alert; "" for an alert. No
// address in it is fetched: an operator confirms a subscription, not whoever can post here.
func controlReason(r ingest.Record) string {
	switch kind := r.Text("Type"); {
	case r.Has("SubscribeURL") && (kind == "SubscriptionConfirmation" || kind == "UnsubscribeConfirmation"):
		return "an SNS " + kind + "; its address is never followed"
	case r.Raw.Kind() == '{' && len(r.Fields) == 0:
		return "an empty object"
	case len(r.Fields) <= 2 && r.Has("challenge"), len(r.Fields) <= 2 && r.Has("ping"), len(r.Fields) <= 2 && r.Has("validationToken"):
		return "a connection test"
	case len(r.Fields) <= 3 && (strings.EqualFold(r.Text("type"), "heartbeat") || strings.EqualFold(r.Text("type"), "ping")):
		return "a heartbeat"
	}
	return ""
}

func failedRecord(r ingest.Record, format string, args ...any) []ingest.Record {
	return []ingest.Record{{Raw: r.Raw, Err: fault.Errorf(fault.Invalid, format, args...)}}
}
