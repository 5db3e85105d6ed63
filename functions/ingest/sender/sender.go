// Package sender verifies who signed a webhook, by the Standard Webhooks specification (github.com/standard-webhooks):
// the signature covers the delivery's id, its time and its body, so that none of them can be changed or used again.
//
//	POST /api/ingest/webhook?source=acme-edr
//	webhook-id: msg_1                                     seen within the tolerance? answered, not taken again
//	webhook-timestamp: 1772582400                         at most 5 minutes from now
//	webhook-signature: v1,<HMAC-SHA256> v1a,<Ed25519>     of "msg_1.1772582400.<body>", by one of the source's secrets
//
// The body is signed as it is sent, compressed if it is. A source belongs to one tenant.
//
// Each process remembers its own deliveries. Where several share the traffic, a repeated delivery may reach another
// process within those 5 minutes and is taken once more. That changes nothing: an alert's id follows from what is
// delivered, and a known report is dropped. To remember deliveries everywhere would be a write to the store and back
// before each answer, into one partition for all senders: more than the alert itself costs.
package sender

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
)

// Source is a sender that signs.
type Source struct {
	Name    string
	Tenant  string
	Routes  []string // that it may deliver to
	Secrets []Secret // any of them may sign: two while one replaces the other
}

// Verifier verifies deliveries of its sources. It is safe for concurrent use; each process remembers its own
// deliveries.
type Verifier struct {
	Sources []Source
	Now     func() time.Time

	seen deliveryMemory
}

// Tolerance is how far a delivery's time may be from now, either way.
const Tolerance = 5 * time.Minute

// IsSigned reports whether a request says that it is signed.
func IsSigned(h http.Header) bool { return len(h.Values("Webhook-Signature")) > 0 }

// Sender is ingest.HTTP's Sender for a signed request. Malformed headers and a timestamp outside Tolerance are
// fault.Invalid; an unknown source fails with the body's check like a wrong signature, so that nobody can probe for
// sources.
func (v *Verifier) Sender(r *http.Request, route string) (ingest.Sender, error) {
	s, known := v.findSource(r, route)
	d, err := readHeaders(r.Header)
	if err != nil {
		return ingest.Sender{}, err
	}
	if off := v.Now().Sub(d.sent); off > Tolerance || off < -Tolerance {
		return ingest.Sender{}, fault.Errorf(fault.Invalid, "webhook-timestamp is more than %v from now", Tolerance)
	}
	return ingest.Sender{Tenant: s.Tenant, Source: s.Name, Check: func(body []byte) (func(bool), error) {
		if !known || !s.hasSigned(d, body) {
			return nil, fault.Errorf(fault.Invalid, "no source of this name has signed the delivery so")
		}
		return v.seen.beginDelivery(s.Name, d.id, v.Now())
	}}, nil
}

// findSource is the source that the query names, or the only one of the route.
func (v *Verifier) findSource(r *http.Request, route string) (Source, bool) {
	names := r.URL.Query()["source"]
	var found []Source
	for _, s := range v.Sources {
		if slices.Contains(s.Routes, route) && (len(names) == 0 || len(names) == 1 && names[0] == s.Name) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return Source{}, false
	}
	return found[0], true
}

// delivery is what the headers of a signed request say.
type delivery struct {
	id         string
	sent       time.Time
	stamp      string // sent, as signed
	signatures []string
}

// The bounds of the headers.
const (
	maxID         = 200 // bytes
	maxSignatures = 16
)

// readHeaders reads the signature's headers. Each must be there once: of two, another reader might take the other.
func readHeaders(h http.Header) (delivery, error) {
	var d delivery
	var text string
	for name, to := range map[string]*string{"Webhook-Id": &d.id, "Webhook-Timestamp": &d.stamp, "Webhook-Signature": &text} {
		values := h.Values(name)
		if len(values) != 1 || values[0] == "" {
			return d, fault.Errorf(fault.Invalid, "a signed delivery has one header %s", strings.ToLower(name))
		}
		*to = values[0]
	}
	// A full stop in the id would let the same signed bytes be read as another id, time and body.
	if len(d.id) > maxID || strings.ContainsFunc(d.id, func(c rune) bool { return c <= ' ' || c > '~' || c == '.' }) {
		return d, fault.Errorf(fault.Invalid, "webhook-id is not up to %d printable characters without a full stop", maxID)
	}
	seconds, err := strconv.ParseUint(d.stamp, 10, 40)
	if err != nil || d.stamp != strconv.FormatUint(seconds, 10) {
		return d, fault.Errorf(fault.Invalid, "webhook-timestamp is not in seconds since 1970")
	}
	d.sent = time.Unix(int64(seconds), 0)
	if d.signatures = strings.Fields(text); len(d.signatures) > maxSignatures {
		return d, fault.Errorf(fault.Invalid, "webhook-signature has more than %d signatures", maxSignatures)
	}
	return d, nil
}

// hasSigned reports whether one of the source's secrets made one of the signatures.
func (s Source) hasSigned(d delivery, body []byte) bool {
	for _, secret := range s.Secrets {
		for _, signature := range d.signatures {
			version, value, _ := strings.Cut(signature, ",")
			if version == secret.signatureVersion() && secret.hasMade(value, d.id, d.stamp, body) {
				return true
			}
		}
	}
	return false
}
