package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// tell brings an incident up to date with one of its alerts. first says that the alert opened it.
func (s *State) tell(inc *Incident, v *arrival, first bool, now time.Time) {
	a := v.Alert
	if first || a.First.Before(inc.First) {
		inc.First = a.First
	}
	inc.Last = later(a.Last, inc.Last)
	if !inc.SeveritySet && a.Severity.Rank() >= inc.Severity.Rank() {
		inc.Severity = a.Severity
	}
	inc.Tactics = attack.Sorted(append(slices.Clone(inc.Tactics), a.Tactics...))
	if p := product(a); p != "" && !slices.Contains(inc.Products, p) {
		inc.Products = append(inc.Products, p)
	}
	inc.cloud(a.Account.Cloud)
	for _, t := range v.ties {
		e := a.Evidence[t.evidence]
		inc.cloud(entity.Cloud(e.Attr(entity.AttrCloud)))
		if assetKinds[e.Kind] && e.Role != alert.Attacker {
			inc.asset(asset(t.key, e, a.Account.Cloud))
			inc.shows(t.key, s.nodes[t.key])
		}
	}
	inc.AssetCount = max(inc.AssetCount, len(inc.Assets))
	inc.lead(a, first)
	inc.Updated = later(now, inc.Updated)
	inc.describe()
	s.changedIncidents.add(inc.ID)
}

func product(a alert.Alert) string {
	if a.Product != "" {
		return a.Product
	}
	return a.Origin.Provider
}

func (i *Incident) cloud(c entity.Cloud) {
	if c != "" && !slices.Contains(i.Clouds, c) {
		i.Clouds = append(i.Clouds, c)
	}
}

func (i *Incident) asset(a Asset) {
	if len(i.Assets) < MaxAssets && !slices.ContainsFunc(i.Assets, func(o Asset) bool { return o.Key == a.Key }) {
		i.Assets = append(i.Assets, a)
	}
}

// asset is a piece of evidence as something the tenant owns.
func asset(key string, e alert.Evidence, home entity.Cloud) Asset {
	cloud := entity.Cloud(e.Attr(entity.AttrCloud))
	if cloud == "" && e.Kind == entity.Resource {
		cloud = home
	}
	return Asset{Key: key, Kind: e.Kind, Name: short(e), Value: e.Value, Cloud: cloud}
}

// short is what a person calls a thing: its name, or the last part of a long id.
func short(e alert.Evidence) string {
	if e.Name != "" {
		return e.Name
	}
	v := strings.TrimRight(e.Value, "/")
	if e.Kind == entity.Resource {
		if i := strings.LastIndexAny(v, "/:"); i >= 0 && i < len(v)-1 {
			return v[i+1:]
		}
	}
	return v
}

// saw remembers a kind of alert, as far as it matters how many there are, and reports whether it is new to the incident.
func (i *Incident) saw(kind string) bool {
	h := hash(kind)
	if len(i.Kinds) >= maxKinds || slices.Contains(i.Kinds, h) {
		return false
	}
	i.Kinds = append(i.Kinds, h)
	return true
}

// lead remembers the title of the gravest alert, the earliest of equals: what a small incident is named after.
func (i *Incident) lead(a alert.Alert, first bool) {
	if first || a.Severity.Rank() > i.GravestRank {
		i.GravestTitle, i.GravestRank = a.Title, a.Severity.Rank()
	}
}

// describe names the incident, unless a person did: what happened, to what, where, and how far it went.
func (i *Incident) describe() {
	if i.NameSet {
		return
	}
	name := i.GravestTitle
	if len(i.Tactics) > 1 && i.Alerts > 1 {
		from, to := i.Tactics[0].Title(), i.Tactics[len(i.Tactics)-1].Title()
		name = fmt.Sprintf("Multi-stage incident: %s to %s", strings.ToLower(from), strings.ToLower(to))
		name = strings.Replace(name, ": "+strings.ToLower(from), ": "+from, 1)
	}
	if on := i.where(); on != "" && i.Alerts > 1 {
		name += " " + on
	}
	i.Name = name
}

// where says what an incident touches: its one asset by name, or how many, and in which clouds.
func (i *Incident) where() string {
	var on string
	switch {
	case len(i.Assets) == 1:
		on = "on " + i.Assets[0].Name
	case len(i.Assets) > 1:
		on = fmt.Sprintf("on %s and %d more", i.foremost().Name, max(i.AssetCount, len(i.Assets))-1)
	}
	if len(i.Clouds) > 1 {
		names := make([]string, len(i.Clouds))
		for k, c := range i.Clouds {
			names[k] = cloudNames[c]
		}
		on += " across " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return strings.TrimSpace(on)
}

// foremost is the asset to name an incident after: a machine before a person before anything else, the first of equals.
func (i *Incident) foremost() Asset {
	rank := func(a Asset) int {
		switch class, _, _ := strings.Cut(a.Key, ":"); class {
		case "machine", "host":
			return 0
		case "container", "pod":
			return 1
		case "user", "mailbox":
			return 2
		}
		return 3
	}
	return slices.MinFunc(i.Assets, func(a, b Asset) int { return rank(a) - rank(b) })
}

var cloudNames = map[entity.Cloud]string{entity.Azure: "Azure", entity.Amazon: "AWS", entity.Google: "Google Cloud"}
