// Package pubsub opens what Google Cloud delivers on the route gcp: Pub/Sub messages pushed or pulled, CloudEvents
// around them, pages of the Security Command Center API, and bare findings. It reads no finding itself.
//
//	push, pull, CloudEvent ─message─▶ base64 ─▶ gzip? ─▶ JSON ─┐
//	list page, array, NDJSON ────────────────────────────────▶ ├─▶ one Record per finding
//	notification, finding, incident ─────────────────────────▶ ┘
package pubsub

import (
	"encoding/base64"
	"maps"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Envelope opens deliveries of the route gcp. Records carry in Context what the wrappers say: "message-id",
// "publish-time", "subscription", and of a CloudEvent "ce-id", "ce-source", "ce-type", "ce-time".
type Envelope struct{}

// maxWraps bounds wrappers in wrappers. A CloudEvent around a push around a page is three.
const maxWraps = 8

// limits are what may still be unwrapped.
type limits struct {
	wraps int
	room  *ingest.GunzipBudget
}

// lessOneWrapper is what is left within one more wrapper.
func (l limits) lessOneWrapper() limits { return limits{l.wraps - 1, l.room} }

// Open returns a record per finding. Data that is no base64, gzip or JSON is the error of its own record.
func (Envelope) Open(d ingest.Delivery) ([]ingest.Record, error) {
	context := map[string]string{}
	for _, name := range []string{"ce-id", "ce-source", "ce-type", "ce-time"} {
		if v := d.Header(name); v != "" {
			context[name] = v
		}
	}
	return unwrapAll(ingest.SplitValues(d.Body), context, limits{maxWraps, ingest.NewGunzipBudget()}), nil
}

func unwrapAll(records []ingest.Record, context map[string]string, left limits) []ingest.Record {
	var out []ingest.Record
	for _, r := range records {
		if r.Err == nil {
			r.Context = context
		}
		out = append(out, unwrapRecord(r, left)...)
	}
	return out
}

// unwrapRecord takes one wrapper off and goes on with what was inside.
func unwrapRecord(r ingest.Record, left limits) []ingest.Record {
	switch {
	case r.Err != nil:
		return []ingest.Record{r}
	case left.wraps == 0:
		return failedRecord(r, "wrapped more than %d times", maxWraps)
	case r.Raw.Kind() == '[':
		return unwrapList(r, r.Raw, "the delivery is an empty array", left)
	case r.Has("receivedMessages"):
		return unwrapList(r, r.Field("receivedMessages"), "a pull without messages", left)
	case r.Has("listFindingsResults"):
		return unwrapList(r, r.Field("listFindingsResults"), "a page without findings", left)
	case r.Field("findings").Kind() == '[':
		return unwrapList(r, r.Field("findings"), "a page without findings", left)
	case r.Has("specversion"):
		return openCloudEvent(r, left)
	case r.Field("message").Kind() == '{':
		return openMessage(r, ingest.NewRecord(r.Field("message"), withEntry(r.Context, "subscription", r.Text("subscription"))), left)
	case isMessage(r):
		return openMessage(r, r, left)
	case isEmptyPage(r):
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Ignored: "a page without findings"}}
	}
	return []ingest.Record{r}
}

// unwrapList goes on into an array; an empty one is nothing to complain about.
func unwrapList(r ingest.Record, array jsontext.Value, none string, left limits) []ingest.Record {
	if array.Kind() != '[' {
		return failedRecord(r, "%s where an array was expected", array.Kind())
	}
	elements, err := ingest.Elements(array)
	if err != nil {
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Err: err}}
	}
	if len(elements) == 0 {
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Ignored: none}}
	}
	var out []ingest.Record
	for _, e := range elements {
		out = append(out, unwrapRecord(ingest.NewRecord(e, r.Context), left.lessOneWrapper())...)
	}
	return out
}

// openCloudEvent opens a structured event: a Pub/Sub message, or data of any other shape this envelope knows.
func openCloudEvent(r ingest.Record, left limits) []ingest.Record {
	if v := r.Text("specversion"); !strings.HasPrefix(v, "1.") {
		return failedRecord(r, "specversion: %q is not 1.0", v)
	}
	context := r.Context
	for _, name := range []string{"id", "source", "type", "time"} {
		context = withEntry(context, "ce-"+name, r.Text(name))
	}
	if b64 := r.Text("data_base64"); b64 != "" {
		return openBase64(r, "data_base64", b64, context, left)
	}
	data := r.Field("data")
	if data == nil {
		return failedRecord(r, "data: missing")
	}
	return unwrapRecord(ingest.NewRecord(data, context), left.lessOneWrapper())
}

// isMessage recognizes a Pub/Sub message that lost its "message": a background function's, or one saved from a pull.
func isMessage(r ingest.Record) bool {
	if r.Field("data").Kind() != '"' {
		return false
	}
	for _, name := range []string{"messageId", "message_id", "publishTime", "publish_time", "@type", "attributes"} {
		if r.Has(name) {
			return true
		}
	}
	return len(r.Fields) == 1
}

func isEmptyPage(r ingest.Record) bool {
	return r.Raw.Kind() == '{' && (len(r.Fields) == 0 || !r.Has("finding") && !r.Has("name") && (r.Has("readTime") || r.Has("nextPageToken") || r.Has("totalSize")))
}

// openMessage opens a Pub/Sub message m. What cannot be opened is kept whole, as it came in r.
func openMessage(r, m ingest.Record, left limits) []ingest.Record {
	context := m.Context
	for _, f := range []struct{ name, camel, snake string }{{"message-id", "messageId", "message_id"}, {"publish-time", "publishTime", "publish_time"}} {
		context = withEntry(withEntry(context, f.name, m.Text(f.snake)), f.name, m.Text(f.camel))
	}
	data := m.Field("data")
	switch data.Kind() {
	case '"':
		return openBase64(r, "message.data", m.Text("data"), context, left)
	case '{', '[': // pulled with a schema, or decoded on the way
		return unwrapRecord(ingest.NewRecord(data, context), left.lessOneWrapper())
	}
	return failedRecord(r, "message.data: missing")
}

// openBase64 goes on with base64 text, which may hold gzip.
func openBase64(r ingest.Record, field, text string, context map[string]string, left limits) []ingest.Record {
	body, err := decodeBase64(text)
	if err != nil {
		return failedRecord(r, "%s: %w", field, err)
	}
	if body, err = left.room.Gunzip(body); err != nil {
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Err: fault.Errorf(fault.Of(err), "%s: %w", field, err)}}
	}
	inner := ingest.SplitValues(body)
	if len(inner) == 0 {
		return failedRecord(r, "%s: empty", field)
	}
	return unwrapAll(inner, context, left.lessOneWrapper())
}

// decodeBase64 reads base64 in either alphabet, with or without padding.
func decodeBase64(text string) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	return encoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
}

// withEntry returns context with one more entry; an empty value changes nothing. Records share contexts, so it copies.
func withEntry(context map[string]string, name, value string) map[string]string {
	if value == "" {
		return context
	}
	out := maps.Clone(context)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

func failedRecord(r ingest.Record, format string, args ...any) []ingest.Record {
	return []ingest.Record{{Raw: r.Raw, Context: r.Context, Err: fault.Errorf(fault.Invalid, format, args...)}}
}
