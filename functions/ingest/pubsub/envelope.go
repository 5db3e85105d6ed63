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
	room  *ingest.Room
}

// less is what is left within one more wrapper.
func (l limits) less() limits { return limits{l.wraps - 1, l.room} }

// Open returns a record per finding. Data that is no base64, gzip or JSON is the error of its own record.
func (Envelope) Open(d ingest.Delivery) ([]ingest.Record, error) {
	context := map[string]string{}
	for _, name := range []string{"ce-id", "ce-source", "ce-type", "ce-time"} {
		if v := d.Header(name); v != "" {
			context[name] = v
		}
	}
	return unwrapAll(ingest.Values(d.Body), context, limits{maxWraps, ingest.NewRoom()}), nil
}

func unwrapAll(records []ingest.Record, context map[string]string, left limits) []ingest.Record {
	var out []ingest.Record
	for _, r := range records {
		if r.Err == nil {
			r.Context = context
		}
		out = append(out, unwrap(r, left)...)
	}
	return out
}

// unwrap takes one wrapper off and goes on with what was inside.
func unwrap(r ingest.Record, left limits) []ingest.Record {
	switch {
	case r.Err != nil:
		return []ingest.Record{r}
	case left.wraps == 0:
		return failed(r, "wrapped more than %d times", maxWraps)
	case r.Raw.Kind() == '[':
		return list(r, r.Raw, "the delivery is an empty array", left)
	case r.Has("receivedMessages"):
		return list(r, r.Field("receivedMessages"), "a pull without messages", left)
	case r.Has("listFindingsResults"):
		return list(r, r.Field("listFindingsResults"), "a page without findings", left)
	case r.Field("findings").Kind() == '[':
		return list(r, r.Field("findings"), "a page without findings", left)
	case r.Has("specversion"):
		return cloudEvent(r, left)
	case r.Field("message").Kind() == '{':
		return message(r, ingest.NewRecord(r.Field("message"), with(r.Context, "subscription", r.Text("subscription"))), left)
	case isMessage(r):
		return message(r, r, left)
	case isEmptyPage(r):
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Ignored: "a page without findings"}}
	}
	return []ingest.Record{r}
}

// list goes on into an array; an empty one is nothing to complain about.
func list(r ingest.Record, array jsontext.Value, none string, left limits) []ingest.Record {
	if array.Kind() != '[' {
		return failed(r, "%s where an array was expected", array.Kind())
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
		out = append(out, unwrap(ingest.NewRecord(e, r.Context), left.less())...)
	}
	return out
}

// cloudEvent opens a structured event: a Pub/Sub message, or data of any other shape this envelope knows.
func cloudEvent(r ingest.Record, left limits) []ingest.Record {
	if v := r.Text("specversion"); !strings.HasPrefix(v, "1.") {
		return failed(r, "specversion: %q is not 1.0", v)
	}
	context := r.Context
	for _, name := range []string{"id", "source", "type", "time"} {
		context = with(context, "ce-"+name, r.Text(name))
	}
	if b64 := r.Text("data_base64"); b64 != "" {
		return decoded(r, "data_base64", b64, context, left)
	}
	data := r.Field("data")
	if data == nil {
		return failed(r, "data: missing")
	}
	return unwrap(ingest.NewRecord(data, context), left.less())
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

// message opens a Pub/Sub message m. What cannot be opened is kept whole, as it came in r.
func message(r, m ingest.Record, left limits) []ingest.Record {
	context := m.Context
	for _, f := range []struct{ name, camel, snake string }{{"message-id", "messageId", "message_id"}, {"publish-time", "publishTime", "publish_time"}} {
		context = with(with(context, f.name, m.Text(f.snake)), f.name, m.Text(f.camel))
	}
	data := m.Field("data")
	switch data.Kind() {
	case '"':
		return decoded(r, "message.data", m.Text("data"), context, left)
	case '{', '[': // pulled with a schema, or decoded on the way
		return unwrap(ingest.NewRecord(data, context), left.less())
	}
	return failed(r, "message.data: missing")
}

// decoded goes on with base64 text, which may hold gzip.
func decoded(r ingest.Record, field, text string, context map[string]string, left limits) []ingest.Record {
	body, err := decode(text)
	if err != nil {
		return failed(r, "%s: %w", field, err)
	}
	if body, err = left.room.Gunzip(body); err != nil {
		return []ingest.Record{{Raw: r.Raw, Context: r.Context, Err: fault.Errorf(fault.Of(err), "%s: %w", field, err)}}
	}
	inner := ingest.Values(body)
	if len(inner) == 0 {
		return failed(r, "%s: empty", field)
	}
	return unwrapAll(inner, context, left.less())
}

// decode reads base64 in either alphabet, with or without padding.
func decode(text string) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	return encoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
}

// with returns context with one more entry; an empty value changes nothing. Records share contexts, so it copies.
func with(context map[string]string, name, value string) map[string]string {
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

func failed(r ingest.Record, format string, args ...any) []ingest.Record {
	return []ingest.Record{{Raw: r.Raw, Context: r.Context, Err: fault.Errorf(fault.Invalid, format, args...)}}
}
