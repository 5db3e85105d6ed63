package attacks

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func written(t *testing.T, s Scenario) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteAlerts(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteTruth(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameSeedSameBytes(t *testing.T) {
	o := Options{Seed: 7, Noise: Low}
	first, again := written(t, Generate(o)), written(t, Generate(o))
	if first != again {
		t.Error("two runs of one seed differ")
	}
}

func TestMoreNoiseChangesNoAttack(t *testing.T) {
	low, high := attackAlerts(Generate(Options{Seed: 3, Noise: Low})), attackAlerts(Generate(Options{Seed: 3, Noise: High}))
	if len(low) == 0 || len(low) != len(high) {
		t.Errorf("%d attack alerts amid low noise, %d amid high", len(low), len(high))
	}
}

// attackAlerts maps each label and stage to times.
func attackAlerts(s Scenario) map[string]time.Time {
	out := map[string]time.Time{}
	for _, a := range s.Alerts {
		if a.Label.Incident != IsNoise && a.Label.Incident != IsUnknown && a.Label.DupOf == "" {
			out[a.Label.Incident+a.Label.Stage+a.Alert.ID] = a.Alert.Time
		}
	}
	return out
}

func TestSeedsDiffer(t *testing.T) {
	seen := map[string]int{}
	kinds := map[string]bool{}
	for seed := range uint64(6) {
		s := Generate(Options{Seed: seed, Noise: Low})
		names := map[string]bool{}
		for _, a := range s.Alerts {
			names[a.Alert.ID] = true
			if _, kind, ok := strings.Cut(a.Label.Incident, ":"); ok {
				names[kind], kinds[kind] = true, true
			}
		}
		for n := range names {
			seen[n]++
		}
	}
	for n, k := range seen {
		if k > 1 && !kinds[n] {
			t.Errorf("id %s in %d seeds", n, k)
		}
	}
	if len(kinds) < 24 || !slices.ContainsFunc(slices.Collect(maps.Keys(kinds)), func(k string) bool { return seen[k] < 6 }) {
		t.Errorf("%d kinds of attack in six seeds: %v", len(kinds), kinds)
	}
}

func TestLabelsAgree(t *testing.T) {
	for seed := range uint64(4) {
		s := Generate(Options{Seed: seed})
		first := map[string]Labelled{}
		for i, a := range s.Alerts {
			if i > 0 && a.Alert.Delivered.Before(s.Alerts[i-1].Alert.Delivered) {
				t.Fatalf("seed %d: %s is delivered before its predecessor", seed, a.Alert.ID)
			}
			if was, again := first[a.Alert.ID]; again {
				checkRepeat(t, was, a)
			} else {
				first[a.Alert.ID] = a
			}
			if a.Alert.Delivered.Before(a.Alert.Time) || a.Alert.Type+a.Alert.Title == "" || a.Alert.ID == "" {
				t.Errorf("seed %d: %+v is no alert", seed, a.Alert)
			}
		}
		for id, a := range first {
			if a.Label.DupOf == "" {
				continue
			}
			o, ok := first[a.Label.DupOf]
			if !ok || o.Alert.Tenant != a.Alert.Tenant || o.Label.Incident != a.Label.Incident || o.Label.DupOf != "" {
				t.Errorf("seed %d: %s repeats %s, which is %+v", seed, id, a.Label.DupOf, o)
			}
		}
	}
}

// checkRepeat holds a later delivery of an id against the first: nothing but state may change.
func checkRepeat(t *testing.T, was, is Labelled) {
	t.Helper()
	if was.Label != is.Label {
		t.Errorf("%s is labelled %v and %v", is.Alert.ID, was.Label, is.Label)
	}
	a, b := was.Alert, is.Alert
	a.Delivered, a.Status, a.Severity = b.Delivered, b.Status, b.Severity
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s changed to %+v", a.ID, b)
	}
}

func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		noise  Noise
		lo, hi int
	}{{Low, 2_500, 7_500}, {Medium, 8_000, 17_000}, {High, 22_000, 40_000}} {
		for seed := range uint64(3) {
			s := Generate(Options{Seed: seed, Noise: tt.noise})
			labels := map[string]bool{}
			for _, a := range s.Alerts {
				if strings.Contains(a.Label.Incident, ":") {
					labels[a.Label.Incident] = true
				}
			}
			if n := len(s.Alerts); n < tt.lo || n > tt.hi {
				t.Errorf("%v: %d alerts", s.Options, n)
			}
			if n := len(labels); n < 12 || n > 30 {
				t.Errorf("%v: %d attacks", s.Options, n)
			}
		}
	}
}

// TestAttacksHoldTogether: every alert of an attack names something that another one of it names, however products
// spell it: what only a label connects is not fair.
func TestAttacksHoldTogether(t *testing.T) {
	d := newDice(1, "test")
	for seed := range uint64(5) {
		tenants := []*tenant{}
		for i, name := range []string{"contoso", "fabrikam", "adatum"} {
			tenants = append(tenants, newTenant(newDice(seed, name), name, i, start, start.AddDate(0, 0, 21), registry{}))
		}
		planCampaigns(d, tenants, 30)
		for _, tn := range tenants {
			for label, groups := range islands(tn) {
				if groups != 1 {
					t.Errorf("seed %d: %s falls into %d parts", seed, label, groups)
				}
			}
		}
	}
}

// islands counts for each attack the groups of alerts that share nothing with one another.
func islands(tn *tenant) map[string]int {
	parts := map[string][]map[thing]bool{}
	for _, r := range tn.records {
		mine := map[thing]bool{}
		for _, th := range r.things {
			th = withoutRole(th)
			mine[th] = true
			if p, ok := th.(*person); ok {
				mine[p.laptop] = true
			}
			if p, ok := th.(*pod); ok {
				mine[plain{"image", p.image}], mine[p.cluster] = true, true
			}
		}
		var apart []map[thing]bool
		for _, part := range parts[r.Label.Incident] {
			if overlap(part, mine) {
				maps.Copy(mine, part)
			} else {
				apart = append(apart, part)
			}
		}
		parts[r.Label.Incident] = append(apart, mine)
	}
	out := map[string]int{}
	for label, list := range parts {
		out[label] = len(list)
	}
	return out
}

func overlap(a, b map[thing]bool) bool {
	for th := range a {
		if b[th] {
			return true
		}
	}
	return false
}
