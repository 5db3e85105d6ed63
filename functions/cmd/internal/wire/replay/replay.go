// Package replay shows ingest's Replayer to the API: the same for standalone and the cloud.
package replay

import (
	"context"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/ingest"
)

// API implements api.Replayer.
type API struct{ ingest.Replayer }

var _ api.Replayer = API{}

// Replay implements api.Replayer.
func (a API) Replay(ctx context.Context, r events.Rejection) (api.Replayed, error) {
	receipt, err := a.Replayer.Replay(ctx, r)
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
	return out, err
}
