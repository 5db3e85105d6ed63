package awslambda

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// message is one record of an SQS batch.
type message struct {
	ID     string `json:"messageId"`
	Source string `json:"eventSource"`
	raw    jsontext.Value
}

// readMessages returns the messages of an SQS event; false when the records are of another service.
func readMessages(records []jsontext.Value) ([]message, bool) {
	out := make([]message, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r, &out[i]); err != nil || out[i].Source != "aws:sqs" || out[i].ID == "" {
			return nil, false
		}
		out[i].raw = r
	}
	return out, true
}

// batchResponse is a partial batch response: SQS keeps the messages that it names and deletes the others.
type batchResponse struct {
	Items []itemFailure `json:"batchItemFailures"`
}

type itemFailure struct {
	ID string `json:"itemIdentifier"`
}

// deliverWithin delivers in at most one of so many equal shares of the time that is left, so that a slow delivery
// leaves time to the others.
func (h *Host) deliverWithin(ctx context.Context, shares int, body []byte) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(shares))
		defer cancel()
	}
	return h.deliverBody(ctx, body)
}

// deliverBatch delivers all messages together, which costs one send, and only when that fails each alone, so that
// only those that failed come again. When all failed it returns an error, which keeps them even where the event
// source mapping lacks ReportBatchItemFailures.
func (h *Host) deliverBatch(ctx context.Context, payload []byte, ms []message) ([]byte, error) {
	all := h.deliverWithin(ctx, 2, payload)
	out := batchResponse{Items: []itemFailure{}}
	if all == nil {
		return json.Marshal(out)
	}
	for i, m := range ms {
		if len(ms) > 1 {
			one := append(append([]byte(`{"Records":[`), m.raw...), `]}`...)
			if h.deliverWithin(ctx, len(ms)-i, one) == nil {
				continue
			}
		}
		out.Items = append(out.Items, itemFailure{m.ID})
	}
	if len(out.Items) == len(ms) {
		return nil, all
	}
	return json.Marshal(out)
}
