package correlation

import (
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

func TestSet(t *testing.T) {
	params := DefaultParams()
	for _, a := range []string{"joinat=0.7", "StepFade=45m", "DripCount=9", "Weights.ip=0.25", "Gravity.high=3"} {
		if err := params.Set(a); err != nil {
			t.Errorf("Set(%q): %v", a, err)
		}
	}
	if params.JoinAt != 0.7 || params.StepFade != 45*time.Minute || params.DripCount != 9 || params.Weights["ip"] != 0.25 || params.Gravity["high"] != 3 {
		t.Errorf("got %+v", params)
	}
	if DefaultParams().Weights["ip"] == 0.25 {
		t.Error("Set changed the default")
	}
	for a, word := range map[string]string{
		"JoinAt": "name=value", "Nonsense=1": "JoinAt", "StepFade=soon": "duration", "JoinAt=-1": "number", "Weights.unicorn=1": "unicorn", "MaxAlerts=many": "count",
		"Unseen=NaN": "number", "FoldWorth=Inf": "number", "Gravity.high=NaN": "number",
	} {
		if err := params.Set(a); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), word) {
			t.Errorf("Set(%q): %v, want an invalid assignment and a word about %s", a, err, word)
		}
	}
}

func TestParamsByTenant(t *testing.T) {
	of, err := ParamsByTenant(map[string]map[string]string{"contoso": {"JoinAt": "0.6", "weights.ip": "0.2"}, "fabrikam": {}})
	if err != nil {
		t.Fatal(err)
	}
	if c := of("contoso"); c.JoinAt != 0.6 || c.Weights["ip"] != 0.2 || c.MergeAt != DefaultParams().MergeAt {
		t.Errorf("contoso %+v", c)
	}
	for _, other := range []string{"fabrikam", "nobody"} {
		if of(other).JoinAt != DefaultParams().JoinAt || of(other).Weights["ip"] != DefaultParams().Weights["ip"] {
			t.Errorf("%s got another tenant's constants", other)
		}
	}
}

func TestTuningMistakesAreToldTogether(t *testing.T) {
	_, err := ParamsByTenant(map[string]map[string]string{
		"a": {"JoinAt": "much", "Nonsense": "1"}, "b": {"JoinAt": "1.5", "StepFade": "0s", "Weights.ip": "NaN"}, "c": {"MergeAt": "0.1", "MaxAlerts": "0"},
	})
	if fault.Of(err) != fault.Invalid {
		t.Fatalf("want fault.Invalid, got %v", err)
	}
	for _, word := range []string{"tenants.a.", "JoinAt", "much", "Nonsense", "tenants.b.tuning: JoinAt: 1.5", "StepFade: 0s", "Weights.ip: \"NaN\"", "tenants.c.tuning: MaxAlerts", "MergeAt: 0.1"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no word of %q in: %v", word, err)
		}
	}
}

func TestTheDefaultIsValid(t *testing.T) {
	if err := DefaultParams().Validate(); err != nil {
		t.Error(err)
	}
}
