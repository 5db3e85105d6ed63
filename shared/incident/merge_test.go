package incident

import "testing"

func TestGuardsOfMerging(t *testing.T) {
	open := Incident{Tenant: "contoso", Status: Active}
	with := func(f func(*Incident)) Incident { i := open; f(&i); return i }
	for name, tt := range map[string]struct {
		a, b    Incident
		blocked bool
	}{
		"alike":                   {open, open, false},
		"one assigned":            {with(func(i *Incident) { i.AssignedTo = "ann" }), open, false},
		"assigned to two":         {with(func(i *Incident) { i.AssignedTo = "ann" }), with(func(i *Incident) { i.AssignedTo = "bob" }), true},
		"one resolved":            {with(func(i *Incident) { i.Status = Resolved }), open, true},
		"classified differently":  {with(func(i *Incident) { i.Classification = "truePositive" }), with(func(i *Incident) { i.Classification = "falsePositive" }), true},
		"too large":               {with(func(i *Incident) { i.Alerts = 9000 }), with(func(i *Incident) { i.Alerts = 9000 }), true},
		"of two tenants":          {with(func(i *Incident) { i.Tenant = "fabrikam" }), open, true},
		"in progress with active": {with(func(i *Incident) { i.Status = InProgress }), open, false},
	} {
		if got := WhyNotMerge(&tt.a, &tt.b, 10000); (got != "") != tt.blocked {
			t.Errorf("%s: blocked %q", name, got)
		}
	}
}

// What was merged into an incident that a person took apart from another is kept apart from it too.
func TestSplitsAreTransitive(t *testing.T) {
	a, b, c := &Incident{ID: "1", SplitFrom: []string{"2"}}, &Incident{ID: "2", SplitFrom: []string{"1"}}, &Incident{ID: "3"}
	c.TakeOver(a, a.Created)
	if WhyNotMerge(c, b, 100) == "" || WhyNotMerge(b, c, 100) == "" {
		t.Error("2 may be merged with the incident that took 1 in")
	}
	if why := WhyNotMergeByHand(c, b, 100); why != "" {
		t.Errorf("a person may put together what a person took apart: %s", why)
	}
}
