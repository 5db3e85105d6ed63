package incident

import (
	"cmp"
	"slices"

	"github.com/onepane/onepane/shared/alert"
)

// OpenExposure is one open posture finding of an entity: context, which links no alerts.
type OpenExposure struct {
	ID       string         `json:"id"`             // the exposure's
	Asset    string         `json:"asset,omitzero"` // the entity's key, in an incident; empty at the entity itself
	Severity alert.Severity `json:"severity,omitzero"`
}

// Exposures are open exposures, the gravest first. A list is never changed in place: it may be shared.
type Exposures []OpenExposure

// MaxOpenExposures bounds Incident.Exposures, so that an entity with a thousand findings costs no more than one with a
// few.
const MaxOpenExposures = 32

// With is the list with x in it, once, and at most that many: the gravest stay.
func (xs Exposures) With(x OpenExposure, most int) Exposures {
	if slices.Contains(xs, x) {
		return xs
	}
	out := append(xs.Without(x), x)
	slices.SortStableFunc(out, func(a, b OpenExposure) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
	return slices.Clip(out[:min(len(out), most)])
}

// Without is the list without the exposure, whatever its severity was.
func (xs Exposures) Without(x OpenExposure) Exposures {
	out := slices.DeleteFunc(slices.Clone(xs), func(o OpenExposure) bool { return o.ID == x.ID && o.Asset == x.Asset })
	return slices.Clip(out)
}

// CountDistinct counts the exposures, each once however many entities have it.
func (xs Exposures) CountDistinct() int {
	ids := map[string]bool{}
	for _, x := range xs {
		ids[x.ID] = true
	}
	return len(ids)
}

// RecordExposure notes an exposure of the node's entity, or that it is over.
func (n *Node) RecordExposure(x OpenExposure, over bool) {
	if over {
		n.Exposures = n.Exposures.Without(x)
	} else {
		n.Exposures = n.Exposures.With(x, maxNodeExposures)
	}
}
