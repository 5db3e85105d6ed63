package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// problem is an error as the Graph words it (unified-api reference, 3.4).
type problem struct {
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Target  string    `json:"target,omitzero"`
	Details *[]detail `json:"details,omitzero"`
	Inner   inner     `json:"innerError"`
}

type detail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitzero"`
}

type inner struct {
	Date            string `json:"date"` // UTC, without zone
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// errorBody is what every failed request is answered with.
type errorBody struct {
	Error problem `json:"error"`
}

const problemDate = "2006-01-02T15:04:05"

// failure is an error with its HTTP status and words.
type failure struct {
	status int
	problem
	cause error // for the log; nil when the client alone is to blame
	wait  time.Duration
}

func (f *failure) Error() string { return f.Message }

func fail(status int, code, message string) *failure {
	return &failure{status: status, problem: problem{Code: code, Message: message}}
}

// overTop is the Graph's answer to too large a $top: its code is empty and its details an empty list.
func overTop(most, got string) *failure {
	f := fail(http.StatusBadRequest, "", "The query specified in the URI is not valid. The limit of '"+most+
		"' for Top query has been exceeded. The value from the incoming request is '"+got+"'.")
	f.Details = &[]detail{}
	return f
}

// tooMany asks a principal to wait; the header says how long, in whole seconds.
func tooMany(wait time.Duration) *failure {
	f := fail(http.StatusTooManyRequests, "activityLimitReached", "Too many requests. Wait as long as Retry-After says.")
	f.wait = wait
	return f
}

var byKind = map[fault.Kind]struct {
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
	k, ok := byKind[fault.Of(err)]
	if !ok {
		f := fail(http.StatusServiceUnavailable, "serviceNotAvailable", "The service is temporarily unavailable. Try again.")
		f.cause = err
		return f
	}
	out := fail(k.status, k.code, err.Error())
	var field *correlation.FieldError
	if errors.As(err, &field) {
		out.Target = field.Field
		out.Details = &[]detail{{Code: "invalidProperty", Message: field.Text, Target: field.Field}}
	}
	if errors.Is(err, correlation.ErrStale) {
		out.status, out.Code = http.StatusPreconditionFailed, "resourceModified"
	}
	var o *odata.Error
	if errors.As(err, &o) {
		out.Target = o.Option
		out.Details = &[]detail{{Code: "invalidQueryOption", Message: o.Message, Target: o.Option}}
	}
	return out
}

// with adds when, and to which request.
func (p problem) with(now time.Time, requestID, clientID string) problem {
	p.Inner = inner{now.UTC().Format(problemDate), requestID, clientID}
	return p
}
