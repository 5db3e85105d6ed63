package ingest

import (
	"context"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// Replayer takes quarantined records in again: a delivery by the function of its route, an event straight to the bus.
//
//	Rejection ─┬─ of a delivery ─▶ Replayer.Replay ─┬─▶ bus
//	           └─ of the bus ──────────────────────┘
type Replayer struct {
	Functions map[string]*Function // by route
	Alerts    Publisher            // takes the events that correlate refused
	Now       func() time.Time
}

// Replay takes r in again and says what it became. A record that is rejected again, or of an unknown route, is
// fault.Invalid.
func (p Replayer) Replay(ctx context.Context, r events.Rejection) (Receipt, error) {
	if r.Route == "bus" {
		e, err := cloudevent.FromAttributes(r.Headers, r.Bytes())
		if err != nil {
			return Receipt{}, err
		}
		a, err := events.ParseAlert(e)
		if err != nil {
			return Receipt{}, err
		}
		return Receipt{Accepted: []Accepted{{AlertID: a.ID}}}, p.Alerts.Publish(ctx, e)
	}
	fn := p.Functions[r.Route]
	if fn == nil {
		return Receipt{}, fault.Errorf(fault.Invalid, "no ingest route %q", r.Route)
	}
	receipt, err := fn.Retry(ctx, r, p.Now())
	if err == nil && len(receipt.Accepted)+len(receipt.Ignored) == 0 {
		if len(receipt.Rejected) > 0 {
			return receipt, fault.Errorf(fault.Invalid, "%s", receipt.Rejected[0].Reason)
		}
		receipt.Ignored = []Skipped{{Reason: "the record holds no finding"}}
	}
	return receipt, err
}
