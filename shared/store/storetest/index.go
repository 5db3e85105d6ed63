package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// on gives an alert evidence.
func on(m incident.AlertRecord, es ...entity.Entity) incident.AlertRecord {
	m.Alert.Evidence = nil
	for _, e := range es {
		m.Alert.Evidence = append(m.Alert.Evidence, alert.Evidence{Entity: e, Role: alert.Victim})
	}
	return m
}

func host(name string) entity.Entity { return entity.Entity{Kind: entity.Host, Value: name} }

func mentions(t *testing.T, s Store, q incident.MentionQuery) []incident.Mention {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	out, err := s.Mentions(t.Context(), tenant, q)
	if err != nil {
		t.Fatalf("Mentions: %v", err)
	}
	return out
}

func mentioned(ms []incident.Mention) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return out
}

func named(t *testing.T, d Driver) {
	arn := "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890"
	m := on(member(1), entity.Entity{Kind: entity.Resource, Value: arn, Name: "Shop front"}.Also(entity.Host, "web.contoso.example").Also(entity.IP, "10.0.0.7"))
	x := on(member(2), host("web.contoso.example"))
	x.Alert.Class, x.Incident = alert.Exposure, ""
	commit(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, x, on(member(3), host("db.contoso.example"))}})
	for _, name := range m.Alert.Evidence[0].Names() {
		got := mentions(t, d.Store, incident.MentionQuery{Names: []string{name}})
		if len(got) == 0 || !slices.Contains(mentioned(got), id(1)) || slices.Contains(mentioned(got), id(3)) {
			t.Errorf("%s is named by %v", name, mentioned(got))
		}
	}
	got := mentions(t, d.Store, incident.MentionQuery{Names: []string{"host:web.contoso.example", "host:web", "machine:i-0abc1234def567890"}})
	same(t, "each once", mentioned(got), []string{id(2), id(1)})
	equal(t, "what it tells", got[1], incident.Mention{ID: id(1), Incident: m.Incident, Severity: m.Alert.Severity, Status: m.Status, Title: m.Alert.Title, Created: m.Created, First: m.Alert.First, Last: m.Alert.Last})
	if got[0].Class != alert.Exposure || got[0].Incident != "" {
		t.Errorf("an exposure is told as %+v", got[0])
	}
	if got := mentions(t, d.Store, incident.MentionQuery{Names: []string{"host:nobody"}}); len(got) != 0 {
		t.Errorf("nobody is named by %v", mentioned(got))
	}
	if got, err := d.Store.Mentions(t.Context(), "fabrikam", incident.MentionQuery{Names: []string{"host:web"}, Limit: 10}); err != nil || len(got) != 0 {
		t.Errorf("another tenant's: %v, %v", mentioned(got), err)
	}
	if _, err := d.Store.Mentions(t.Context(), tenant, incident.MentionQuery{Names: []string{"host:web"}}); err == nil {
		t.Error("a page of nothing is answered")
	}
}

func mentionPages(t *testing.T, d Driver) {
	var want []string
	for from := 0; from < 60; from += 6 { // in many commits, several of one moment, on two names
		var ms []incident.AlertRecord
		for n := from; n < from+6; n++ {
			m := on(member(n), host([]string{"web", "db", "mail"}[n%3]))
			m.Created = minute(n / 4)
			ms = append(ms, m)
			if n%3 < 2 {
				want = append(want, fmt.Sprintf("%04d %s", 9999-n/4, id(n)))
			}
		}
		commit(t, d.Store, tenant, incident.Changes{Alerts: ms})
	}
	slices.Sort(want)
	for i := range want {
		want[i] = want[i][5:]
	}
	for _, oldest := range []bool{false, true} {
		all := slices.Clone(want)
		if oldest { // the moments turn round, the ids of one moment do not
			slices.SortStableFunc(all, func(a, b string) int { return moment(a) - moment(b) })
		}
		for _, limit := range []int{1, 7, 100} {
			q := incident.MentionQuery{Names: []string{"host:web", "host:db"}, Oldest: oldest, Limit: limit}
			var got []string
			for range len(want) + 1 {
				page := mentions(t, d.Store, q)
				if len(page) == 0 {
					break
				}
				got = append(got, mentioned(page)...)
				last := page[len(page)-1]
				q.After = incident.ListPosition{Created: last.Created, ID: last.ID}
			}
			same(t, fmt.Sprintf("by %d, oldest first %v", limit, oldest), got, all)
		}
	}
}

// moment is the minute in which mentionPages created an alert.
func moment(id string) int {
	var n int
	fmt.Sscanf(id, "gd%d", &n)
	return n / 4
}

func mentionsFollow(t *testing.T, d Driver) {
	m, f := on(member(0), host("web")), on(member(3), host("web"))
	commit(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, f}, Incidents: []incident.Incident{aCase("10000", 0), aCase("10001", 1)}})
	by := func(name string) []incident.Mention {
		return mentions(t, d.Store, incident.MentionQuery{Names: []string{name}})
	}
	m = on(m, host("web"), host("db"))
	m.Status, m.Incident = alert.StatusResolved, "10001"
	f.FoldedInto = m.Alert.ID
	commit(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, f}})
	for _, name := range []string{"host:web", "host:db"} {
		got := by(name)
		same(t, name, mentioned(got), []string{id(0)})
		if len(got) == 1 && (got[0].Status != alert.StatusResolved || got[0].Incident != "10001") {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
	gone := aCase("10001", 1)
	gone.Status, gone.RedirectTo = incident.Redirected, "10000"
	into := aCase("10000", 0)
	into.Merged = []string{"10001"}
	commit(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{gone, into}})
	if got := by("host:web"); len(got) != 1 || got[0].Incident != "10000" {
		t.Errorf("after a merge: %+v", got)
	}
	f.FoldedInto = ""
	commit(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{f}})
	same(t, "unfolded", mentioned(by("host:web")), []string{id(3), id(0)})
}

func identities(t *testing.T, d Driver) {
	commit(t, d.Store, tenant, incident.Changes{Nodes: []incident.Node{
		{Key: "machine:i-1", Aliases: []string{"host:web.contoso.example"}, Last: minute(1)},
		{Key: "host:web.contoso.example", SameAs: "machine:i-1"},
		{Key: "host:web", Targets: []incident.AliasTarget{{Key: "machine:i-0", Last: minute(0)}, {Key: "machine:i-1", Last: minute(1)}}, Last: minute(1)},
	}})
	for name, want := range map[string]incident.Identity{
		"host:web.contoso.example": {Key: "machine:i-1", Aliases: []string{"host:web.contoso.example"}},
		"machine:i-1":              {Key: "machine:i-1", Aliases: []string{"host:web.contoso.example"}},
		"host:web":                 {Key: "host:web", Targets: []string{"machine:i-0", "machine:i-1"}},
		"host:db":                  {Key: "host:db"},
	} {
		got, err := d.Store.Identity(t.Context(), tenant, name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, got, want)
	}
}

func sources(t *testing.T, d Driver) {
	ms := members(0, 5)
	ms[1].Alert.Class = alert.Exposure
	ms[2].FoldedInto = id(0)
	ms[4].Alert.Origin.Provider = "defender-for-cloud"
	ms[4].Alert.Delivered = minute(90)
	commit(t, d.Store, tenant, incident.Changes{Alerts: ms})
	ms[3].Status = alert.StatusResolved
	commit(t, d.Store, tenant, incident.Changes{Alerts: ms[3:4]}) // a person's doing counts nothing twice
	got, err := d.Store.Sources(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "sources", got, []incident.Source{
		{Provider: "defender-for-cloud", Alerts: 1, Last: minute(90)}, {Provider: "guardduty", Alerts: 2, Exposures: 1, Last: minute(3)},
	})
	if got, err := d.Store.Sources(t.Context(), "fabrikam"); err != nil || len(got) != 0 {
		t.Errorf("of a tenant never seen: %v, %v", got, err)
	}
}
