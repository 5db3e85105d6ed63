// Package webhook exports to an address that takes one signed message for each record, as Standard Webhooks has it
// (standard-webhooks 1.0.0): the receiver drops repeats by webhook-id, which is the record's.
//
//	record ──▶ webhook-id, webhook-timestamp, webhook-signature ──POST──▶ 2xx: taken
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/fault"
)

// Target posts records one by one, in order.
type Target struct {
	URL string
	// Keys sign, each for itself: two while one replaces the other. ParseKey reads them.
	Keys   [][]byte
	Write  export.Encoder
	HTTP   *http.Client
	Now    func() time.Time
	Alerts int // how many alerts the encoder wants with an incident
}

// ParseKey reads a secret as Standard Webhooks writes it, "whsec_" and base64 of 24 to 64 bytes. Its error does not
// show it.
func ParseKey(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fault.Errorf(fault.Invalid, "a webhook's secret is whsec_ and base64 of 24 to 64 bytes")
	}
	return key, nil
}

// message is the body: Standard Webhooks' recommended members.
type message struct {
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      jsontext.Value `json:"data"`
}

// Encode implements export.Target.
func (t *Target) Encode(r export.Row) ([]byte, error) {
	data, err := t.Write(r)
	if err != nil || data == nil {
		return nil, err
	}
	data, err = json.Marshal(message{string(r.Kind) + ".changed", r.Updated.UTC(), data})
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode message: %w", err)
	}
	return data, nil
}

// Limits implements export.Target. The batch bounds only what is noted at once.
func (t *Target) Limits() export.Limits { return export.Limits{Records: 100, Alerts: t.Alerts} }

// Send implements export.Target.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	for i, r := range records {
		at := strconv.FormatInt(t.Now().Unix(), 10)
		h := http.Header{}
		h.Set("Content-Type", "application/json")
		h.Set("User-Agent", "onepane")
		h.Set("Webhook-Id", r.ID)
		h.Set("Webhook-Timestamp", at)
		h.Set("Webhook-Signature", t.signatures(r.ID, at, r.Data))
		if _, err := export.PostRequest(ctx, t.HTTP, t.URL, h, r.Data, t.Now); err != nil {
			return i, err
		}
	}
	return len(records), nil
}

// signatures lists the signatures of a message.
func (t *Target) signatures(id, at string, body []byte) string {
	var out []string
	for _, key := range t.Keys {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(id + "." + at + ".")) // never fails
		m.Write(body)
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	}
	return strings.Join(out, " ")
}
