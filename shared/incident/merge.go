package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/attack"
)

// Merger says why one incident was merged into another: which alert linked to both, and by what.
type Merger struct {
	Incident string `json:"incident"`         // the one that went
	Opener   string `json:"opener,omitzero"`  // the alert that had opened it, and so has no reasons of its own
	Alert    string `json:"alert,omitzero"`   // the alert that caused the merge; empty when a person did
	Because  Reason `json:"because,omitzero"` // the weightiest link of that alert to the incident that went
}

// MaxMergers bounds Incident.Mergers: beyond it the earliest are kept, for they are what the incident is made of.
const MaxMergers = 64

// DeferredLink is a link of the alert that opened an incident to another incident, too weak to join it while chance
// could explain the alert. When the incident turns out to be an attack, chance no longer does: then the link is weighed
// again. Rates are per hour: see score.Rates.
type DeferredLink struct {
	Incident          string  `json:"incident"` // the other one, as of then
	Alert             string  `json:"alert"`    // the opener
	Reason            Reason  `json:"tie"`      // as it stood
	Worth             float64 `json:"worth"`    // what sharing the entity is worth
	AttackRate        float64 `json:"lead"`
	CoincidenceRate   float64 `json:"together"`
	BaseRate          float64 `json:"chance"`
	UnknownAttackRate float64 `json:"rival"`
	// Suspicion is that of the other incident by what it did on the entity, SuspicionBefore that of the opener's own.
	Suspicion       float64 `json:"credit,omitzero"`
	SuspicionBefore float64 `json:"before,omitzero"`
}

// maxDeferredLinks bounds Incident.DeferredLinks.
const maxDeferredLinks = 4

// KeepDeferredLinks keeps those of the links that can come to weigh most. It sorts them.
func (i *Incident) KeepDeferredLinks(links []DeferredLink) {
	slices.SortStableFunc(links, func(a, b DeferredLink) int {
		return cmp.Compare(b.Worth*b.AttackRate, a.Worth*a.AttackRate)
	})
	i.DeferredLinks = links[:min(len(links), maxDeferredLinks)]
}

// Includes reports whether an id is the incident's own or of one that was merged into it.
func (i *Incident) Includes(id string) bool { return id == i.ID || slices.Contains(i.Merged, id) }

// CompareAge orders incidents of one tenant, the oldest first.
func CompareAge(a, b *Incident) int {
	if len(a.ID) != len(b.ID) {
		return len(a.ID) - len(b.ID)
	}
	return strings.Compare(a.ID, b.ID)
}

// IsOpen reports whether alerts may still join: work on it has not ended, and it is to be correlated at all.
func (i *Incident) IsOpen() bool {
	return (i.Status == Active || i.Status == InProgress) && !i.Uncorrelated
}

// IsSplitFrom reports whether a person took two incidents apart, or some that were merged into them.
func (i *Incident) IsSplitFrom(o *Incident) bool {
	return slices.ContainsFunc(i.SplitFrom, o.Includes) || slices.ContainsFunc(o.SplitFrom, i.Includes)
}

// WhyNotMerge says why correlation may not merge two incidents, "" when it may. maxAlerts bounds the result.
func WhyNotMerge(a, b *Incident, maxAlerts int) string {
	switch {
	case a.Uncorrelated || b.Uncorrelated:
		return "one of them is not to be correlated"
	case a.IsSplitFrom(b):
		return "a person took them apart"
	}
	return WhyNotMergeByHand(a, b, maxAlerts)
}

// WhyNotMergeByHand says why not even a person may merge two incidents, "" when they may (unified-api reference, 5.1).
func WhyNotMergeByHand(a, b *Incident, maxAlerts int) string {
	switch {
	case a.Tenant != b.Tenant:
		return "they belong to different tenants"
	case a.Status == Resolved || b.Status == Resolved || a.RedirectTo != "" || b.RedirectTo != "":
		return "one of them is resolved"
	case areBothSet(a.AssignedTo, b.AssignedTo):
		return "they are assigned to different people"
	case areBothSet(a.Classification, b.Classification) || areBothSet(a.Determination, b.Determination):
		return "they are classified differently"
	case a.Alerts+b.Alerts > maxAlerts:
		return "together they would hold too many alerts"
	}
	return ""
}

// areBothSet reports whether both are set, and differently.
func areBothSet(a, b string) bool { return a != "" && b != "" && a != b }

// TakeOver merges another incident into this one: everything in it moves here, and it becomes redirected.
func (i *Incident) TakeOver(gone *Incident, now time.Time) {
	i.absorbContent(gone)
	i.Redirect(gone, now)
	i.Updated = Later(now, i.Updated)
	i.NameSet = false
	i.describe()
}

// Redirect makes another incident, whose content is here, lead here. What was merged into it before leads here through
// it: readers follow the chain, which is short, for the smaller always leads to the larger. To rewrite it would make
// what is stored depend on what happens to be loaded.
func (i *Incident) Redirect(gone *Incident, now time.Time) {
	gone.RedirectTo, gone.Status = i.ID, Redirected
	gone.Updated = Later(now, gone.Updated)
	i.Merged = Union(i.Merged, append([]string{gone.ID}, gone.Merged...))
	gone.Merged = nil
	if !slices.Contains(gone.SystemTags, "Redirected") {
		gone.SystemTags = append(gone.SystemTags, "Redirected")
	}
}

// MergerOf says that an alert, or nobody's, caused the merge of an incident.
func MergerOf(gone *Incident, alert string, because Reason) Merger {
	return Merger{Incident: gone.ID, Opener: gone.Opener, Alert: alert, Because: because}
}

// AddMerger notes why an incident is here, as long as there is room.
func (i *Incident) AddMerger(m Merger) {
	isSame := func(had Merger) bool { return had.Incident == m.Incident }
	if len(i.Mergers) < MaxMergers && !slices.ContainsFunc(i.Mergers, isSame) {
		i.Mergers = append(slices.Clip(i.Mergers), m)
	}
}

// absorbContent takes over the content of another incident. What a person set stays.
func (i *Incident) absorbContent(o *Incident) {
	i.Alerts += o.Alerts
	if !i.SeveritySet && (o.SeveritySet || o.Severity.Rank() > i.Severity.Rank()) {
		i.Severity, i.SeveritySet = o.Severity, o.SeveritySet
	}
	if i.AssignedTo == "" {
		i.AssignedTo = o.AssignedTo
	}
	if i.Classification == "" {
		i.Classification, i.Determination = o.Classification, o.Determination
	}
	for _, kind := range o.Kinds {
		if len(i.Kinds) < maxKinds && !slices.Contains(i.Kinds, kind) {
			i.Kinds = append(i.Kinds, kind)
		}
	}
	i.Tags = Union(i.Tags, o.Tags)
	i.Products = Union(i.Products, o.Products)
	i.Clouds = Union(i.Clouds, o.Clouds)
	i.Tactics = attack.SortTactics(append(slices.Clone(i.Tactics), o.Tactics...))
	for _, a := range o.Assets {
		i.addAsset(a)
	}
	i.AssetCount = max(i.AssetCount, o.AssetCount, len(i.Assets))
	for _, x := range o.Exposures {
		i.Exposures = i.Exposures.With(x, MaxOpenExposures)
	}
	for _, m := range o.Mergers {
		i.AddMerger(m)
	}
	if o.First.Before(i.First) {
		i.First = o.First
	}
	i.Last = Later(o.Last, i.Last)
	i.RaiseSuspicion(o.Suspicion)
	i.KeepDeferredLinks(slices.Concat(i.DeferredLinks, o.DeferredLinks))
	i.Noise = i.Noise && o.Noise
	i.Uncorrelated = i.Uncorrelated && o.Uncorrelated
	i.SplitFrom = Union(i.SplitFrom, o.SplitFrom)
}

// Union is a with what b has besides, each once.
func Union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
