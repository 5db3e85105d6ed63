package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Decode returns the events of one message body, however it comes: the bytes that Publish sent, or what the Azure
// Functions host makes of them (base64, a JSON string of that, an array of bodies). blobs redeems claims; nil refuses
// them. A body that can never be read is fault.Invalid, a blob storage that does not answer fault.Unavailable.
func Decode(ctx context.Context, body []byte, blobs Getter) ([]cloudevent.Event, error) {
	d := decoder{blobs: blobs}
	evs, err := d.decodeBody(ctx, body, 0)
	if err == nil && len(evs) == 0 {
		err = fault.Errorf(fault.Invalid, "message holds no event")
	}
	return evs, err
}

// maxLayers is how deep bodies are wrapped at most: array, string, string, base64, zstd, claim, zstd, array, event.
const maxLayers = 10

type decoder struct {
	blobs   Getter
	decoded int // bytes, of all layers together
}

func (d *decoder) decodeBody(ctx context.Context, body []byte, layer int) ([]cloudevent.Event, error) {
	if !bytes.HasPrefix(body, zstdMagic) {
		body = bytes.TrimSpace(body)
	}
	if d.decoded += len(body); layer > maxLayers || d.decoded > 4*maxDecoded {
		return nil, fault.Errorf(fault.Invalid, "message is wrapped too deep or too large")
	}
	switch {
	case len(body) == 0:
		return nil, fault.Errorf(fault.Invalid, "message is empty")
	case bytes.HasPrefix(body, zstdMagic):
		b, err := zstdDecoder().DecodeAll(body, nil)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "decompress message: %w", err)
		}
		return d.decodeBody(ctx, b, layer+1)
	case body[0] == '{':
		return d.decodeEvent(ctx, body, layer)
	case body[0] == '[':
		return d.decodeArray(ctx, body, layer)
	case body[0] == '"':
		var s string
		if err := json.Unmarshal(body, &s); err != nil {
			return nil, fault.Errorf(fault.Invalid, "decode message: %w", err)
		}
		return d.decodeBody(ctx, []byte(s), layer+1)
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(b, body)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "message is neither CloudEvents, zstd nor base64")
	}
	return d.decodeBody(ctx, b[:n], layer+1)
}

func (d *decoder) decodeArray(ctx context.Context, body []byte, layer int) ([]cloudevent.Event, error) {
	var parts []jsontext.Value
	if err := json.Unmarshal(body, &parts); err != nil {
		return nil, fault.Errorf(fault.Invalid, "decode message: %w", err)
	}
	var out []cloudevent.Event
	for _, p := range parts {
		evs, err := d.decodeBody(ctx, p, layer+1)
		if err != nil {
			return nil, err
		}
		out = append(out, evs...)
	}
	return out, nil
}

func (d *decoder) decodeEvent(ctx context.Context, body []byte, layer int) ([]cloudevent.Event, error) {
	var e cloudevent.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fault.Errorf(fault.Invalid, "decode message: %w", err)
	}
	if e.Type != claimType {
		return []cloudevent.Event{e}, nil
	}
	return d.redeemClaim(ctx, e, layer)
}

// redeemClaim reads the event that a claim stands for.
func (d *decoder) redeemClaim(ctx context.Context, e cloudevent.Event, layer int) ([]cloudevent.Event, error) {
	var c claimData
	if err := json.Unmarshal(e.Data, &c); err != nil || c.Blob == "" {
		return nil, fault.Errorf(fault.Invalid, "decode claim %s: %w", e.ID, err)
	}
	if d.blobs == nil {
		return nil, fault.Errorf(fault.Invalid, "claim %s: no blob storage is configured", e.ID)
	}
	body, err := d.blobs.Get(ctx, c.Blob)
	if fault.Of(err) == fault.NotFound {
		return nil, fault.Errorf(fault.Invalid, "claim %s: its blob is gone: %w", e.ID, err)
	}
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "redeem claim %s: %w", e.ID, err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != c.SHA256 {
		return nil, fault.Errorf(fault.Invalid, "claim %s: its blob holds something else", e.ID)
	}
	b := d.blobs
	d.blobs = nil // a claim in a blob would lead anywhere
	evs, err := d.decodeBody(ctx, body, layer+1)
	d.blobs = b
	return evs, err
}

// decompressor is made when first needed. It is no sync.OnceValue: the function that a package variable is made of is
// linked into every binary, and a sender needs none.
var decompressor struct {
	sync.Once
	*zstd.Decoder
}

func zstdDecoder() *zstd.Decoder {
	decompressor.Do(func() {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxDecoded))
		if err != nil {
			panic(err) // only for options out of range
		}
		decompressor.Decoder = d
	})
	return decompressor.Decoder
}
