package api

import (
	"context"

	"github.com/onepane/onepane/shared/correlation"
)

// Actions does what people decide about alerts and incidents. Act is all or nothing, and safe to repeat; what by.Note
// says of it is written with it.
type Actions interface {
	Act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error)
}
