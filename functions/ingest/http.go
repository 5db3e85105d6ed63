package ingest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// HTTP serves POST /api/ingest/{route} for several functions.
type HTTP struct {
	Functions map[string]*Function // by route
	// Bind finds the tenant that the request's credential belongs to, "" when it says nothing. An error is answered
	// with 401 for fault.Denied. Nil binds nobody.
	Bind func(r *http.Request, route string) (tenant string, err error)
	// Sender finds who sends, instead of Bind where a credential may sign the body. An error is answered with 403 for
	// fault.Denied, 503 for fault.Unavailable and else 401.
	Sender func(r *http.Request, route string) (Sender, error)
	// Settle waits until what was accepted is correlated and fills in incident ids; nil answers at once.
	Settle func(ctx context.Context, accepted []Accepted) error
	// Refuse writes an error answer in the API's shape.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, code, message string)
	Now    func() time.Time

	inFlight atomic.Int64 // bytes
	large    sync.Mutex   // held by whoever handles a large body
}

// maxWait bounds Prefer: wait, in seconds.
const maxWait = 60

// ServeHTTP reads one delivery and answers with its receipt: 202 when anything of it was taken, 400 when nothing was,
// 405 when it is no POST, 413 when it is too large, 415 when its encoding is unknown, 503 when there is no room for
// it or nothing could be made durable just now.
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.PathValue("route")
	fn := h.Functions[strings.ToLower(route)]
	if fn == nil {
		h.Refuse(w, r, http.StatusNotFound, "itemNotFound", "no ingest route "+strconv.Quote(route)+": aws, azure, gcp and webhook exist")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.Refuse(w, r, http.StatusMethodNotAllowed, "notAllowed", "Method "+clipText(r.Method)+" is not allowed here; use POST.")
		return
	}
	sender, err := h.identifySender(r, fn.Route)
	if err != nil {
		h.refuseSender(w, r, err)
		return
	}
	if e := unknownEncoding(r.Header); e != "" {
		h.Refuse(w, r, http.StatusUnsupportedMediaType, "invalidRequest", "Content-Encoding: "+strconv.Quote(clipText(e))+" is not read; send gzip or none")
		return
	}
	d := Delivery{Headers: deliveryHeaders(r), Tenant: sender.Tenant, Received: h.Now(), Trace: r.Header.Get("Traceparent")}
	receipt, err := h.receiveBody(w, r, fn, d, sender)
	if err != nil {
		h.writeRefusal(w, r, err)
		return
	}
	if err := h.waitForCorrelation(r, &receipt); err != nil {
		fn.loggerOrDiscard().InfoContext(r.Context(), "answered before correlation", "route", route, "reason", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.MarshalWrite(w, receipt) // the sender is gone if this fails
}

// receiveBody reads the body, verifies it where the sender signs, and handles it.
func (h *HTTP) receiveBody(w http.ResponseWriter, r *http.Request, fn *Function, d Delivery, sender Sender) (Receipt, error) {
	s := &reservation{all: &h.inFlight}
	defer s.releaseBytes()
	body, err := readAll(http.MaxBytesReader(w, r.Body, MaxBody+1), r.ContentLength, s)
	d.Body = body
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) && sender.Check != nil: // unverified, so it is not quarantined
		return Receipt{}, tooLargeError()
	case errors.As(err, &large):
		return Receipt{}, fn.rejectDelivery(r.Context(), d, tooLargeError())
	case errors.Is(err, errBusy):
		s.releaseBytes()
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, MaxBody)) // a sender cut off in the middle would not see the answer
		return Receipt{}, err
	case err != nil:
		return Receipt{}, fault.Errorf(fault.Invalid, "body: %w", err)
	}
	return sender.handleVerified(r.Context(), fn, body, func() (Receipt, error) { return h.handleDecompressed(r, fn, d, s) })
}

// handleDecompressed decompresses a body and handles it; of bodies over largeBody, one at a time.
func (h *HTTP) handleDecompressed(r *http.Request, fn *Function, d Delivery, s *reservation) (Receipt, error) {
	plain, err := gunzipReserved(d.Body, s)
	if errors.Is(err, errBusy) {
		return Receipt{}, err
	}
	if err != nil {
		return Receipt{}, fn.rejectDelivery(r.Context(), d, err)
	}
	if d.Body = plain; len(plain) > largeBody {
		h.large.Lock()
		defer h.large.Unlock()
	}
	return fn.Handle(r.Context(), d)
}

// unknownEncoding is the first Content-Encoding that cannot be read, "" when there is none. A body is gzip if its first
// bytes say so: proxies take the compression off and leave the header, or the reverse.
func unknownEncoding(h http.Header) string {
	for _, line := range h.Values("Content-Encoding") {
		for e := range strings.SplitSeq(line, ",") {
			switch e = strings.TrimSpace(e); strings.ToLower(e) {
			case "", "identity", "gzip", "x-gzip":
			default:
				return e
			}
		}
	}
	return ""
}

// waitForCorrelation waits, as Prefer: wait=N asks, until the accepted alerts are correlated.
func (h *HTTP) waitForCorrelation(r *http.Request, receipt *Receipt) error {
	seconds := preferredWait(r.Header.Values("Prefer"))
	if seconds == 0 || h.Settle == nil || len(receipt.Accepted) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	return h.Settle(ctx, receipt.Accepted)
}

// preferredWait is N of "wait=N" (RFC 7240) in seconds, at most maxWait; 0 when there is none.
func preferredWait(values []string) int {
	for _, v := range values {
		for p := range strings.SplitSeq(v, ",") {
			name, n, _ := strings.Cut(strings.TrimSpace(p), "=")
			if s, err := strconv.Atoi(strings.Trim(n, `" `)); strings.EqualFold(name, "wait") && err == nil && s > 0 {
				return min(s, maxWait)
			}
		}
	}
	return 0
}

// deliveryHeaders are the request's headers that describe the body, by lower-case name.
func deliveryHeaders(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.Header {
		n := strings.ToLower(name)
		if n == "content-type" || strings.HasPrefix(n, "ce-") || strings.HasPrefix(n, "x-amz-sns-") {
			out[n] = values[0]
		}
	}
	return out
}

// writeRefusal answers for a delivery of which nothing was accepted, by the kind of err.
func (h *HTTP) writeRefusal(w http.ResponseWriter, r *http.Request, err error) {
	var u unverifiedError
	if errors.As(err, &u) {
		h.refuseSender(w, r, fault.Errorf(fault.Invalid, "%w", u.error))
		return
	}
	if errors.Is(err, errBusy) || errors.Is(err, ErrInProgress) {
		w.Header().Set("Retry-After", "1")
		h.Refuse(w, r, http.StatusServiceUnavailable, "serviceNotAvailable", err.Error())
		return
	}
	switch fault.Of(err) {
	case fault.Invalid, fault.Held:
		h.Refuse(w, r, http.StatusBadRequest, "invalidRequest", reasonOf(err))
	case fault.TooLarge:
		h.Refuse(w, r, http.StatusRequestEntityTooLarge, "invalidRequest", err.Error())
	case fault.Exhausted:
		h.Refuse(w, r, http.StatusInsufficientStorage, "quotaLimitReached", err.Error())
	default:
		w.Header().Set("Retry-After", "5")
		h.Refuse(w, r, http.StatusServiceUnavailable, "serviceNotAvailable", "the delivery could not be stored, send it again")
	}
}
