package incident

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// Tunings gives each tenant its tuning: Default with the tenant's own constants, by name as Tuning.Set knows them. The
// error is fault.Invalid and lists every mistake of every tenant.
func Tunings(settings map[string]map[string]string) (func(tenant string) *Tuning, error) {
	standard, tuned := Default(), map[string]*Tuning{}
	var mistakes []error
	for _, tenant := range slices.Sorted(maps.Keys(settings)) {
		t := Default()
		for _, name := range slices.Sorted(maps.Keys(settings[tenant])) {
			if err := t.Set(name + "=" + settings[tenant][name]); err != nil {
				mistakes = append(mistakes, fmt.Errorf("tenants.%s.%w", tenant, err))
			}
		}
		if err := t.Validate(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("tenants.%s.%w", tenant, err))
		}
		tuned[tenant] = t
	}
	if len(mistakes) > 0 {
		return nil, fault.Errorf(fault.Invalid, "%w", errors.Join(mistakes...))
	}
	return func(tenant string) *Tuning {
		if t := tuned[tenant]; t != nil {
			return t
		}
		return standard
	}, nil
}

// Validate is fault.Invalid when constants are of no use, each by itself or together, and lists all that are.
func (t *Tuning) Validate() error {
	var wrong []string
	say := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	share := func(f float64) bool { return f >= 0 && f <= 1 } // false for NaN
	say(!share(t.JoinAt) || t.JoinAt == 0, "JoinAt: %v is not above 0 and at most 1", t.JoinAt)
	say(!share(t.MergeAt) || t.MergeAt < t.JoinAt, "MergeAt: %v is not between JoinAt (%v) and 1", t.MergeAt, t.JoinAt)
	for _, class := range slices.Sorted(maps.Keys(t.Weights)) {
		say(!share(t.Weights[class]), "Weights.%s: %v is not between 0 and 1", class, t.Weights[class])
	}
	for name, f := range map[string]float64{"Company": t.Company, "Familiar": t.Familiar, "Strange": t.Strange, "PriorFades": t.PriorFades, "InheritCrowd": t.InheritCrowd, "PriorLeast": t.PriorLeast} {
		say(!(f > 0), "%s: %v is not above 0", name, f)
	}
	for name, d := range map[string]time.Duration{"StepFade": t.StepFade, "BurstHalfLife": t.BurstHalfLife, "TogetherHalfLife": t.TogetherHalfLife, "IndicatorFade": t.IndicatorFade, "Prior": t.Prior, "Horizon": t.Horizon} {
		say(d <= 0, "%s: %v is not above 0", name, d)
	}
	say(t.MaxAlerts < 1, "MaxAlerts: an incident holds at least 1")
	for name, f := range map[string]float64{"Step": t.Step, "Seed": t.Seed, "Victim": t.Victim, "Attacker": t.Attacker, "Context": t.Context, "Weak": t.Weak, "Burst": t.Burst, "Together": t.Together, "Own": t.Own, "Inherit": t.Inherit, "Progress": t.Progress, "Unstaged": t.Unstaged} {
		say(math.IsNaN(f) || math.IsInf(f, 0), "%s: %v is no finite number", name, f)
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fault.Errorf(fault.Invalid, "tuning: %s", strings.Join(wrong, "; "))
}
