package ingest

import (
	"context"
	"errors"
	"net/http"

	"github.com/onepane/onepane/shared/fault"
)

// Sender is whose credential a delivery came with.
type Sender struct {
	Tenant string // whose all of the delivery is; "" leaves that to the account mapping
	Source string // the sender's name, for the log
	// Check verifies the body, as it came, where the credential signs it; nil when there is nothing to check. Nothing of a body
	// is used before it was checked. fault.Invalid is answered 401; ErrRepeated is a delivery that was taken before. Done tells
	// whether the delivery was taken.
	Check func(body []byte) (done func(taken bool), err error)
}

// ErrRepeated is the error of a Check that has met the delivery before. It is answered as taken, since a sender that did
// not hear the first answer would otherwise go on.
var ErrRepeated = errors.New("this delivery was taken before")

// errBeingTaken is why a repeated delivery must wait for the first.
var errBeingTaken = errors.New("this delivery is being taken just now")

// BeingTaken is the error of a Check for a delivery of which another copy is at hand: answered 503, to come again.
func BeingTaken() error { return errBeingTaken }

// unverifiedError is a body that its credential does not vouch for.
type unverifiedError struct{ error }

// refuseSender answers for a request whose sender is not known, may not deliver, or cannot be found out just now.
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

// identifySender finds out who sends.
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

// handleVerified hands a verified body on, and tells the sender's check what became of it.
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
