package azurefunc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/host/attempt"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/bus"
)

// EventHub feeds an ingest function the events of a hub, many at once. In function.json its binding wants
// "cardinality": "many" and the function a "retry" policy, without which the Functions host goes past what failed.
type EventHub struct {
	Binding    string
	Route      string // of the ingest function, for rejections of events that it panics on
	Ingest     attempt.Ingest
	Quarantine Publisher // for those rejections: a hub has no dead letters
	Log        *slog.Logger
	Now        func() time.Time
}

// maxJoined is the most that a delivery of several events may have, in bytes.
const maxJoined = 8 << 20

// Invoke implements Function: it delivers the events joined into arrays.
func (h EventHub) Invoke(ctx context.Context, in Invocation) error {
	ms, err := in.Messages(h.Binding)
	if err != nil {
		return err
	}
	var joined [][]byte
	size := 0
	flush := func() error {
		err := h.deliverBodies(ctx, joined)
		joined, size = nil, 0
		return err
	}
	for _, m := range ms {
		if v := jsontext.Value(m.Body); !v.IsValid() { // compressed, or no JSON: in an array it would spoil the others
			if err := h.deliverBodies(ctx, [][]byte{m.Body}); err != nil {
				return err
			}
			continue
		}
		if size+len(m.Body) > maxJoined {
			if err := flush(); err != nil {
				return err
			}
		}
		joined, size = append(joined, m.Body), size+len(m.Body)
	}
	return flush()
}

// deliverBodies hands events to the function as one delivery. An event that makes it panic goes to quarantine: a hub
// counts no deliveries and would offer it for ever.
func (h EventHub) deliverBodies(ctx context.Context, bodies [][]byte) error {
	return halving[[]byte]{
		offer:    func(bodies [][]byte) error { return h.ingestBodies(ctx, bodies) },
		isTheirs: isPanic,
		deadLetter: func(body []byte, err error) error {
			r := events.Rejection{Route: h.Route, Kind: "invalid", Reason: err.Error(), Received: h.Now()}
			r.SetBody(body)
			return publishRejection(ctx, h.Quarantine, h.Log, r)
		},
	}.offerAll(bodies, bus.Redelivery{Deliveries: 1})
}

// ingestBodies runs the function once, on one event or on an array of several.
func (h EventHub) ingestBodies(ctx context.Context, bodies [][]byte) error {
	body := bodies[0]
	if len(bodies) > 1 {
		body = append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
	}
	d := ingest.Delivery{Body: body, Headers: map[string]string{"content-type": "application/json"}, Received: h.Now()}
	err := attempt.Deliver(ctx, h.Log, h.Ingest, d)
	if err == nil || isPanic(err) {
		return err
	}
	return fmt.Errorf("ingest %d events: %w", len(bodies), err)
}

func isPanic(err error) bool {
	var p *attempt.Panic
	return errors.As(err, &p)
}
