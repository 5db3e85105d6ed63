package fault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Refused names events of a batch that can never be processed: index in the batch, from 0, to reason. All other events
// of the batch are done.
type Refused map[int]error

// Error lists the reasons in order of the batch.
func (r Refused) Error() string {
	parts := make([]string, 0, len(r))
	for _, i := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprintf("event %d: %v", i, r[i]))
	}
	return strings.Join(parts, "; ")
}

// Reason returns why event i was refused, Invalid when no reason was given; nil for an event that is done.
func (r Refused) Reason(i int) error {
	reason, refused := r[i]
	if refused && reason == nil {
		return Errorf(Invalid, "refused without a reason")
	}
	return reason
}
