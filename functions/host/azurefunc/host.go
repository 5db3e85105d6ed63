// Package azurefunc feeds functions from Azure Functions, as its custom handler: the Functions host posts each
// trigger's invocation to it. Its answer is a status alone, which is all that the protocol has.
//
//	POST /<function> {Data, Metadata} ─▶ ServiceBus │ EventHub │ Timer ─▶ function
//	       2xx with a JSON body: completed ◀─ done, or in quarantine ────────┘
//	       any other: offered again        ◀─ any other error
//	any other request (forwarded) ─────────▶ HTTP
//
// The Functions host completes or abandons a batch as a whole. So repeating must be safe, and an event that can never
// be processed goes to quarantine through the app's own publisher. Event Hubs are offered again only where
// function.json has a retry policy.
package azurefunc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// App is one function app. Serve runs it.
type App struct {
	Functions map[string]Function // by the name of the folder with its function.json
	HTTP      http.Handler        // requests that HTTP triggers forward; nil answers 404
	// Limit is how long an invocation or request may take; 225 s when zero. It must stay below the queue's lock
	// duration (5 minutes), since the Functions host does not renew the session lock of a batch, and below the 230 s
	// of Azure's front end.
	Limit time.Duration
	Log   *slog.Logger
}

// Function handles one trigger's invocations. nil completes the messages of an invocation; an error offers them again.
type Function interface {
	Invoke(ctx context.Context, in Invocation) error
}

// Invocation is one invocation as the Functions host posts it, its values in the host's encoding.
type Invocation struct {
	Data     map[string]jsontext.Value `json:"Data"`
	Metadata map[string]jsontext.Value `json:"Metadata"`
}

// Publisher puts events on a queue, durably.
type Publisher interface {
	Publish(ctx context.Context, evs ...cloudevent.Event) error
}

const (
	defaultLimit = 225 * time.Second
	// maxEnvelope is the largest invocation, in bytes: a batch of 100 messages of 256 KB, twice encoded. A larger one
	// is refused, and its messages end in the queue's own dead letters.
	maxEnvelope = 100 << 20
)

// invocationHeader is of the Functions host's own requests.
const invocationHeader = "X-Azure-Functions-InvocationId"

// forwardHeaders are of requests that came to the Functions host from outside.
var forwardHeaders = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-Url", "Forwarded", "Disguised-Host"}

// ServeHTTP routes an invocation to its function, any other request to HTTP.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch fn := a.Functions[name]; {
	case fn != nil && isInvocation(r):
		a.invokeFunction(w, r, name, fn)
	case a.HTTP != nil:
		attempt.Guard(a.Log, a.timeLimit(), a.HTTP).ServeHTTP(w, r)
	default:
		writeAnswer(w, http.StatusNotFound, "no such function")
	}
}

// isInvocation reports whether the Functions host itself sent a request. A catch-all HTTP route forwards any path
// from outside, and must not reach a trigger; the front end adds its headers to such requests, and their sender
// cannot remove them.
func isInvocation(r *http.Request) bool {
	if r.Method != http.MethodPost || r.Header.Get(invocationHeader) == "" {
		return false
	}
	for _, name := range forwardHeaders {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return true
}

func (a *App) invokeFunction(w http.ResponseWriter, r *http.Request, name string, fn Function) {
	ctx, cancel := context.WithTimeout(r.Context(), a.timeLimit())
	defer cancel()
	ctx = logs.With(ctx, slog.String("function", name), slog.String("invocation", r.Header.Get(invocationHeader)))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEnvelope))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		a.answerFailure(ctx, w, http.StatusRequestEntityTooLarge, err)
		return
	}
	var in Invocation
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		a.answerFailure(ctx, w, http.StatusBadRequest, err)
		return
	}
	if err := attempt.Run(ctx, a.Log, func(ctx context.Context) error { return fn.Invoke(ctx, in) }); err != nil {
		a.answerFailure(ctx, w, http.StatusInternalServerError, err)
		return
	}
	writeAnswer(w, http.StatusOK, "")
}

func (a *App) timeLimit() time.Duration {
	if a.Limit == 0 {
		return defaultLimit
	}
	return a.Limit
}

// answerFailure logs an error and answers with its status: the Functions host offers the batch again.
func (a *App) answerFailure(ctx context.Context, w http.ResponseWriter, status int, err error) {
	a.Log.ErrorContext(ctx, "not completed", "status", status, "kind", fault.Of(err).String(), "reason", err)
	writeAnswer(w, status, "not completed, see the handler's log")
}

// writeAnswer writes an answer with a body that the Functions host can read: with an empty one, a 2xx would keep the
// invocation open until it times out.
func writeAnswer(w http.ResponseWriter, status int, line string) {
	lines := []string{}
	if line != "" {
		lines = append(lines, line)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, struct { // an error here can be told to nobody
		Outputs     map[string]string `json:"Outputs"`
		Logs        []string          `json:"Logs"`
		ReturnValue string            `json:"ReturnValue"`
	}{map[string]string{}, lines, ""})
}
