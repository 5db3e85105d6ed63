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

// resolvedIncident is a resolved incident with alerts n, n+1, …, all last updated in minute n.
func resolvedIncident(id string, n, alerts int) incident.Changes {
	i := plainIncident(id, n)
	i.Status, i.Alerts = incident.Resolved, alerts
	c := incident.Changes{Incidents: []incident.Incident{i}}
	for k := range alerts {
		m := alertRecord(n + k)
		m.Incident, m.Created, m.Updated = id, minuteAt(n), minuteAt(n)
		c.Alerts = append(c.Alerts, m)
	}
	return c
}

func purge(t *testing.T, s Store, before time.Time, limit, want int) {
	t.Helper()
	if n, err := s.Purge(t.Context(), tenant, before, limit); err != nil || n != want {
		t.Fatalf("Purge = %d, %v; want %d", n, err, want)
	}
}

// checkGone checks that no reader finds the alerts and incidents.
func checkGone(t *testing.T, s Store, alertIDs, incidentIDs []string) {
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
	l := loadRefs(t, s, tenant, incident.Refs{Alerts: alertIDs, Incidents: incidentIDs})
	if len(l.Alerts)+len(l.Incidents) > 0 {
		t.Errorf("Load finds %+v", l)
	}
}

func purgesResolved(t *testing.T, d Driver) {
	named := resolvedIncident("10001", 0, 3)
	named.Alerts[0].Alert.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: "gone.example"}, Role: alert.Victim}}
	commitChanges(t, d.Store, tenant, named)
	commitChanges(t, d.Store, tenant, resolvedIncident("10002", 100, 2))
	if got := listMentions(t, d.Store, incident.MentionQuery{Names: []string{"host:gone.example"}}); len(got) != 1 {
		t.Fatalf("before: %+v", got)
	}
	live := plainIncident("10003", 0)
	m := alertRecord(200)
	m.Incident, m.Created, m.Updated = "10003", minuteAt(0), minuteAt(0)
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{live}, Alerts: []incident.AlertRecord{m}})
	commitChanges(t, d.Store, "fabrikam", resolvedIncident("10001", 0, 3))
	purge(t, d.Store, minuteAt(50), 10, 1)
	checkGone(t, d.Store, []string{alertID(0), alertID(1), alertID(2)}, []string{"10001"})
	purge(t, d.Store, minuteAt(50), 10, 0)
	p := listAlerts(t, d.Store, query.Query{Top: 10, Count: true})
	checkStrings(t, "alerts", idsOf(p.Items), []string{alertID(100), alertID(101), alertID(200)})
	cases, err := d.Store.Incidents(t.Context(), tenant, query.Query{Top: 10, Count: true})
	if err != nil || p.Total != 3 || cases.Total != 2 {
		t.Errorf("%d alerts, %d incidents are counted, %v", p.Total, cases.Total, err)
	}
	checkStrings(t, "incidents", incidentIDs(cases.Items), []string{"10002", "10003"})
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 6, Incidents: 3}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
	checkJSON(t, "an incident that stays", loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{alertID(200)}}).Alerts, []incident.AlertRecord{m})
	if got := listMentions(t, d.Store, incident.MentionQuery{Names: []string{"host:gone.example"}}); len(got) != 0 {
		t.Errorf("its names lead to %+v", got)
	}
	resolved, err := d.Store.Incidents(t.Context(), tenant, query.Query{Top: 10, Count: true, Where: query.Compare{Field: query.Status, Op: query.Eq, Text: "resolved"}})
	if err != nil || resolved.Total != 1 || len(resolved.Items) != 1 {
		t.Errorf("%d resolved incidents, %d counted, %v", len(resolved.Items), resolved.Total, err)
	}
	if s, err := d.Store.Sources(t.Context(), tenant); err != nil || len(s) != 1 || s[0].Alerts != 3 {
		t.Errorf("Sources = %+v, %v", s, err)
	}
	if _, err := d.Store.Alert(t.Context(), "fabrikam", alertID(0)); err != nil {
		t.Errorf("another tenant's: %v", err)
	}
	if d.Crash != nil {
		checkGone(t, d.Crash(t, 0), []string{alertID(0)}, []string{"10001"})
	}
}

func keepsUnresolved(t *testing.T, d Driver) {
	for n, status := range []incident.Status{incident.Active, incident.InProgress} {
		c := resolvedIncident(fmt.Sprint(10001+n), 10*n, 2)
		c.Incidents[0].Status = status
		commitChanges(t, d.Store, tenant, c)
	}
	redirected := plainIncident("10009", 50)
	redirected.Status, redirected.RedirectTo = incident.Redirected, "10001"
	survivor := plainIncident("10001", 0)
	survivor.Merged = []string{"10009"}
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{redirected, survivor}})
	purge(t, d.Store, minuteAt(100_000), 10, 0)
	if got := len(listAlerts(t, d.Store, first100).Items); got != 4 {
		t.Errorf("%d alerts are left", got)
	}
}

func purgesMerged(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, resolvedIncident("10001", 0, 2))
	commitChanges(t, d.Store, tenant, resolvedIncident("10002", 10, 2))
	a, b := plainIncident("10001", 20), plainIncident("10002", 20)
	a.Status, a.Merged = incident.Resolved, []string{"10002"}
	b.Status, b.RedirectTo = incident.Redirected, "10001"
	copied := alertRecord(30)
	copied.Incident, copied.FoldedInto = "", alertID(11)
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{a, b}, Alerts: []incident.AlertRecord{copied}})
	commitChanges(t, d.Store, tenant, resolvedIncident("10003", 500, 1))
	purge(t, d.Store, minuteAt(100), 10, 1)
	checkGone(t, d.Store, []string{alertID(0), alertID(1), alertID(10), alertID(11), alertID(30)}, []string{"10001", "10002"})
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 1, Incidents: 1}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
}

func purgesMany(t *testing.T, d Driver) {
	c := resolvedIncident("10001", 0, 250)
	commitChanges(t, d.Store, tenant, c)
	for n := range 5 {
		commitChanges(t, d.Store, tenant, resolvedIncident(fmt.Sprint(10002+n), 300+n, 1))
	}
	purge(t, d.Store, minuteAt(1000), 3, 3)
	purge(t, d.Store, minuteAt(1000), 10, 3)
	if got := listAlerts(t, d.Store, query.Query{Top: 1, Count: true}); got.Total != 0 || len(got.Items) > 0 {
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

func purgedComesAgain(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, resolvedIncident("10001", 0, 1))
	commitChanges(t, d.Store, tenant, resolvedIncident("10002", 1, 1))
	purge(t, d.Store, minuteAt(100), 10, 2)
	m := alertRecord(1)
	m.Incident, m.Alert.Severity = "10005", alert.High
	for range 3 { // the same again, and through what a driver does between commits
		commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}, Incidents: []incident.Incident{plainIncident("10005", 1)}})
	}
	for n := range 3 {
		commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(400+n, 401+n)})
	}
	got, err := d.Store.Alert(t.Context(), tenant, alertID(1))
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "the alert that came again", got, m)
	if p := listAlerts(t, d.Store, query.Query{Top: 10, Count: true}); p.Total != 4 || len(p.Items) != 4 {
		t.Errorf("%d alerts, %d counted", len(p.Items), p.Total)
	}
	checkGone(t, d.Store, []string{alertID(0)}, []string{"10001", "10002"})
}

// purgingIsACommit checks that a commit at the version before a purge is a conflict.
func purgingIsACommit(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, resolvedIncident("10001", 0, 2))
	before := versionOf(t, d.Store, tenant)
	purge(t, d.Store, minuteAt(100), 10, 1)
	if err := d.Store.Commit(t.Context(), tenant, before, incident.Changes{Alerts: alertRecords(0, 1)}); fault.Of(err) != fault.Conflict {
		t.Errorf("Commit at the version before = %v", err)
	}
}
