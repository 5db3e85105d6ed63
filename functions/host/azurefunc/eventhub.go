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
)

// Ingest takes one delivery: *ingest.Function. What it refuses for good it has set aside.
type Ingest interface {
	Handle(ctx context.Context, d ingest.Delivery) (ingest.Receipt, error)
}

// EventHub feeds an ingest function the events of a hub, many at once. In function.json its binding wants
// "cardinality": "many" and the function a "retry" policy, without which the Functions host goes past what failed.
type EventHub struct {
	Binding    string
	Route      string // of the ingest function, for what it panics on
	Ingest     Ingest
	Quarantine Publisher // for the same; a hub has no dead letters
	Log        *slog.Logger
	Now        func() time.Time
}

// maxJoined bounds one delivery made of several events, in bytes.
const maxJoined = 8 << 20

// Invoke implements Function.
func (h EventHub) Invoke(ctx context.Context, in Invocation) error {
	ms, err := in.Messages(h.Binding)
	if err != nil {
		return err
	}
	var joined [][]byte
	size := 0
	flush := func() error {
		err := h.deliver(ctx, joined)
		joined, size = nil, 0
		return err
	}
	for _, m := range ms {
		if v := jsontext.Value(m.Body); !v.IsValid() { // compressed, or no JSON: alone it spoils nothing
			if err := h.deliver(ctx, [][]byte{m.Body}); err != nil {
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

// deliver hands events to the function as one delivery. An event that makes it panic is found and set aside, or it
// would hold up its partition for ever.
func (h EventHub) deliver(ctx context.Context, bodies [][]byte) error {
	if len(bodies) == 0 {
		return nil
	}
	body := bodies[0]
	if len(bodies) > 1 {
		body = append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
	}
	err := attempt.Run(ctx, h.Log, func(ctx context.Context) error {
		_, err := h.Ingest.Handle(ctx, ingest.Delivery{Body: body, Headers: map[string]string{"content-type": "application/json"}, Received: h.Now()})
		return err
	})
	var p *attempt.Panic
	switch {
	case attempt.Settled(err):
		return nil
	case !errors.As(err, &p):
		return fmt.Errorf("ingest %d events: %w", len(bodies), err)
	case len(bodies) > 1:
		half := len(bodies) / 2
		return errors.Join(h.deliver(ctx, bodies[:half]), h.deliver(ctx, bodies[half:]))
	}
	r := events.Rejection{Route: h.Route, Kind: "invalid", Reason: err.Error(), Received: h.Now()}
	r.SetBody(body)
	return setAside(ctx, h.Quarantine, h.Log, r)
}
