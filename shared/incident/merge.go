package incident

import (
	"slices"
	"time"

	"github.com/onepane/onepane/shared/attack"
)

// merge moves everything of one incident into the other and returns (survivor, gone), or nil when a guard of the
// product's documented behaviour forbids it (unified-api reference, 5.1): work on either has ended, they
// are assigned or classified differently, or the result would be too large. The one with more alerts survives, the
// older of two equal ones.
func (s *State) merge(a, b *Incident, now time.Time) (survivor, gone *Incident) {
	if a == b || Blocked(*a, *b, s.tune.MaxAlerts) != "" {
		return nil, nil
	}
	if b.Alerts > a.Alerts || b.Alerts == a.Alerts && older(b, a) < 0 {
		a, b = b, a
	}
	s.take(a, b, now)
	return a, b
}

// take moves the content of b into a.
func (s *State) take(a, b *Incident, now time.Time) {
	a.absorb(b)
	s.redirect(a, b, now)
	a.Updated = later(now, a.Updated)
	a.NameSet = false
	a.describe()
	s.changedIncidents.add(a.ID)
}

// redirect makes b lead to a. What was merged into b before leads there through b: readers follow the chain, which is short,
// for the smaller always leads to the larger. To rewrite it would make what is stored depend on what happens to be loaded.
func (s *State) redirect(a, b *Incident, now time.Time) {
	b.RedirectTo, b.Status = a.ID, Redirected
	b.Updated = later(now, b.Updated)
	s.changedIncidents.add(b.ID)
	for _, id := range append([]string{b.ID}, b.Merged...) {
		if !slices.Contains(a.Merged, id) {
			a.Merged = append(a.Merged, id)
		}
	}
	b.Merged = nil
	if !slices.Contains(b.SystemTags, "Redirected") {
		b.SystemTags = append(b.SystemTags, "Redirected")
	}
}

// Blocked says why correlation may not merge two incidents; "" when it may. maxAlerts bounds the result.
func Blocked(a, b Incident, maxAlerts int) string {
	switch {
	case a.Uncorrelated || b.Uncorrelated:
		return "one of them is not to be correlated"
	case apartByHand(&a, &b):
		return "a person took them apart"
	}
	return guard(a, b, maxAlerts)
}

// guard says why not even a person may merge two incidents.
func guard(a, b Incident, maxAlerts int) string {
	switch {
	case a.Tenant != b.Tenant:
		return "they belong to different tenants"
	case a.Status == Resolved || b.Status == Resolved || a.RedirectTo != "" || b.RedirectTo != "":
		return "one of them is resolved"
	case differ(a.AssignedTo, b.AssignedTo):
		return "they are assigned to different people"
	case differ(a.Classification, b.Classification) || differ(a.Determination, b.Determination):
		return "they are classified differently"
	case a.Alerts+b.Alerts > maxAlerts:
		return "together they would hold too many alerts"
	}
	return ""
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// absorb takes over the content of another incident.
func (i *Incident) absorb(o *Incident) {
	i.Alerts += o.Alerts
	if !i.SeveritySet && (o.SeveritySet || o.Severity.Rank() > i.Severity.Rank()) { // what a person set stays
		i.Severity, i.SeveritySet = o.Severity, o.SeveritySet
	}
	if i.AssignedTo == "" {
		i.AssignedTo = o.AssignedTo
	}
	if i.Classification == "" {
		i.Classification, i.Determination = o.Classification, o.Determination
	}
	for _, k := range o.Kinds {
		if len(i.Kinds) < maxKinds && !slices.Contains(i.Kinds, k) {
			i.Kinds = append(i.Kinds, k)
		}
	}
	i.Tags = union(i.Tags, o.Tags)
	i.Products = union(i.Products, o.Products)
	i.Clouds = union(i.Clouds, o.Clouds)
	i.Tactics = attack.Sorted(append(slices.Clone(i.Tactics), o.Tactics...))
	for _, a := range o.Assets {
		i.asset(a)
	}
	i.AssetCount = max(i.AssetCount, o.AssetCount, len(i.Assets))
	for _, x := range o.Exposures {
		i.Exposures = exposed(i.Exposures, x, false, MaxOpenExposures)
	}
	for _, m := range o.Mergers {
		i.remembers(m)
	}
	if o.First.Before(i.First) {
		i.First = o.First
	}
	i.Last = later(o.Last, i.Last)
	i.credible(o.Suspicion)
	i.DeferredLinks = mostTelling(slices.Concat(i.DeferredLinks, o.DeferredLinks))
	i.Noise = i.Noise && o.Noise
	i.Uncorrelated = i.Uncorrelated && o.Uncorrelated
	i.SplitFrom = union(i.SplitFrom, o.SplitFrom)
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
