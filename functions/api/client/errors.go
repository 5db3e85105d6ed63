package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
)

// Error is what the server refused, in its words.
type Error struct {
	Status    int // HTTP
	Code      string
	Message   string
	RequestID string
}

// Error is the server's message.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return e.Message
}

// Unreachable says that no server answered.
type Unreachable struct {
	URL string
	Err error
}

// Error names the server and what went wrong.
func (e *Unreachable) Error() string {
	cause := e.Err
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err // the address is already said
	}
	return fmt.Sprintf("cannot reach %s: %v", e.URL, cause)
}

// Unwrap gives the network's error.
func (e *Unreachable) Unwrap() error { return e.Err }

// parseError reads an error body; anything else than ours is told by its status.
func parseError(resp *http.Response, b []byte) error {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("request-id")}
	if json.Unmarshal(b, &body) == nil {
		e.Code, e.Message = body.Error.Code, body.Error.Message
	}
	return e
}
