package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

// over is a resolved incident with so many alerts, from the n-th on, all of which changed last in their minute.
func over(id string, n, alerts int) incident.Changes {
	i := aCase(id, n)
	i.Status, i.Alerts = incident.Resolved, alerts
	c := incident.Changes{Incidents: []incident.Incident{i}}
	for k := range alerts {
		m := member(n + k)
		m.Incident, m.Created, m.Updated = id, minute(n), minute(n)
		c.Alerts = append(c.Alerts, m)
	}
	return c
}

func forget(t *testing.T, s Store, before time.Time, limit, want int) {
	t.Helper()
	if n, err := s.Purge(t.Context(), tenant, before, limit); err != nil || n != want {
		t.Fatalf("Forget = %d, %v; want %d", n, err, want)
	}
}

// gone checks that nobody finds an alert or incident, and that the feed leads nowhere.
func gone(t *testing.T, s Store, alertIDs, incidentIDs []string) {
	t.Helper()
	for _, id := range alertIDs {
		if _, err := s.Alert(t.Context(), tenant, id); fault.Of(err) != fault.NotFound {
			t.Errorf("alert %s: %v", id, err)
		}
	}
	for _, id := range incidentIDs {
		if _, err := s.Incident(t.Context(), tenant, id); fault.Of(err) != fault.NotFound {
			t.Errorf("incident %s: %v", id, err)
		}
		if _, err := s.IncidentAlerts(t.Context(), tenant, id, first100); fault.Of(err) != fault.NotFound {
			t.Errorf("alerts of incident %s: %v", id, err)
		}
	}
	l := load(t, s, tenant, incident.Refs{Alerts: alertIDs, Incidents: incidentIDs})
	if len(l.Alerts)+len(l.Incidents) > 0 {
		t.Errorf("Load finds %+v", l)
	}
}

func forgets(t *testing.T, d Driver) {
	named := over("10001", 0, 3)
	named.Alerts[0].Alert.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "gone.example"}, Role: alert.Victim}}
	commit(t, d.Store, tenant, named)
	commit(t, d.Store, tenant, over("10002", 100, 2))
	if got := mentions(t, d.Store, incident.MentionQuery{Names: []string{"host:gone.example"}}); len(got) != 1 {
		t.Fatalf("before: %+v", got)
	}
	live := aCase("10003", 0)
	m := member(200)
	m.Incident, m.Created, m.Updated = "10003", minute(0), minute(0)
	commit(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{live}, Alerts: []incident.AlertRecord{m}})
	commit(t, d.Store, "fabrikam", over("10001", 0, 3))
	forget(t, d.Store, minute(50), 10, 1)
	gone(t, d.Store, []string{id(0), id(1), id(2)}, []string{"10001"})
	forget(t, d.Store, minute(50), 10, 0)
	p := alerts(t, d.Store, query.Query{Top: 10, Count: true})
	same(t, "alerts", ids(p.Items), []string{id(100), id(101), id(200)})
	cases, err := d.Store.Incidents(t.Context(), tenant, query.Query{Top: 10, Count: true})
	if err != nil || p.Total != 3 || cases.Total != 2 {
		t.Errorf("%d alerts, %d incidents are counted, %v", p.Total, cases.Total, err)
	}
	same(t, "incidents", caseIDs(cases.Items), []string{"10002", "10003"})
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 6, Incidents: 3}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
	equal(t, "an incident that stays", load(t, d.Store, tenant, incident.Refs{Alerts: []string{id(200)}}).Alerts, []incident.AlertRecord{m})
	if got := mentions(t, d.Store, incident.MentionQuery{Names: []string{"host:gone.example"}}); len(got) != 0 {
		t.Errorf("its names lead to %+v", got)
	}
	resolved, err := d.Store.Incidents(t.Context(), tenant, query.Query{Top: 10, Count: true, Where: query.Compare{Field: query.Status, Op: query.Eq, Text: "resolved"}})
	if err != nil || resolved.Total != 1 || len(resolved.Items) != 1 {
		t.Errorf("%d resolved incidents, %d counted, %v", len(resolved.Items), resolved.Total, err)
	}
	if s, err := d.Store.Sources(t.Context(), tenant); err != nil || len(s) != 1 || s[0].Alerts != 3 {
		t.Errorf("Sources = %+v, %v", s, err)
	}
	if _, err := d.Store.Alert(t.Context(), "fabrikam", id(0)); err != nil {
		t.Errorf("another tenant's: %v", err)
	}
	if d.Crash != nil {
		gone(t, d.Crash(t, 0), []string{id(0)}, []string{"10001"})
	}
}

func neverForgets(t *testing.T, d Driver) {
	for n, status := range []incident.Status{incident.Active, incident.InProgress} {
		c := over(fmt.Sprint(10001+n), 10*n, 2)
		c.Incidents[0].Status = status
		commit(t, d.Store, tenant, c)
	}
	redirected := aCase("10009", 50)
	redirected.Status, redirected.RedirectTo = incident.Redirected, "10001"
	survivor := aCase("10001", 0)
	survivor.Merged = []string{"10009"}
	commit(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{redirected, survivor}})
	forget(t, d.Store, minute(100_000), 10, 0)
	if got := len(alerts(t, d.Store, first100).Items); got != 4 {
		t.Errorf("%d alerts are left", got)
	}
}

func forgetsMerged(t *testing.T, d Driver) {
	commit(t, d.Store, tenant, over("10001", 0, 2))
	commit(t, d.Store, tenant, over("10002", 10, 2))
	a, b := aCase("10001", 20), aCase("10002", 20)
	a.Status, a.Merged = incident.Resolved, []string{"10002"}
	b.Status, b.RedirectTo = incident.Redirected, "10001"
	copied := member(30)
	copied.Incident, copied.FoldedInto = "", id(11)
	commit(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{a, b}, Alerts: []incident.AlertRecord{copied}})
	commit(t, d.Store, tenant, over("10003", 500, 1))
	forget(t, d.Store, minute(100), 10, 1)
	gone(t, d.Store, []string{id(0), id(1), id(10), id(11), id(30)}, []string{"10001", "10002"})
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 1, Incidents: 1}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
}

func forgetsMany(t *testing.T, d Driver) {
	c := over("10001", 0, 250)
	commit(t, d.Store, tenant, c)
	for n := range 5 {
		commit(t, d.Store, tenant, over(fmt.Sprint(10002+n), 300+n, 1))
	}
	forget(t, d.Store, minute(1000), 3, 3)
	forget(t, d.Store, minute(1000), 10, 3)
	if got := alerts(t, d.Store, query.Query{Top: 1, Count: true}); got.Total != 0 || len(got.Items) > 0 {
		t.Errorf("%d alerts are left", got.Total)
	}
	changes, _, err := d.Store.Changes(t.Context(), tenant, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if _, err := d.Store.Alert(t.Context(), tenant, c.ID); c.Kind == store.AlertChanged && fault.Of(err) != fault.NotFound {
			t.Errorf("the feed leads to %s: %v", c.ID, err)
		}
	}
}

func forgottenComesAgain(t *testing.T, d Driver) {
	commit(t, d.Store, tenant, over("10001", 0, 1))
	commit(t, d.Store, tenant, over("10002", 1, 1))
	forget(t, d.Store, minute(100), 10, 2)
	m := member(1)
	m.Incident, m.Alert.Severity = "10005", alert.High
	for range 3 { // the same again, and through what a driver does between commits
		commit(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}, Incidents: []incident.Incident{aCase("10005", 1)}})
	}
	for n := range 3 {
		commit(t, d.Store, tenant, incident.Changes{Alerts: members(400+n, 401+n)})
	}
	got, err := d.Store.Alert(t.Context(), tenant, id(1))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the alert that came again", got, m)
	if p := alerts(t, d.Store, query.Query{Top: 10, Count: true}); p.Total != 4 || len(p.Items) != 4 {
		t.Errorf("%d alerts, %d counted", len(p.Items), p.Total)
	}
	gone(t, d.Store, []string{id(0)}, []string{"10001", "10002"})
}

// forgettingIsACommit: whoever decides from what was there before loses.
func forgettingIsACommit(t *testing.T, d Driver) {
	commit(t, d.Store, tenant, over("10001", 0, 2))
	before := version(t, d.Store, tenant)
	forget(t, d.Store, minute(100), 10, 1)
	if err := d.Store.Commit(t.Context(), tenant, before, incident.Changes{Alerts: members(0, 1)}); fault.Of(err) != fault.Conflict {
		t.Errorf("Commit at the version before = %v", err)
	}
}
