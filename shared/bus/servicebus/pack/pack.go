// Package pack is the content of a bus message: as many events of one session as fit, compressed. It knows no broker
// and no protocol, so that a function that only sends carries neither.
//
//	events ─Publish─▶ by session ─▶ ≤ 232 KB, zstd ──▶ send (HTTPS) or servicebus (AMQP)
//	                      └─ larger: Blobs, and a claim       │
//	events ◀────────────────────────── Decode ◀───────────────┘
//
// A message body is one CloudEvent in structured mode, or a JSON array of them; beyond minCompress bytes that is
// compressed by zstd, which takes three quarters of gzip's bytes and half its time on alerts. The first byte of a
// body says which of these it is, so Decode needs no properties. A custom handler of Azure Functions must bind the
// message with "dataType": "binary": the Functions host then passes base64, which Decode reads; as text it would be
// damaged.
package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

const (
	// MaxBody is the largest message body, in bytes. It leaves room beside it for properties, and for the reason that a
	// rejected event carries, in the 256 KB of the Standard tier.
	MaxBody = 232 << 10
	// maxEvents is the most events of a message, so that one lock covers a handful of handler calls at most.
	maxEvents = 500
	// maxDecoded is the most that a message may decompress to, in bytes.
	maxDecoded = 64 << 20
	// maxUncompressed is how many bytes of events are compressed together at most.
	maxUncompressed = 8 << 20
	// minCompress is the size in bytes below which compression saves nothing that is billed.
	minCompress = 4 << 10
)

// packEvents returns the messages for one session's events, in order. The same events make the same messages.
func packEvents(ctx context.Context, session string, evs []cloudevent.Event, limit int, blobs Putter) ([]Message, error) {
	texts := make([][]byte, len(evs))
	for i, e := range evs {
		var err error
		if texts[i], err = encodeEvent(e); err != nil {
			return nil, err
		}
	}
	var out []Message
	for from := 0; from < len(evs); {
		size, to := 0, from
		for to < len(evs) && to-from < maxEvents && (to == from || size+len(texts[to]) <= maxUncompressed) {
			size += len(texts[to])
			to++
		}
		ms, err := packToLimit(ctx, session, evs[from:to], texts[from:to], limit, blobs)
		if err != nil {
			return nil, err
		}
		out = append(out, ms...)
		from = to
	}
	return out, nil
}

// packToLimit packs events into one message, or in halves into more; one event that is too large alone goes to blobs.
func packToLimit(ctx context.Context, session string, evs []cloudevent.Event, texts [][]byte, limit int, blobs Putter) ([]Message, error) {
	body := joinEvents(texts)
	if len(body) > minCompress {
		body = zstdEncoder().EncodeAll(body, nil)
	}
	switch {
	case len(body) <= limit:
		return []Message{newMessage(session, evs, body)}, nil
	case len(evs) == 1:
		m, err := storeClaim(ctx, session, evs[0], body, blobs)
		return []Message{m}, err
	}
	half := len(evs) / 2
	first, err := packToLimit(ctx, session, evs[:half], texts[:half], limit, blobs)
	if err != nil {
		return nil, err
	}
	rest, err := packToLimit(ctx, session, evs[half:], texts[half:], limit, blobs)
	return append(first, rest...), err
}

// newMessage returns the message with a body that holds evs.
func newMessage(session string, evs []cloudevent.Event, body []byte) Message {
	m := Message{ID: messageID(session, evs), Session: session, ContentType: cloudevent.StructuredType, Events: len(evs), Body: body}
	if len(evs) > 1 {
		m.ContentType = cloudevent.BatchType
	}
	if body[0] == zstdMagic[0] {
		m.Encoding = "zstd"
	}
	return m
}

// messageID is a hash of the session and the events' ids, so that the queue drops the same message sent twice.
// Duplicate detection looks at all sessions at once, so the session is part of it.
func messageID(session string, evs []cloudevent.Event) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(session), session)
	for _, e := range evs {
		fmt.Fprintf(h, "%d:%s", len(e.ID), e.ID)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// encodeEvent returns e in structured mode, its data byte for byte as it is.
func encodeEvent(e cloudevent.Event) ([]byte, error) {
	data := e.Data
	if data == nil {
		return e.MarshalJSON()
	}
	if !data.IsValid() {
		return nil, fault.Errorf(fault.Invalid, "event %s: data is not JSON", e.ID)
	}
	e.Data = jsontext.Value("null")
	b, err := e.MarshalJSON()
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode event %s: %w", e.ID, err)
	}
	head, ok := bytes.CutSuffix(b, []byte(`"data":null}`))
	if !ok {
		return nil, fmt.Errorf("encode event %s: data is not last", e.ID)
	}
	return append(append(append(head, `"data":`...), data...), '}'), nil
}

// joinEvents returns one event as it is, several as a JSON array.
func joinEvents(texts [][]byte) []byte {
	if len(texts) == 1 {
		return texts[0]
	}
	return append(append([]byte{'['}, bytes.Join(texts, []byte{','})...), ']')
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // only for options out of range
	}
	return e
})

// Blobs keeps events that are too large for a message. The bus removes no blob, since a message may be delivered more
// than once: let them expire later than the messages of queue and quarantine.
type Blobs interface {
	Putter
	Getter
}

// Putter stores what a claim stands for: all that a sender needs.
type Putter interface {
	// Put stores body under a name. The same name means the same body; storing it again is fine.
	Put(ctx context.Context, name string, body []byte) error
}

// Getter reads what a claim stands for: all that a receiver needs.
type Getter interface {
	// Get reads what was put; fault.NotFound when it is not there.
	Get(ctx context.Context, name string) ([]byte, error)
}

// claimType is the event that stands for one that is in blob storage.
const claimType = "io.onepane.bus.claim.v1"

// claimData says where an event is, and what its bytes must be.
type claimData struct {
	Blob   string `json:"blob"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
}

// storeClaim puts an event into blob storage and returns the message with the claim on it.
func storeClaim(ctx context.Context, session string, e cloudevent.Event, body []byte, blobs Putter) (Message, error) {
	if blobs == nil {
		return Message{}, fault.Errorf(fault.TooLarge, "event %s: %d bytes packed, and no blob storage is configured", e.ID, len(body))
	}
	sum, tenant := sha256.Sum256(body), sha256.Sum256([]byte(session))
	c := claimData{Blob: hex.EncodeToString(tenant[:8]) + "/" + hex.EncodeToString(sum[:]), SHA256: hex.EncodeToString(sum[:]), Size: len(body)}
	if err := blobs.Put(ctx, c.Blob, body); err != nil {
		return Message{}, fmt.Errorf("store event %s: %w", e.ID, err)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return Message{}, err
	}
	evs := []cloudevent.Event{{ID: e.ID, Source: e.Source, Type: claimType, Subject: e.Subject, Tenant: e.Tenant, Trace: e.Trace, Data: data}}
	text, err := encodeEvent(evs[0])
	if err != nil {
		return Message{}, err
	}
	return newMessage(session, evs, text), nil
}
