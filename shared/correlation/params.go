package correlation

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/correlation/score"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Params is every constant that decides, by question; score.Params has those that weigh a link. Weights and scores run
// from 0 (nothing) to 1 (certainty).
type Params struct {
	score.Params

	// When does an alert join, and when are incidents merged?

	// JoinAt is the score from which an alert joins an incident, MergeAt the one from which an alert that links to two
	// incidents merges them.
	JoinAt, MergeAt float64
	// LinkAt is the weight from which a link is worth mentioning.
	LinkAt float64
	// Stated is the weight of what a provider itself says: that alerts are members of one, or have one correlation key.
	Stated float64
	// Horizon is the largest gap that links at all.
	Horizon time.Duration
	// IntenseKinds and IntenseGap are from how many kinds of alerts and up to which pause two bursts on one entity are
	// taken for one attack.
	IntenseKinds int
	IntenseGap   time.Duration
	// Hindsight is the weight from which a link that was too weak when an alert opened its incident merges it after
	// all, once more alerts made it look like an attack. DeferAt is the weight from which such a link is kept until
	// then.
	Hindsight, DeferAt float64
	// MaxAlerts is how many alerts an incident takes; more open a new one.
	MaxAlerts int
	// RulesOptIn, when not 0, leaves alerts of Sentinel's analytics rules uncorrelated unless their rule's description
	// begins with #INC_CORR#: the product's own default for a tenant.
	RulesOptIn int

	// What recurs?

	// DripCount is from how many episodes on a kind may have an incident of its own that gathers it; DripWindow is how
	// long that one goes on without another.
	DripCount  int
	DripWindow time.Duration

	// Whom does a name mean, and which indicator is novel?

	// AddressLife is how long a private address is believed to stay with its machine.
	AddressLife time.Duration
	// NovelEpisodes is up to how many episodes an indicator is novel, NovelWithin how long after it was first seen.
	NovelEpisodes int
	NovelWithin   time.Duration

	// Which alerts are copies of one finding?

	// FoldWithin is how far apart two products' reports of one finding may lie, without a shared id.
	FoldWithin time.Duration
	// FoldWorth is the worth from which an entity may show a copy, FoldEntities by how many of them copies are looked
	// for, FoldWords how many letters and digits of a title another must contain to be the same.
	FoldWorth               float64
	FoldEntities, FoldWords int
	// CarriedWithin is how far apart two reports of one finding may lie that carry one id. An id of LongID characters
	// means one finding by itself, a shorter one of letters and digits within MixedIDWithin.
	CarriedWithin, MixedIDWithin time.Duration
	LongID                       int
}

// DefaultParams is what a tenant starts with.
func DefaultParams() *Params {
	return &Params{
		Params: score.Default(),

		JoinAt: 0.5, MergeAt: 0.8, LinkAt: 0.03, Stated: 0.95, Horizon: 96 * time.Hour, IntenseKinds: 4, IntenseGap: 3 * time.Hour,
		Hindsight: 0.75, DeferAt: 0.05, MaxAlerts: 10000,

		DripCount: 6, DripWindow: 48 * time.Hour,

		AddressLife: 24 * time.Hour, NovelEpisodes: 3, NovelWithin: 72 * time.Hour,

		FoldWithin: 2 * time.Minute, FoldWorth: 0.35, FoldEntities: 3, FoldWords: 12,
		CarriedWithin: incident.CarriedIDWithin, MixedIDWithin: time.Hour, LongID: 16,
	}
}

// ParamsByTenant gives each tenant its params: DefaultParams with the tenant's own constants, by name as Params.Set
// knows them. The error is fault.Invalid and lists every mistake of every tenant.
func ParamsByTenant(settings map[string]map[string]string) (func(tenant string) *Params, error) {
	standard, own := DefaultParams(), map[string]*Params{}
	var mistakes []error
	for _, tenant := range slices.Sorted(maps.Keys(settings)) {
		p := DefaultParams()
		for _, name := range slices.Sorted(maps.Keys(settings[tenant])) {
			if err := p.Set(name + "=" + settings[tenant][name]); err != nil {
				mistakes = append(mistakes, fmt.Errorf("tenants.%s.%w", tenant, err))
			}
		}
		if err := p.Validate(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("tenants.%s.%w", tenant, err))
		}
		own[tenant] = p
	}
	if len(mistakes) > 0 {
		return nil, fault.Errorf(fault.Invalid, "%w", errors.Join(mistakes...))
	}
	return func(tenant string) *Params {
		if p := own[tenant]; p != nil {
			return p
		}
		return standard
	}, nil
}

// Validate is fault.Invalid when constants are of no use, each by itself or together, and lists all that are.
func (p *Params) Validate() error {
	var wrong []string
	say := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	isShare := func(f float64) bool { return f >= 0 && f <= 1 } // false for NaN
	say(!isShare(p.JoinAt) || p.JoinAt == 0, "JoinAt: %v is not above 0 and at most 1", p.JoinAt)
	say(!isShare(p.MergeAt) || p.MergeAt < p.JoinAt, "MergeAt: %v is not between JoinAt (%v) and 1", p.MergeAt, p.JoinAt)
	for name, f := range map[string]float64{"LinkAt": p.LinkAt, "Stated": p.Stated, "WorthMost": p.WorthMost} {
		say(!isShare(f) || f == 0, "%s: %v is not above 0 and at most 1", name, f)
	}
	for _, class := range slices.Sorted(maps.Keys(p.Weights)) {
		say(!isShare(p.Weights[class]), "Weights.%s: %v is not between 0 and 1", class, p.Weights[class])
	}
	for name, f := range map[string]float64{
		"Company": p.Company, "Familiar": p.Familiar, "Strange": p.Strange, "PriorFades": p.PriorFades, "InheritCrowd": p.InheritCrowd,
		"PriorLeast": p.PriorLeast, "FullWorth": p.FullWorth, "Few": p.Few, "Severities": p.Severities, "SeveritySmooth": p.SeveritySmooth,
	} {
		say(!(f > 0), "%s: %v is not above 0", name, f)
	}
	for name, d := range map[string]time.Duration{
		"StepFade": p.StepFade, "BurstHalfLife": p.BurstHalfLife, "TogetherHalfLife": p.TogetherHalfLife,
		"IndicatorFade": p.IndicatorFade, "Prior": p.Prior, "Horizon": p.Horizon,
	} {
		say(d <= 0, "%s: %v is not above 0", name, d)
	}
	say(p.MaxAlerts < 1, "MaxAlerts: an incident holds at least 1")
	for name, f := range map[string]float64{
		"Step": p.Step, "Seed": p.Seed, "Victim": p.Victim, "Attacker": p.Attacker, "Context": p.Context, "Weak": p.Weak, "Burst": p.Burst,
		"Together": p.Together, "Own": p.Own, "Inherit": p.Inherit, "Progress": p.Progress, "Unstaged": p.Unstaged,
		"BareAccount": p.BareAccount, "PrivateAddress": p.PrivateAddress,
	} {
		say(math.IsNaN(f) || math.IsInf(f, 0), "%s: %v is no finite number", name, f)
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fault.Errorf(fault.Invalid, "tuning: %s", strings.Join(wrong, "; "))
}

// Set changes one constant by name, as "JoinAt=0.6", "StepFade=45m" or "Weights.ip=0.4". Names compare without case.
// What is no constant, or no value for it, is fault.Invalid.
func (p *Params) Set(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fault.Errorf(fault.Invalid, "tuning: %q is not name=value", assignment)
	}
	name, key, _ := strings.Cut(name, ".")
	v := reflect.ValueOf(p).Elem().FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, name) })
	if !v.IsValid() || v.Kind() == reflect.Struct {
		return fault.Errorf(fault.Invalid, "tuning: no constant %q: there are %s", name, strings.Join(paramNames(), ", "))
	}
	if v.Kind() == reflect.Map {
		k := reflect.ValueOf(key)
		if !v.MapIndex(k).IsValid() {
			return fault.Errorf(fault.Invalid, "tuning: %s has no %q", name, key)
		}
		f, err := parseNumber(value)
		if err != nil {
			return fault.Errorf(fault.Invalid, "tuning: %s.%s: %q is not a number", name, key, value)
		}
		v.SetMapIndex(k, reflect.ValueOf(f))
		return nil
	}
	if err := setParam(v, value); err != nil {
		return fault.Errorf(fault.Invalid, "tuning: %s: %w", name, err)
	}
	return nil
}

func setParam(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 30m", text)
		}
		v.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not a count", text)
		}
		v.SetInt(int64(n))
	default:
		f, err := parseNumber(text)
		if err != nil || f < 0 {
			return fmt.Errorf("%q is not a number from 0", text)
		}
		v.SetFloat(f)
	}
	return nil
}

// parseNumber reads a finite number: what decides with NaN decides nothing, and cannot be stored.
func parseNumber(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = fmt.Errorf("%q is not finite", text)
	}
	return f, err
}

func paramNames() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Params]()) {
		if !f.Anonymous {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}
