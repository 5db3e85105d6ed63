package ingest

import (
	"context"
	"errors"
	"net/http"

	"github.com/onepane/onepane/shared/fault"
)

// Sender is who sent a delivery, by the request's credential.
type Sender struct {
	Tenant string // that owns the whole delivery; "" leaves that to the account mapping
	Source string // the sender's name, for the log
	// Check verifies the body, as it was sent, where the credential signs it; nil when there is nothing to verify.
	// Nothing of a body is used before. fault.Invalid is answered 401, ErrRepeated as accepted, ErrInProgress 503.
	// The caller then reports through done whether the delivery was accepted.
	Check func(body []byte) (done func(taken bool), err error)
}

// ErrRepeated is the error of a Check for a delivery that was accepted before. It is answered as accepted, since a
// sender that missed the first answer would otherwise go on sending.
var ErrRepeated = errors.New("this delivery was taken before")

// ErrInProgress is the error of a Check for a delivery of which another copy is being handled: answered 503, to come
// again.
var ErrInProgress = errors.New("this delivery is being taken just now")

// unverifiedError is the error of a body whose signature is wrong.
type unverifiedError struct{ error }

// refuseSender answers for a request whose sender is unknown (401), may not deliver (403), or cannot be determined
// just now (503).
func (h *HTTP) refuseSender(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case h.Sender != nil && fault.Of(err) == fault.Denied:
		h.Refuse(w, r, http.StatusForbidden, "accessDenied", err.Error())
	case fault.Of(err) == fault.Unavailable:
		w.Header().Set("Retry-After", "5")
		h.Refuse(w, r, http.StatusServiceUnavailable, "serviceNotAvailable", "whoever knows the senders does not answer, send it again")
	default:
		w.Header().Set("WWW-Authenticate", "Bearer")
		h.Refuse(w, r, http.StatusUnauthorized, "unauthenticated", err.Error())
	}
}

// identifySender is the sender of a request, by h.Sender, else h.Bind.
func (h *HTTP) identifySender(r *http.Request, route string) (Sender, error) {
	if h.Sender != nil {
		return h.Sender(r, route)
	}
	if h.Bind == nil {
		return Sender{}, nil
	}
	tenant, err := h.Bind(r, route)
	return Sender{Tenant: tenant}, err
}

// handleVerified calls handle once the body is verified, and reports to the check whether the delivery was accepted.
func (s Sender) handleVerified(ctx context.Context, fn *Function, body []byte, handle func() (Receipt, error)) (receipt Receipt, err error) {
	if s.Check == nil {
		return handle()
	}
	done, err := s.Check(body)
	switch {
	case errors.Is(err, ErrRepeated):
		fn.loggerOrDiscard().InfoContext(ctx, "repeated delivery", "route", fn.Route, "source", s.Source)
		return Receipt{Accepted: []Accepted{}, Ignored: []Skipped{{Reason: err.Error()}}, Rejected: []Skipped{}}, nil
	case err != nil && fault.Of(err) == fault.Invalid:
		return Receipt{}, unverifiedError{err}
	case err != nil:
		return Receipt{}, err
	}
	taken := false // also when handle panics
	defer func() { done(taken) }()
	receipt, err = handle()
	taken = err == nil
	return receipt, err
}
