package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// graphError is an error as the Graph words it (unified-api reference, 3.4).
type graphError struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Target  string         `json:"target,omitzero"`
	Details *[]errorDetail `json:"details,omitzero"`
	Inner   innerError     `json:"innerError"`
}

type errorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitzero"`
}

type innerError struct {
	Date            string `json:"date"` // UTC, without zone
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// errorBody is what every failed request is answered with.
type errorBody struct {
	Error graphError `json:"error"`
}

const errorDateLayout = "2006-01-02T15:04:05"

// failure is an error with its HTTP status and words.
type failure struct {
	status int
	graphError
	cause error // for the log; nil when the client alone is to blame
	wait  time.Duration
}

func (f *failure) Error() string { return f.Message }

func newFailure(status int, code, message string) *failure {
	return &failure{status: status, graphError: graphError{Code: code, Message: message}}
}

// topExceeded is the Graph's answer to too large a $top: its code is empty and its details an empty list.
func topExceeded(most, got string) *failure {
	f := newFailure(http.StatusBadRequest, "", "The query specified in the URI is not valid. The limit of '"+most+
		"' for Top query has been exceeded. The value from the incoming request is '"+got+"'.")
	f.Details = &[]errorDetail{}
	return f
}

// tooManyRequests asks a principal to wait; the header says how long, in whole seconds.
func tooManyRequests(wait time.Duration) *failure {
	f := newFailure(http.StatusTooManyRequests, "activityLimitReached", "Too many requests. Wait as long as Retry-After says.")
	f.wait = wait
	return f
}

var statusByKind = map[fault.Kind]struct {
	status int
	code   string
}{
	fault.Invalid:      {http.StatusBadRequest, "invalidRequest"},
	fault.TooLarge:     {http.StatusRequestEntityTooLarge, "invalidRequest"},
	fault.Precondition: {http.StatusConflict, "notAllowed"},
	fault.NotFound:     {http.StatusNotFound, "itemNotFound"},
	fault.Conflict:     {http.StatusConflict, "resourceModified"},
	fault.Denied:       {http.StatusForbidden, "accessDenied"},
	fault.Exhausted:    {http.StatusInsufficientStorage, "quotaLimitReached"},
}

// failureOf reads what err says to a client. What nobody classified is passing trouble: 503, without its inner words.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	k, ok := statusByKind[fault.Of(err)]
	if !ok {
		f := newFailure(http.StatusServiceUnavailable, "serviceNotAvailable", "The service is temporarily unavailable. Try again.")
		f.cause = err
		return f
	}
	out := newFailure(k.status, k.code, err.Error())
	var field *correlation.FieldError
	if errors.As(err, &field) {
		out.Target = field.Field
		out.Details = &[]errorDetail{{Code: "invalidProperty", Message: field.Text, Target: field.Field}}
	}
	if errors.Is(err, correlation.ErrStale) {
		out.status, out.Code = http.StatusPreconditionFailed, "resourceModified"
	}
	var o *odata.Error
	if errors.As(err, &o) {
		out.Target = o.Option
		out.Details = &[]errorDetail{{Code: "invalidQueryOption", Message: o.Message, Target: o.Option}}
	}
	return out
}

// withRequest adds when, and to which request.
func (p graphError) withRequest(now time.Time, requestID, clientID string) graphError {
	p.Inner = innerError{now.UTC().Format(errorDateLayout), requestID, clientID}
	return p
}
