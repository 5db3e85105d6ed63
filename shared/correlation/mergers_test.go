package correlation

import (
	"strconv"
	"testing"
)

// Whichever of two incidents survives, it tells which alert linked both, and by what it linked to the one that went.
func TestMergersSayWhy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []string // evidence of the alerts that come first, one incident each thing
		goes   string   // the thing whose incident goes
	}{
		{"the person's is larger", []string{"user=dora@contoso.example", "user=dora@contoso.example", "host=fin-lt057.contoso.example"}, "host:fin-lt057.contoso.example"},
		{"the machine's is larger", []string{"host=fin-lt057.contoso.example", "host=fin-lt057.contoso.example", "user=dora@contoso.example"}, "user:dora@contoso.example"},
	} {
		w := newWorld(t)
		var last Outcome
		for i, e := range tt.before {
			last = w.applyAlert(alertFrom("a-000"+strconv.Itoa(i), float64(i), "kind "+strconv.Itoa(i), e))
		}
		both := w.applyAlert(alertFrom("b-0001", 3, "lateral", "user=dora@contoso.example", "host=fin-lt057.contoso.example"))
		if len(both.MergedFrom) != 1 {
			t.Fatalf("%s: %+v", tt.name, both)
		}
		ms := w.e.incidents.Get(both.Incident).Mergers
		if len(ms) != 1 || ms[0].Incident != last.Incident || ms[0].Opener != last.AlertID || ms[0].Alert != both.AlertID || ms[0].Because.Entity != tt.goes || ms[0].Because.Weight < 0.5 {
			t.Errorf("%s: mergers %+v", tt.name, ms)
		}
		if w.e.incidents.Get(both.Incident).Opener == last.AlertID {
			t.Errorf("%s: the survivor forgot its own first alert", tt.name)
		}
	}
}
