package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store"
)

var first100 = query.Query{Top: 100}

func emptyTenant(t *testing.T, d Driver) {
	l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{"a"}, Incidents: []string{"1"}, Nodes: []string{"n"}})
	if l.Version != 0 || l.Sequence != 0 || len(l.Alerts)+len(l.Incidents)+len(l.Nodes) > 0 {
		t.Errorf("Load = %+v", l)
	}
	if p := listAlerts(t, d.Store, first100); len(p.Items) > 0 || p.More {
		t.Errorf("Alerts = %+v", p)
	}
	if all, err := d.Store.Tenants(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("Tenants = %v, %v", all, err)
	}
}

func loadedWhole(t *testing.T, d Driver) {
	m, i := alertRecord(1), plainIncident("10001", 1)
	m.Resolved, m.StatusSet = minuteAt(9), true
	n := incident.Node{Key: "host/web", First: minuteAt(1), Last: minuteAt(2), Episodes: 3,
		Activities: []incident.Activity{{Incident: "10001", Alert: alertID(1), First: minuteAt(1), Last: minuteAt(2), Episodes: 3}},
		KindCounts: []incident.KindCount{{Kind: "x", Episodes: 2, First: minuteAt(1), Last: minuteAt(2)}}}
	alias := incident.Node{Key: "ip/10.0.0.1", SameAs: "host/web"}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}, Incidents: []incident.Incident{i}, Nodes: []incident.Node{n, alias}, Sequence: 7})
	l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{alertID(1), alertID(1)}, Incidents: []string{"10001"}, Nodes: []string{"host/web", "ip/10.0.0.1"}})
	checkJSON(t, "members", l.Alerts, []incident.AlertRecord{m})
	checkJSON(t, "incidents", l.Incidents, []incident.Incident{i})
	checkJSON(t, "nodes", l.Nodes, []incident.Node{n, alias})
	if l.Sequence != 7 || l.Version != 1 {
		t.Errorf("sequence %d, version %d", l.Sequence, l.Version)
	}
	got, err := d.Store.Alert(t.Context(), tenant, alertID(1))
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "Alert", got, m)
}

func loadLeavesOut(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 1)})
	l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{"gd9999", alertID(0), "gd000"}, Incidents: []string{"10000"}, Nodes: []string{"x"}})
	checkStrings(t, "members", idsOf(l.Alerts), []string{alertID(0)})
	if len(l.Incidents)+len(l.Nodes) > 0 {
		t.Errorf("Load = %+v", l)
	}
}

func nextVersion(t *testing.T, d Driver) {
	for n := range 5 {
		if v := versionOf(t, d.Store, tenant); v != uint64(n) {
			t.Fatalf("version %d after %d commits", v, n)
		}
		commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(n, n+1)})
	}
}

func conflictingCommit(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 1), Sequence: 1})
	for _, v := range []uint64{0, 2} {
		err := d.Store.Commit(t.Context(), tenant, v, incident.Changes{Alerts: alertRecords(1, 2), Incidents: []incident.Incident{plainIncident("1", 1)}, Sequence: 9})
		if fault.Of(err) != fault.Conflict {
			t.Errorf("Commit at %d = %v", v, err)
		}
	}
	l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{alertID(1)}, Incidents: []string{"1"}})
	if l.Version != 1 || l.Sequence != 1 || len(l.Alerts)+len(l.Incidents) > 0 {
		t.Errorf("after refused commits: %+v", l)
	}
}

func commitReplaces(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 3)})
	m := alertRecord(1)
	m.Alert.Title, m.Updated, m.AssignedTo, m.Alert.First = "Changed", minuteAt(50), "eve", minuteAt(-5)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	got, err := d.Store.Alert(t.Context(), tenant, alertID(1))
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "Alert", got, m)
	p := listAlerts(t, d.Store, query.Query{Order: []query.Order{{Field: query.Updated, Desc: true}}, Top: 10, Count: true})
	checkStrings(t, "by update", idsOf(p.Items), []string{alertID(1), alertID(2), alertID(0)})
	if p.Total != 3 {
		t.Errorf("%d alerts, want 3", p.Total)
	}
}

func repeatedCommit(t *testing.T, d Driver) {
	c := incident.Changes{Alerts: alertRecords(0, 10), Incidents: []incident.Incident{plainIncident("10000", 1)}, Sequence: 1}
	commitChanges(t, d.Store, tenant, c)
	before := listAlerts(t, d.Store, first100)
	commitChanges(t, d.Store, tenant, c)
	checkJSON(t, "alerts", listAlerts(t, d.Store, first100), before)
	if st, err := d.Store.Stats(t.Context()); err != nil || st != (store.Stats{Alerts: 10, Incidents: 1}) {
		t.Errorf("Stats = %+v, %v", st, err)
	}
}

func largestCommit(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 100)})
	if got := len(listAlerts(t, d.Store, first100).Items); got != 100 {
		t.Errorf("%d alerts", got)
	}
	if err := d.Store.Commit(t.Context(), tenant, 1, incident.Changes{Alerts: alertRecords(0, 101)}); err == nil || !fault.Permanent(err) {
		t.Errorf("Commit of 101 = %v", err)
	}
}

func atomicCommit(t *testing.T, d Driver) {
	if d.Crash == nil || d.Publish == nil {
		t.Skip("this driver cannot be crashed with a commit that is not on the disk")
	}
	ms := alertRecords(0, 60)
	for n := range ms {
		ms[n].Position = d.Publish(t, ms[n].Alert)
	}
	for part := range slices.Chunk(ms, 20) {
		c := incident.Changes{Alerts: part, Sequence: 1}
		for n, m := range part {
			c.Nodes = append(c.Nodes, incident.Node{Key: "node of " + m.Alert.ID, Last: minuteAt(n)})
		}
		commitChanges(t, d.Store, tenant, c)
	}
	for seed := range uint64(10) {
		s := d.Crash(t, seed)
		v := int(versionOf(t, s, tenant))
		p := listAlerts(t, s, query.Query{Top: 100, Count: true})
		if len(p.Items) != 20*v || p.Total != int64(20*v) {
			t.Errorf("seed %d: version %d with %d alerts, counted as %d", seed, v, len(p.Items), p.Total)
		}
		if changes, _, err := s.Changes(t.Context(), tenant, "", 1000); err != nil || len(changes) != 20*v {
			t.Errorf("seed %d: version %d with %d changes, %v", seed, v, len(changes), err)
		}
		var nodes []string
		for _, m := range ms {
			nodes = append(nodes, "node of "+m.Alert.ID)
		}
		if l := loadRefs(t, s, tenant, incident.Refs{Nodes: nodes}); len(l.Nodes) != 20*v {
			t.Errorf("seed %d: version %d with %d nodes", seed, v, len(l.Nodes))
		}
	}
}

func durableCommit(t *testing.T, d Driver) {
	if d.Crash == nil {
		t.Skip("this driver cannot be crashed")
	}
	ms := alertRecords(0, 3)
	if d.Publish != nil {
		ms[0].Position = d.Publish(t, ms[0].Alert)
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[:1]})
	ms[0].AssignedTo = "eve" // a person's decision: the alert's event is old, and nothing would repeat this
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[:1]})
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[1:]})
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{plainIncident("10000", 1)}})
	s := d.Crash(t, 0)
	l := loadRefs(t, s, tenant, incident.Refs{Alerts: []string{alertID(0), alertID(1), alertID(2)}, Incidents: []string{"10000"}})
	checkJSON(t, "alerts after the crash", l.Alerts, ms)
	if len(l.Incidents) != 1 || l.Version != 4 {
		t.Errorf("version %d, incidents %v", l.Version, l.Incidents)
	}
}

func sharedBody(t *testing.T, d Driver) {
	if d.Publish == nil {
		t.Skip("this driver shares no log with a bus")
	}
	m := alertRecord(1)
	m.Position = d.Publish(t, m.Alert)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	check := func(what string) {
		t.Helper()
		l := loadRefs(t, d.Store, tenant, incident.Refs{Alerts: []string{alertID(1)}})
		checkJSON(t, what, l.Alerts, []incident.AlertRecord{m})
		if len(l.Alerts) == 1 && l.Alerts[0].Position != m.Position {
			t.Errorf("%s: position %d, want %d", what, l.Alerts[0].Position, m.Position)
		}
	}
	check("as published")
	m.AssignedTo = "eve"
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	check("assigned")
	m.Alert.Title, m.Position = "Merged", 0
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	check("merged")
	m.Alert.Title = "Published anew"
	m.Position = d.Publish(t, m.Alert)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	check("published anew")
	m.Alert.Title = "Published again"
	m.Position = d.Publish(t, m.Alert)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m}})
	check("published again")
}

func commitRace(t *testing.T, d Driver) {
	const writers, each = 4, 10
	var wg sync.WaitGroup
	ctx := context.WithoutCancel(t.Context())
	for w := range writers {
		wg.Go(func() {
			for n := 0; n < each; {
				l, err := d.Store.Load(ctx, tenant, incident.Refs{Incidents: []string{"1"}})
				if err != nil {
					t.Error(err)
					return
				}
				i := plainIncident("1", 1)
				i.Alerts = 0
				if len(l.Incidents) == 1 {
					i = l.Incidents[0]
				}
				i.Alerts++
				err = d.Store.Commit(ctx, tenant, l.Version, incident.Changes{
					Alerts: alertRecords(w*each+n, w*each+n+1), Incidents: []incident.Incident{i}})
				switch {
				case err == nil:
					n++
				case fault.Of(err) != fault.Conflict:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	i, err := d.Store.Incident(t.Context(), tenant, "1")
	if err != nil || i.Alerts != writers*each {
		t.Errorf("%d of %d updates are there, %v", i.Alerts, writers*each, err)
	}
	if v := versionOf(t, d.Store, tenant); v != writers*each {
		t.Errorf("version %d", v)
	}
}

func tenantIsolation(t *testing.T, d Driver) {
	names := []string{"a", "ab", "a\x00", "a/b", "ü", "", fmt.Sprintf("%0200d", 1)}
	for n, name := range names {
		m := alertRecord(n)
		m.Alert.Tenant = name
		commitChanges(t, d.Store, name, incident.Changes{Alerts: []incident.AlertRecord{m}, Incidents: []incident.Incident{plainIncident("1", n)},
			Nodes: []incident.Node{{Key: "n", Episodes: n + 1, Last: minuteAt(1)}}})
	}
	for n, name := range names {
		p, err := d.Store.Alerts(t.Context(), name, query.Query{Top: 10, Count: true})
		if err != nil || len(p.Items) != 1 || p.Items[0].Alert.ID != alertID(n) || p.Total != 1 {
			t.Errorf("%q: alerts %v of %d, %v", name, idsOf(p.Items), p.Total, err)
		}
		if is, err := d.Store.Incidents(t.Context(), name, first100); err != nil || len(is.Items) != 1 || !is.Items[0].Created.Equal(minuteAt(n)) {
			t.Errorf("%q: incidents %+v, %v", name, is.Items, err)
		}
		if l := loadRefs(t, d.Store, name, incident.Refs{Nodes: []string{"n"}, Alerts: []string{alertID((n + 1) % len(names))}}); len(l.Alerts) != 0 || len(l.Nodes) != 1 || l.Nodes[0].Episodes != n+1 {
			t.Errorf("%q: Load = %+v", name, l)
		}
		if c, _, err := d.Store.Changes(t.Context(), name, "", 10); err != nil || len(c) != 2 {
			t.Errorf("%q: Changes = %v, %v", name, c, err)
		}
	}
}

func tenantsSorted(t *testing.T, d Driver) {
	for _, name := range []string{"fabrikam", "contoso", "adatum-and-a-longer-name"} {
		commitChanges(t, d.Store, name, incident.Changes{Incidents: []incident.Incident{plainIncident("1", 1)}})
	}
	all, err := d.Store.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, "Tenants", all, []string{"adatum-and-a-longer-name", "contoso", "fabrikam"})
}

func nodesRemembered(t *testing.T, d Driver) {
	young := incident.Node{Key: "young", Last: start.Add(incident.NodeLifetime)}
	commitChanges(t, d.Store, tenant, incident.Changes{Nodes: []incident.Node{{Key: "old", Last: start}, {Key: "alias", SameAs: "young"}}})
	commitChanges(t, d.Store, tenant, incident.Changes{Nodes: []incident.Node{young}})
	for n := range 20 { // whatever the driver expires meanwhile, it must not be these
		commitChanges(t, d.Store, tenant, incident.Changes{Nodes: []incident.Node{{Key: fmt.Sprint("more", n), Last: start.Add(incident.NodeLifetime + time.Hour)}}})
	}
	l := loadRefs(t, d.Store, tenant, incident.Refs{Nodes: []string{"young", "alias"}})
	if len(l.Nodes) != 2 {
		t.Errorf("Load = %+v", l.Nodes)
	}
}

func auditedCommit(t *testing.T, d Driver) {
	entry := func(n int) incident.AuditEntry {
		return incident.AuditEntry{ID: fmt.Sprintf("e%02d", n), Data: fmt.Appendf(nil, `{"n":%d}`, n)}
	}
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(0, 1), AuditEntries: []incident.AuditEntry{entry(1), entry(2)}})
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: alertRecords(1, 2), AuditEntries: []incident.AuditEntry{entry(3)}})
	refused := incident.Changes{Alerts: alertRecords(2, 3), AuditEntries: []incident.AuditEntry{entry(4)}}
	if err := d.Store.Commit(t.Context(), tenant, 1, refused); fault.Of(err) != fault.Conflict {
		t.Errorf("a commit from another version: %v", err)
	}
	large := incident.Changes{Alerts: alertRecords(2, 3), AuditEntries: []incident.AuditEntry{{ID: "e05", Data: make([]byte, store.MaxDocument+1)}}}
	if err := d.Store.Commit(t.Context(), tenant, 2, large); fault.Of(err) != fault.TooLarge {
		t.Errorf("an entry that is too large: %v", err)
	}
	check := func(s Store) {
		t.Helper()
		checkStrings(t, "entries", entryIDs(t, s, tenant, "", 10), []string{"e03", "e02", "e01"})
		checkStrings(t, "another's entries", entryIDs(t, s, "fabrikam", "", 10), nil)
		if names, err := s.AuditedTenants(t.Context()); err != nil || !slices.Equal(names, []string{tenant}) {
			t.Errorf("audited tenants %v, %v", names, err)
		}
		if l := loadRefs(t, s, tenant, incident.Refs{}); l.Version != 2 {
			t.Errorf("version %d", l.Version)
		}
	}
	check(d.Store)
	if d.Crash != nil {
		check(d.Crash(t, 0))
	}
}
