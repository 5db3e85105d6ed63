package incident

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
)

// maxKinds bounds Incident.Kinds.
const maxKinds = 16

// Involved is an entity that an alert involves.
type Involved struct {
	Key       string // canonical
	Evidence  *alert.Evidence
	Exposures Exposures // the open ones of the entity
}

// AddAlert counts one alert more, of a kind as KindOf gives it, and takes it into the summary; opener says that it
// opened the incident. It reports whether the kind is new to the incident, as far as it matters how many kinds there
// are.
func (i *Incident) AddAlert(a *alert.Alert, kind string, involved []Involved, opener bool, now time.Time) (newKind bool) {
	i.Alerts++
	newKind = i.addKind(kind)
	i.Summarize(a, involved, opener, now)
	return newKind
}

// Summarize brings the incident up to date with one of its alerts: span, severity, tactics, products, clouds, assets,
// name.
func (i *Incident) Summarize(a *alert.Alert, involved []Involved, opener bool, now time.Time) {
	if opener || a.First.Before(i.First) {
		i.First = a.First
	}
	i.Last = Later(a.Last, i.Last)
	if !i.SeveritySet && a.Severity.Rank() >= i.Severity.Rank() {
		i.Severity = a.Severity
	}
	i.Tactics = attack.SortTactics(append(slices.Clone(i.Tactics), a.Tactics...))
	i.addProduct(a)
	i.addCloud(a.Account.Cloud)
	for _, v := range involved {
		i.addCloud(entity.Cloud(v.Evidence.Attr(entity.AttrCloud)))
		if IsAssetKind(v.Evidence.Kind) && v.Evidence.Role != alert.Attacker {
			i.addAsset(assetOf(v.Key, v.Evidence, a.Account.Cloud))
			i.addExposures(v.Key, v.Exposures)
		}
	}
	i.AssetCount = max(i.AssetCount, len(i.Assets))
	i.addTitle(a, opener)
	i.Updated = Later(now, i.Updated)
	i.describe()
}

// KindOf is what is counted as one kind of alert: type, or title for senders without types, per provider.
func KindOf(a *alert.Alert) string {
	return a.Origin.Provider + "/" + cmp.Or(a.Type, a.Title)
}

// addKind remembers a kind of alert, and reports whether it is new to the incident.
func (i *Incident) addKind(kind string) bool {
	h := Hash(kind)
	if len(i.Kinds) >= maxKinds || slices.Contains(i.Kinds, h) {
		return false
	}
	i.Kinds = append(i.Kinds, h)
	return true
}

// Hash is 32-bit FNV-1a: how kinds and co-occurring entities are remembered.
func Hash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s)) // never fails
	return h.Sum32()
}

func (i *Incident) addProduct(a *alert.Alert) {
	if p := cmp.Or(a.Product, a.Origin.Provider); p != "" && !slices.Contains(i.Products, p) {
		i.Products = append(i.Products, p)
	}
}

func (i *Incident) addCloud(c entity.Cloud) {
	if c != "" && !slices.Contains(i.Clouds, c) {
		i.Clouds = append(i.Clouds, c)
	}
}

func (i *Incident) addAsset(a Asset) {
	if len(i.Assets) < MaxAssets && !slices.ContainsFunc(i.Assets, func(o Asset) bool { return o.Key == a.Key }) {
		i.Assets = append(i.Assets, a)
	}
}

// addExposures takes over the exposures of an entity that the incident touches.
func (i *Incident) addExposures(key string, xs Exposures) {
	for _, x := range xs {
		x.Asset = key
		i.Exposures = i.Exposures.With(x, MaxOpenExposures)
	}
}

// RecordExposure notes an exposure of an asset of the incident, or that it is over, and reports whether that changed
// anything.
func (i *Incident) RecordExposure(x OpenExposure, over bool, now time.Time) (changed bool) {
	next := i.Exposures.Without(x)
	if !over {
		next = i.Exposures.With(x, MaxOpenExposures)
	}
	if slices.Equal(next, i.Exposures) {
		return false
	}
	i.Exposures, i.Updated = next, Later(now, i.Updated)
	return true
}

// addTitle remembers the title of the gravest alert, the earliest of equals: what a small incident is named after.
func (i *Incident) addTitle(a *alert.Alert, opener bool) {
	if opener || a.Severity.Rank() > i.GravestRank {
		i.GravestTitle, i.GravestRank = a.Title, a.Severity.Rank()
	}
}

// IsAssetKind reports whether things of a kind are a tenant's own, to be protected.
func IsAssetKind(k entity.Kind) bool {
	switch k {
	case entity.Host, entity.Resource, entity.User, entity.Mailbox, entity.Container, entity.Pod, entity.Cluster, entity.App:
		return true
	}
	return false
}

// assetOf is a piece of evidence as an asset; account is the cloud of the alert's account.
func assetOf(key string, e *alert.Evidence, account entity.Cloud) Asset {
	cloud := entity.Cloud(e.Attr(entity.AttrCloud))
	if cloud == "" && e.Kind == entity.Resource {
		cloud = account
	}
	return Asset{Key: key, Kind: e.Kind, Name: shortName(e), Value: e.Value, Cloud: cloud}
}

// shortName is what a person calls an entity: its name, or the last part of a long id.
func shortName(e *alert.Evidence) string {
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
	if on := i.describePlace(); on != "" && i.Alerts > 1 {
		name += " " + on
	}
	i.Name = name
}

// SetName gives the incident a person's name; one of spaces only has it named by its alerts again.
func (i *Incident) SetName(name string) {
	i.Name, i.NameSet = name, strings.TrimSpace(name) != ""
	i.describe()
}

// describePlace says what an incident touches: its one asset by name, or how many, and in which clouds.
func (i *Incident) describePlace() string {
	var on string
	switch {
	case len(i.Assets) == 1:
		on = "on " + i.Assets[0].Name
	case len(i.Assets) > 1:
		on = fmt.Sprintf("on %s and %d more", i.foremostAsset().Name, max(i.AssetCount, len(i.Assets))-1)
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

var cloudNames = map[entity.Cloud]string{entity.Azure: "Azure", entity.Amazon: "AWS", entity.Google: "Google Cloud"}

// foremostAsset is the one to name an incident after: a machine before a person before anything else, the first of
// equals.
func (i *Incident) foremostAsset() Asset {
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

// RaiseSuspicion takes into account how much one of its alerts looks like an attack, 0 to 1.
func (i *Incident) RaiseSuspicion(by float64) { i.Suspicion = 1 - (1-i.Suspicion)*(1-by) }

// Resummarize makes the summary anew from the alerts that stayed, once others left. What only those that left name is
// no asset of the incident any more.
func (i *Incident) Resummarize(stayed []AlertRecord, left []*AlertRecord) {
	slices.SortStableFunc(stayed, func(a, b AlertRecord) int { return a.Alert.First.Compare(b.Alert.First) })
	if !i.SeveritySet {
		i.Severity = ""
	}
	i.Tactics, i.Products, i.Clouds, i.Kinds, i.GravestTitle, i.GravestRank = nil, nil, nil, nil, "", 0
	for k := range stayed {
		a := &stayed[k].Alert
		if k == 0 {
			i.First, i.Last = a.First, a.Last
			i.Opener = cmp.Or(i.Opener, a.ID)
		}
		i.Last = Later(i.Last, a.Last)
		if !i.SeveritySet && a.Severity.Rank() >= i.Severity.Rank() {
			i.Severity = a.Severity
		}
		i.Tactics = attack.SortTactics(append(i.Tactics, a.Tactics...))
		i.addProduct(a)
		i.addCloud(a.Account.Cloud)
		for _, e := range a.Evidence {
			i.addCloud(entity.Cloud(e.Attr(entity.AttrCloud)))
		}
		i.addKind(KindOf(a))
		i.addTitle(a, k == 0)
	}
	i.dropAssets(stayed, left)
	i.describe()
}

// dropAssets forgets the assets, and their exposures, that only alerts that left name.
func (i *Incident) dropAssets(stayed []AlertRecord, left []*AlertRecord) {
	isGone := func(x Asset) bool {
		return slices.ContainsFunc(left, func(r *AlertRecord) bool { return namesAsset(&r.Alert, x) }) &&
			!slices.ContainsFunc(stayed, func(r AlertRecord) bool { return namesAsset(&r.Alert, x) })
	}
	had := len(i.Assets)
	i.Assets = slices.DeleteFunc(slices.Clone(i.Assets), isGone)
	i.Exposures = slices.DeleteFunc(slices.Clone(i.Exposures), func(x OpenExposure) bool {
		return !slices.ContainsFunc(i.Assets, func(a Asset) bool { return a.Key == x.Asset })
	})
	i.AssetCount = max(len(i.Assets), i.AssetCount-(had-len(i.Assets)))
}

func namesAsset(a *alert.Alert, x Asset) bool {
	return slices.ContainsFunc(a.Evidence, func(e alert.Evidence) bool {
		return e.Kind == x.Kind && strings.EqualFold(e.Value, x.Value) ||
			slices.ContainsFunc(e.Keys(), func(k entity.Key) bool { return k.Text == x.Key })
	})
}
