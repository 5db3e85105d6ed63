package incident

import (
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/fault"
)

func TestTunings(t *testing.T) {
	of, err := Tunings(map[string]map[string]string{"contoso": {"JoinAt": "0.6", "weights.ip": "0.2"}, "fabrikam": {}})
	if err != nil {
		t.Fatal(err)
	}
	if c := of("contoso"); c.JoinAt != 0.6 || c.Weights["ip"] != 0.2 || c.MergeAt != Default().MergeAt {
		t.Errorf("contoso %+v", c)
	}
	for _, other := range []string{"fabrikam", "nobody"} {
		if of(other).JoinAt != Default().JoinAt || of(other).Weights["ip"] != Default().Weights["ip"] {
			t.Errorf("%s got another tenant's constants", other)
		}
	}
}

func TestTuningMistakesAreToldTogether(t *testing.T) {
	_, err := Tunings(map[string]map[string]string{
		"a": {"JoinAt": "much", "Nonsense": "1"}, "b": {"JoinAt": "1.5", "StepFade": "0s", "Weights.ip": "NaN"}, "c": {"MergeAt": "0.1", "MaxAlerts": "0"},
	})
	if fault.Of(err) != fault.Invalid {
		t.Fatalf("want fault.Invalid, got %v", err)
	}
	for _, word := range []string{"tenants.a.", "JoinAt", "much", "Nonsense", "tenants.b.tuning: JoinAt: 1.5", "StepFade: 0s", "Weights.ip: NaN", "tenants.c.tuning: MaxAlerts", "MergeAt: 0.1"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no word of %q in: %v", word, err)
		}
	}
}

func TestTheDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}
