package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

func TestSet(t *testing.T) {
	tune := Default()
	for _, a := range []string{"joinat=0.7", "StepFade=45m", "DripCount=9", "Weights.ip=0.25", "Gravity.high=3"} {
		if err := tune.Set(a); err != nil {
			t.Errorf("Set(%q): %v", a, err)
		}
	}
	if tune.JoinAt != 0.7 || tune.StepFade != 45*time.Minute || tune.DripCount != 9 || tune.Weights["ip"] != 0.25 || tune.Gravity[alert.High] != 3 {
		t.Errorf("got %+v", tune)
	}
	if Default().Weights["ip"] == 0.25 {
		t.Error("Set changed the default")
	}
	for a, word := range map[string]string{
		"JoinAt": "name=value", "Nonsense=1": "JoinAt", "StepFade=soon": "duration", "JoinAt=-1": "number", "Weights.unicorn=1": "unicorn", "MaxAlerts=many": "count",
	} {
		if err := tune.Set(a); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), word) {
			t.Errorf("Set(%q): %v, want an invalid assignment and a word about %s", a, err, word)
		}
	}
}
