package correlation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// mustAct does an action the way a host does and fails the test when it is refused.
func (w *world) mustAct(a Action) ActionResult {
	w.t.Helper()
	d, err := w.tryAction(a)
	if err != nil {
		w.t.Fatalf("%T: %v", a, err)
	}
	return d
}

func (w *world) tryAction(a Action) (ActionResult, error) {
	for refs := w.e.Needs(a); !refs.Empty(); refs = w.e.Needs(a) {
		w.e.Put(incident.Loaded{}, refs)
	}
	whole := map[string][]incident.AlertRecord{}
	for _, id := range w.e.Sources(a) {
		for _, alertID := range w.seen {
			rec := w.e.alerts.Get(alertID)
			if inc := w.e.survivorOf(rec.Incident); rec.FoldedInto == "" && inc != nil && inc.ID == id {
				whole[id] = append(whole[id], *rec)
			}
		}
	}
	return w.e.Act(a, Actor{Name: "dora@contoso.example", At: t0.Add(48 * time.Hour)}, whole)
}

// wantRefused fails unless an action is refused with that kind and words, and changes nothing.
func (w *world) wantRefused(a Action, kind fault.Kind, words string) {
	w.t.Helper()
	w.e.Take()
	_, err := w.tryAction(a)
	if fault.Of(err) != kind || err == nil || !strings.Contains(err.Error(), words) {
		w.t.Errorf("%T: %v, want %v with %q", a, err, kind, words)
	}
	if c := w.e.Take(); !c.Empty() {
		w.t.Errorf("%T was refused and changed %d alerts, %d incidents, %d nodes", a, len(c.Alerts), len(c.Incidents), len(c.Nodes))
	}
}

func pointerTo[T any](v T) *T { return &v }

// openAttack is three alerts on one host that make one incident.
func (w *world) openAttack(host string) (incident string, ids []string) {
	w.t.Helper()
	for i, kind := range []string{"scan", "dump", "exfiltration"} {
		o := w.applyAlert(alertFrom(host+kind, float64(10*i), kind+host, "host="+host))
		incident, ids = o.Incident, append(ids, o.AlertID)
	}
	return incident, ids
}

func TestEditsOfAnIncident(t *testing.T) {
	text := func(n int) string { return strings.Repeat("é", n) }
	for _, tt := range []struct {
		name  string
		edit  Edit
		field string // refused for this field; "" is done
		check func(incident.Incident) bool
	}{
		{"status", Edit{Status: pointerTo("inProgress")}, "", func(i incident.Incident) bool { return i.Status == incident.InProgress }},
		{"redirected is no person's word", Edit{Status: pointerTo("redirected")}, "status", nil},
		{"a name of one's own", Edit{Name: pointerTo("Dora's")}, "", func(i incident.Incident) bool { return i.Name == "Dora's" && i.NameSet }},
		{"the name it had", Edit{Name: pointerTo("")}, "", func(i incident.Incident) bool { return i.Name != "" && !i.NameSet }},
		{"severity", Edit{Severity: pointerTo("low")}, "", func(i incident.Incident) bool { return i.Severity == alert.Low && i.SeveritySet }},
		{"no severity", Edit{Severity: pointerTo("unknown")}, "severity", nil},
		{"pair", Edit{Classification: pointerTo("truePositive"), Determination: pointerTo("malware")}, "", func(i incident.Incident) bool { return i.Determination == "malware" }},
		{"wrong pair", Edit{Classification: pointerTo("falsePositive"), Determination: pointerTo("malware")}, "determination", nil},
		{"determination alone", Edit{Determination: pointerTo("malware")}, "determination", nil},
		{"no classification", Edit{Classification: pointerTo("maybe")}, "classification", nil},
		{"tags once", Edit{Tags: &[]string{"vip", "vip"}}, "", func(i incident.Incident) bool { return len(i.Tags) == 1 }},
		{"empty tag", Edit{Tags: &[]string{""}}, "customTags", nil},
		{"comment of 30,000 characters", Edit{Comment: text(30_000)}, "", func(i incident.Incident) bool { return len(i.Comments) == 1 && i.Comments[0].By != "" }},
		{"comment of more", Edit{Comment: text(30_001)}, "comment", nil},
		{"summary", Edit{Summary: pointerTo("s"), Description: pointerTo("d"), ResolvingComment: pointerTo("r")}, "", func(i incident.Incident) bool { return i.Summary+i.Description+i.ResolvingComment == "sdr" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			id, _ := w.openAttack("web-03.contoso.example")
			action := EditIncident{ID: id, Edit: tt.edit}
			if tt.field != "" {
				w.wantRefused(action, fault.Invalid, "'"+tt.field+"'")
				_, err := w.tryAction(action)
				var field *FieldError
				if !errors.As(err, &field) || field.Field != tt.field {
					t.Errorf("%v does not name %s", err, tt.field)
				}
				return
			}
			w.mustAct(action)
			if got := *w.e.incidents.Get(id); !tt.check(got) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAnEditTellsWhatChanged(t *testing.T) {
	w := newWorld(t)
	id, _ := w.openAttack("web-03.contoso.example")
	d := w.mustAct(EditIncident{ID: id, Edit: Edit{AssignedTo: pointerTo("dora")}})
	if !d.Changed || len(d.Records) != 1 || d.Records[0].Before["assignedTo"] != "" || d.Records[0].After["assignedTo"] != "dora" || len(d.Records[0].After) != 1 {
		t.Errorf("records %+v", d.Records)
	}
	w.e.Take()
	if d := w.mustAct(EditIncident{ID: id, Edit: Edit{AssignedTo: pointerTo("dora")}}); d.Changed || !w.e.Take().Empty() {
		t.Error("the same edit again changed something")
	}
	stale := EditIncident{ID: id, Edit: Edit{AssignedTo: pointerTo("eve")}}
	if _, err := w.e.Act(stale, Actor{Name: "eve", At: t0, IfMatch: "other"}, nil); !errors.Is(err, ErrStale) {
		t.Errorf("an edit of what was changed since: %v", err)
	}
}

func TestResolvedAlertsAndClassificationChange(t *testing.T) {
	w := newWorld(t)
	id, ids := w.openAttack("web-03.contoso.example")
	w.mustAct(EditAlerts{IDs: ids, Edit: Edit{Status: pointerTo("resolved"), Classification: pointerTo("truePositive"), Determination: pointerTo("phishing")}})
	m := w.e.alerts.Get(ids[1])
	if m.Status != alert.StatusResolved || !m.StatusSet || m.Resolved.IsZero() || m.Determination != "phishing" {
		t.Errorf("%+v", m)
	}
	w.mustAct(EditAlerts{IDs: ids[:1], Edit: Edit{Status: pointerTo("new"), Classification: pointerTo("falsePositive")}})
	if m := w.e.alerts.Get(ids[0]); !m.Resolved.IsZero() || m.Determination != "" || m.Classification != "falsePositive" {
		t.Errorf("opened again: %+v", m.Work)
	}
	w.wantRefused(EditAlerts{IDs: ids, Edit: Edit{Name: pointerTo("x")}}, fault.Invalid, "alert takes")
	w.wantRefused(EditAlerts{IDs: []string{ids[0], "nobody"}, Edit: Edit{Status: pointerTo("new")}}, fault.NotFound, "nobody")
	w.wantRefused(EditAlerts{IDs: make([]string, MaxAlertsPerAction+1)}, fault.TooLarge, "100")
	w.mustAct(EditIncident{ID: id, Edit: Edit{Status: pointerTo("resolved")}})
	if o := w.applyAlert(alertFrom("late", 30, "more", "host=web-03.contoso.example")); !o.Opened || o.Incident == id {
		t.Error("a resolved incident took an alert")
	}
}

func TestMergeByHand(t *testing.T) {
	w := newWorld(t)
	a, _ := w.openAttack("web-03.contoso.example")
	b := w.applyAlert(alertFrom("b1", 0, "other", "host=db-01.contoso.example")).Incident
	w.mustAct(EditIncident{ID: b, Edit: Edit{AssignedTo: pointerTo("dora"), Severity: pointerTo("high"), Comment: "look"}})
	d := w.mustAct(Merge{IDs: []string{b, a}, Comment: "one intruder"})
	inc := w.e.incidents.Get(a)
	if d.Incident != a || inc.Alerts != 4 || w.e.incidents.Get(b).RedirectTo != a || w.e.incidents.Get(b).Status != incident.Redirected {
		t.Fatalf("%+v, %+v", d, inc)
	}
	if inc.AssignedTo != "dora" || inc.Severity != alert.High || !inc.SeveritySet || len(inc.Comments) != 2 {
		t.Errorf("owner, severity or comments were lost: %+v", inc)
	}
	w.e.Take()
	if d := w.mustAct(Merge{IDs: []string{a, b}, Comment: "one intruder"}); d.Changed || d.Incident != a || !w.e.Take().Empty() {
		t.Error("the same merge again changed something")
	}
	if o := w.applyAlert(alertFrom("b2", 5, "more", "host=db-01.contoso.example")); o.Incident != a {
		t.Errorf("the next alert of the one that went is in %s, not %s", o.Incident, a)
	}
}

func TestMergeByHandIsGuarded(t *testing.T) {
	w := newWorld(t)
	a, _ := w.openAttack("web-03.contoso.example")
	b := w.applyAlert(alertFrom("b1", 0, "other", "host=db-01.contoso.example")).Incident
	both := Merge{IDs: []string{a, b}}
	for _, tt := range []struct {
		on, undo Edit
		words    string
	}{
		{Edit{AssignedTo: pointerTo("eve")}, Edit{AssignedTo: pointerTo("dora")}, "different people"},
		{Edit{Classification: pointerTo("falsePositive")}, Edit{Classification: pointerTo("")}, "classified differently"},
		{Edit{Status: pointerTo("resolved")}, Edit{Status: pointerTo("active")}, "resolved"},
	} {
		w.mustAct(EditIncident{ID: a, Edit: Edit{AssignedTo: pointerTo("dora"), Classification: pointerTo("truePositive")}})
		w.mustAct(EditIncident{ID: b, Edit: tt.on})
		w.wantRefused(both, fault.Precondition, tt.words)
		w.mustAct(EditIncident{ID: b, Edit: tt.undo})
	}
	w.wantRefused(Merge{IDs: []string{a}}, fault.Invalid, "2 to 5")
	w.wantRefused(Merge{IDs: []string{a, "77"}}, fault.NotFound, "77")
	w.e.params.MaxAlerts = 3
	w.wantRefused(both, fault.Precondition, "alerts")
	w.e.params.MaxAlerts = 4
	w.mustAct(both)
}

// Two hosts that a user ties together, wrongly: the analyst takes the second host out.
func TestWhatAPersonTookApartStaysApart(t *testing.T) {
	w := newWorld(t)
	a := w.applyAlert(alertFrom("a1", 0, "scan", "host=web-03.contoso.example", "user=dora@contoso.example"))
	b := w.applyAlert(alertFrom("b1", 5, "dump", "host=db-01.contoso.example", "user=dora@contoso.example"))
	b2 := w.applyAlert(alertFrom("b2", 9, "exfiltration", "host=db-01.contoso.example"))
	if a.Incident != b.Incident || b.Incident != b2.Incident {
		t.Fatal("they do not begin as one incident")
	}
	split := Move{Alerts: []string{b.AlertID, b2.AlertID}, From: a.Incident}
	d := w.mustAct(split)
	if d.Incident == a.Incident || w.incidentOf(b.AlertID) != d.Incident || w.incidentOf(a.AlertID) != a.Incident {
		t.Fatalf("%+v", d)
	}
	first, second := w.e.incidents.Get(a.Incident), w.e.incidents.Get(d.Incident)
	if first.Alerts != 1 || second.Alerts != 2 || len(first.Assets) != 2 || len(second.Assets) != 2 {
		t.Errorf("stories: %+v, %+v", first, second)
	}
	if w.e.Take(); !isSameResult(w.mustAct(split), d) || !w.e.Take().Empty() {
		t.Error("the same split again changed something")
	}
	for i, tt := range []struct {
		kind, evidence, want string
	}{
		{"lateral movement", "host=db-01.contoso.example", d.Incident},
		{"more", "host=web-03.contoso.example", a.Incident},
		{"dump", "user=dora@contoso.example", d.Incident}, // like what was moved
		{"scan", "user=dora@contoso.example", a.Incident}, // like what stayed
	} {
		o := w.applyAlert(alertFrom("later"+tt.kind, 12+float64(i), tt.kind, tt.evidence))
		if o.Incident != tt.want || len(o.MergedFrom) > 0 {
			t.Errorf("%s on %s went to %s, want %s; merged %v", tt.kind, tt.evidence, o.Incident, tt.want, o.MergedFrom)
		}
	}
	w.applyAlert(alertFrom("bridge", 17, "bridge", "host=db-01.contoso.example", "host=web-03.contoso.example", "user=dora@contoso.example"))
	if w.incidentOf(b.AlertID) == w.incidentOf(a.AlertID) {
		t.Error("an alert that ties to both merged what a person took apart")
	}
}

// What only the moved alerts touched no longer leads to where they were.
func TestMovedAlertsTakeTheirThingsAlong(t *testing.T) {
	w := newWorld(t)
	a := w.applyAlert(alertFrom("a1", 0, "scan", "host=web-03.contoso.example", "user=dora@contoso.example"))
	b := w.applyAlert(alertFrom("b1", 5, "dump", "host=db-01.contoso.example", "user=dora@contoso.example"))
	d := w.mustAct(Move{Alerts: []string{b.AlertID}, From: a.Incident})
	for key, want := range map[string][]string{
		"host:db-01.contoso.example": {d.Incident}, "host:web-03.contoso.example": {a.Incident}, "user:dora@contoso.example": {a.Incident, d.Incident},
	} {
		var got []string
		for _, touch := range w.e.nodes.Get(key).Activities {
			got = append(got, touch.Incident)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s leads to %v, want %v", key, got, want)
		}
	}
	if mine := w.e.activityOf(w.e.incidents.Get(a.Incident), w.e.nodes.Get("user:dora@contoso.example")); mine.Alert != a.AlertID {
		t.Errorf("the tie to what stayed names %s, want %s", mine.Alert, a.AlertID)
	}
}

func isSameResult(a, b ActionResult) bool { return a.Incident == b.Incident && !a.Changed }

// A person may put together what a person took apart, also by way of an incident that took one side in.
func TestMergeByHandForgetsSplits(t *testing.T) {
	w := newWorld(t)
	for _, i := range []*incident.Incident{
		{ID: "2", Tenant: "contoso", Status: incident.Active, Alerts: 1, SplitFrom: []string{"1"}},
		{ID: "3", Tenant: "contoso", Status: incident.Active, Alerts: 9, SplitFrom: []string{"2"}, Merged: []string{"1"}},
	} {
		w.e.incidents.Change(i.ID, i)
	}
	if _, err := w.tryAction(Merge{IDs: []string{"2", "3"}}); err != nil {
		t.Error(err)
	}
	if survivor := w.e.survivorOf("2"); survivor.ID != "3" || len(survivor.SplitFrom) != 0 {
		t.Errorf("still apart from its own parts: %+v", survivor)
	}
}

func TestMoveIntoAnother(t *testing.T) {
	w := newWorld(t)
	a, as := w.openAttack("web-03.contoso.example")
	b, bs := w.openAttack("db-01.contoso.example")
	w.wantRefused(Move{Alerts: []string{"nobody"}, To: b}, fault.NotFound, "nobody")
	w.wantRefused(Move{Alerts: as, To: "77"}, fault.NotFound, "77")
	w.wantRefused(Move{Alerts: as, From: a}, fault.Precondition, "without alerts")
	w.wantRefused(Move{Alerts: bs[:1], From: a}, fault.Precondition, "not in "+a)
	w.wantRefused(Move{Alerts: make([]string, MaxAlertsPerAction+1), To: b}, fault.TooLarge, "100")
	w.mustAct(EditIncident{ID: b, Edit: Edit{Status: pointerTo("resolved")}})
	w.wantRefused(Move{Alerts: as, To: b}, fault.Precondition, "resolved")
	w.mustAct(EditIncident{ID: b, Edit: Edit{Status: pointerTo("active")}})
	w.mustAct(Move{Alerts: as[2:], To: b})
	if got := w.e.incidents.Get(a); got.Alerts != 2 || got.Last.Equal(w.e.alerts.Get(as[2]).Alert.Last) {
		t.Errorf("the story still tells of what left: %+v", got)
	}
	if m := w.e.alerts.Get(as[2]); m.Reasons[0].Rule != ruleMovedByHand || m.Reasons[0].Name == "" {
		t.Errorf("reasons %+v", m.Reasons)
	}
	d := w.mustAct(Move{Alerts: as, To: b}) // all that is left: the incident goes
	if w.e.incidents.Get(a).RedirectTo != b || w.e.incidents.Get(b).Alerts != 6 || len(w.e.incidents.Get(b).SplitFrom) != 0 {
		t.Errorf("%+v: %+v, %+v", d, w.e.incidents.Get(a), w.e.incidents.Get(b))
	}
	w.e.Take()
	if d := w.mustAct(Move{Alerts: as, To: b}); d.Changed || !w.e.Take().Empty() {
		t.Error("the same move again changed something")
	}
}

// foldedPair are one alert as two products may tell it: folded by words, thing and moment.
func foldedPair() (alert.Alert, alert.Alert) {
	a := alertFrom("f1", 0, "Suspicious process on a server", "host=web-03.contoso.example")
	b := alertFrom("f2", 1, "Suspicious process on a server", "host=web-03.contoso.example")
	b.Reporter, b.Origin.Provider = "siem", "siem"
	b.ID = alert.MakeID(b.Tenant, b.Origin)
	return a, b
}

func TestUnfold(t *testing.T) {
	w := newWorld(t)
	a, b := foldedPair()
	w.applyAlert(a)
	if o := w.applyAlert(b); !o.Folded {
		t.Fatal("they do not begin as one alert")
	}
	w.wantRefused(Unfold{ID: a.ID}, fault.Precondition, "not folded")
	w.wantRefused(Unfold{ID: "nobody"}, fault.NotFound, "nobody")
	d := w.mustAct(Unfold{ID: b.ID})
	m := w.e.alerts.Get(b.ID)
	if m.FoldedInto != "" || w.incidentOf(b.ID) != w.incidentOf(a.ID) || w.e.incidents.Get(d.Incident).Alerts != 2 || len(w.e.alerts.Get(a.ID).Alert.Sightings) != 0 {
		t.Errorf("%+v, original %+v", m, w.e.alerts.Get(a.ID).Alert.Sightings)
	}
	w.e.Take()
	if d := w.mustAct(Unfold{ID: b.ID}); d.Changed || !w.e.Take().Empty() {
		t.Error("the same once more changed something")
	}
	b.Updated, b.Description = b.Updated.Add(time.Hour), "newer"
	if o := w.applyAlert(b); o.Folded || !o.Changed || w.e.alerts.Get(b.ID).Alert.Description != "newer" {
		t.Errorf("its next report is %+v", o)
	}
}

func TestRulesThatWantNoCorrelation(t *testing.T) {
	for _, tt := range []struct {
		name, description string
		provider          string
		optIn             int
		alone             bool
	}{
		{"says nothing", "Mimikatz was seen", "edr", 0, false},
		{"excluded", "#dont_Corr# a noisy rule", "edr", 0, true},
		{"only at the start", "a rule #DONT_CORR#", "edr", 0, false},
		{"the tenant asks rules to opt in", "a rule", "sentinel", 1, true},
		{"and this one does", "#INC_CORR# a rule", "sentinel", 1, false},
		{"other products need not", "Mimikatz was seen", "edr", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.e.params.RulesOptIn = tt.optIn
			id, _ := w.openAttack("web-03.contoso.example")
			a := alertFrom("x", 31, "rule", "host=web-03.contoso.example")
			a.Description, a.Origin.Provider = tt.description, tt.provider
			o := w.applyAlert(a)
			if o.Opened != tt.alone || (o.Incident == id) == tt.alone {
				t.Fatalf("%+v, want alone %v", o, tt.alone)
			}
			if next := w.applyAlert(alertFrom("y", 32, "next", "host=web-03.contoso.example")); next.Incident != id {
				t.Errorf("the next alert went to %s, want %s", next.Incident, id)
			}
		})
	}
}

func TestNothingJoinsAnUncorrelatedAlert(t *testing.T) {
	w := newWorld(t)
	a := alertFrom("x", 0, "rule", "host=web-03.contoso.example")
	a.Description = "#DONT_CORR#"
	w.applyAlert(a)
	if o := w.applyAlert(alertFrom("y", 1, "dump", "host=web-03.contoso.example")); !o.Opened {
		t.Errorf("the next alert joined it: %+v", o)
	}
}
