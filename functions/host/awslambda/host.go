// Package awslambda feeds functions from AWS Lambda's invocations, and answers as Lambda wants it. It reads no finding:
// the function's envelope does.
//
//	EventBridge, SNS, CloudWatch Logs ─▶ one delivery ────────▶ Ingest ─ error ─▶ Lambda retries, then dead letters
//	SQS batch ─▶ one delivery; if it fails, one a message ────▶ Ingest ─▶ batchItemFailures
//	function URL, API Gateway (payload 2.0) ─▶ *http.Request ─▶ HTTP   ─▶ its response
//
// Lambda runs one invocation at a time in a process, freezes the process between two and ends it without notice. So
// nothing is kept between invocations, and nothing is drained.
package awslambda

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// Host is one Lambda function. It implements lambda.Handler.
type Host struct {
	Ingest attempt.Ingest // events and messages
	HTTP   http.Handler   // requests to a function URL; nil refuses them
	Log    *slog.Logger
	Now    func() time.Time
}

// Start serves invocations until Lambda ends the process.
func Start(h *Host) { lambda.Start(h) }

// event is the members by which the shapes of invocations differ.
type event struct {
	ID      jsontext.Value   `json:"id"` // of EventBridge
	Records []jsontext.Value `json:"Records,case:strict"`
	Context struct {
		HTTP jsontext.Value `json:"http"`
	} `json:"requestContext"`
}

// Invoke handles one invocation. An error makes Lambda repeat an event that came without someone waiting, and then
// pass it to the function's on-failure destination.
func (h *Host) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = logs.With(ctx, slog.String("request", lc.AwsRequestID))
	}
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		e = event{} // delivered as it is: the function puts it into quarantine with the reason
	}
	if e.ID.Kind() == '"' {
		ctx = logs.With(ctx, slog.String("event", unquotedText(e.ID)))
	}
	switch {
	case e.Context.HTTP != nil:
		return h.serveRequest(ctx, payload)
	case len(e.Records) > 0:
		if ms, ok := readMessages(e.Records); ok {
			return h.deliverBatch(ctx, payload, ms)
		}
	}
	if err := h.deliverBody(ctx, payload); err != nil {
		return nil, err
	}
	return []byte("null"), nil
}

// deliverBody hands one delivery to the function. nil means that Lambda may forget it.
func (h *Host) deliverBody(ctx context.Context, body []byte) error {
	d := ingest.Delivery{Body: body, Headers: map[string]string{"content-type": "application/json"}, Received: h.Now()}
	if err := attempt.Deliver(ctx, h.Log, h.Ingest, d); err != nil {
		h.Log.ErrorContext(ctx, "not taken", "kind", fault.Of(err).String(), "reason", err)
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

// unquotedText returns the text of a JSON string, "" when it is none.
func unquotedText(v jsontext.Value) string {
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(s)
}
