// Package replay takes quarantined records in again, by the ingest function of their route or straight onto the bus: the same for
// standalone and the cloud.
//
//	Rejection ─┬─ of a delivery ─▶ ingest.Function.Retry ─┬─▶ bus
//	           └─ of the bus ─────────────────────────────┘
package replay

import (
	"context"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Replayer takes rejected records in again. It implements api.Replayer.
type Replayer struct {
	Functions map[string]*ingest.Function // by route
	Alerts    ingest.Publisher            // takes the events that correlate refused
	Now       func() time.Time
}

var _ api.Replayer = Replayer{}

// Replay implements api.Replayer.
func (p Replayer) Replay(ctx context.Context, r events.Rejection) (api.Replayed, error) {
	if r.Route == "bus" {
		e, err := cloudevent.FromAttributes(r.Headers, r.Bytes())
		if err != nil {
			return api.Replayed{}, err
		}
		a, err := events.ParseAlert(e)
		if err != nil {
			return api.Replayed{}, err
		}
		return api.Replayed{AlertIDs: []string{a.ID}}, p.Alerts.Publish(ctx, e)
	}
	fn := p.Functions[r.Route]
	if fn == nil {
		return api.Replayed{}, fault.Errorf(fault.Invalid, "no ingest route %q", r.Route)
	}
	receipt, err := fn.Retry(ctx, r, p.Now())
	if err != nil {
		return api.Replayed{}, err
	}
	return taken(receipt)
}

// taken sums up a receipt; a record that was refused once more is an error.
func taken(receipt ingest.Receipt) (api.Replayed, error) {
	out := api.Replayed{}
	for _, a := range receipt.Accepted {
		if a.AlertID != "" {
			out.AlertIDs = append(out.AlertIDs, a.AlertID)
		} else {
			out.ExposureIDs = append(out.ExposureIDs, a.ExposureID)
		}
	}
	for _, i := range receipt.Ignored {
		out.Ignored = i.Reason
	}
	if len(receipt.Accepted)+len(receipt.Ignored) == 0 {
		for _, r := range receipt.Rejected {
			return out, fault.Errorf(fault.Invalid, "%s", r.Reason)
		}
		out.Ignored = "the record holds no finding"
	}
	return out, nil
}
