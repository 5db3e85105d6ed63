// Package awslambda feeds functions what AWS Lambda is invoked with, and answers in Lambda's words. It opens no
// finding: what lies inside an event is the envelope's business.
//
//	EventBridge, SNS, CloudWatch Logs ─▶ one delivery ───────────────────▶ Ingest ─ error ─▶ Lambda tries again, then its dead letters
//	SQS batch ─▶ one delivery; if that fails, one for each message ──────▶ Ingest ─▶ batchItemFailures
//	function URL, API Gateway (payload 2.0) ─▶ *http.Request ────────────▶ HTTP   ─▶ its response
//
// Lambda runs one invocation at a time in a process, freezes it between them and ends it without a word: nothing is
// kept between invocations, so there is nothing to drain.
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

// Ingest takes one delivery: *ingest.Function. What it refuses for good it has set aside.
type Ingest interface {
	Handle(ctx context.Context, d ingest.Delivery) (ingest.Receipt, error)
}

// Host is one Lambda function. It implements lambda.Handler.
type Host struct {
	Ingest Ingest       // events and messages
	HTTP   http.Handler // requests to a function URL; nil refuses them
	Log    *slog.Logger
	Now    func() time.Time
}

// Start serves invocations until Lambda ends the process.
func Start(h *Host) { lambda.Start(h) }

// event is what tells the shapes of invocations apart.
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
		e = event{} // not ours to judge: quarantine will hold it with the reason
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

// deliverBody hands one delivery to the function; nil means that it is durable, here or in quarantine.
func (h *Host) deliverBody(ctx context.Context, body []byte) error {
	err := attempt.Run(ctx, h.Log, func(ctx context.Context) error {
		_, err := h.Ingest.Handle(ctx, ingest.Delivery{Body: body, Headers: map[string]string{"content-type": "application/json"}, Received: h.Now()})
		return err
	})
	if attempt.IsSettled(err) {
		return nil
	}
	h.Log.ErrorContext(ctx, "not taken", "kind", fault.Of(err).String(), "reason", err)
	return fmt.Errorf("ingest: %w", err)
}

func unquotedText(v jsontext.Value) string {
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(s)
}
