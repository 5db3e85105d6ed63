package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// withEvidence gives an alert evidence.
func withEvidence(m incident.AlertRecord, es ...entity.Entity) incident.AlertRecord {
	m.Alert.Evidence = nil
	for _, e := range es {
		m.Alert.Evidence = append(m.Alert.Evidence, alert.Evidence{Entity: e, Role: alert.Victim})
	}
	return m
}

func hostEntity(name string) entity.Entity { return entity.Entity{Kind: entity.Host, Value: name} }

func listMentions(t *testing.T, s Store, q incident.MentionQuery) []incident.Mention {
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

func mentionedIDs(ms []incident.Mention) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return out
}

func foundByName(t *testing.T, d Driver) {
	arn := "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890"
	m := withEvidence(alertRecord(1), entity.Entity{Kind: entity.Resource, Value: arn, Name: "Shop front"}.WithAlias(entity.Host, "web.contoso.example").WithAlias(entity.IP, "10.0.0.7"))
	x := withEvidence(alertRecord(2), hostEntity("web.contoso.example"))
	x.Alert.Class, x.Incident = alert.Exposure, ""
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, x, withEvidence(alertRecord(3), hostEntity("db.contoso.example"))}})
	for _, name := range m.Alert.Evidence[0].Names() {
		got := listMentions(t, d.Store, incident.MentionQuery{Names: []string{name}})
		if len(got) == 0 || !slices.Contains(mentionedIDs(got), alertID(1)) || slices.Contains(mentionedIDs(got), alertID(3)) {
			t.Errorf("%s is named by %v", name, mentionedIDs(got))
		}
	}
	got := listMentions(t, d.Store, incident.MentionQuery{Names: []string{"host:web.contoso.example", "host:web", "machine:i-0abc1234def567890"}})
	checkStrings(t, "each once", mentionedIDs(got), []string{alertID(2), alertID(1)})
	checkJSON(t, "what it tells", got[1], incident.Mention{ID: alertID(1), Incident: m.Incident, Severity: m.Alert.Severity, Status: m.Status, Title: m.Alert.Title, Created: m.Created, First: m.Alert.First, Last: m.Alert.Last})
	if got[0].Class != alert.Exposure || got[0].Incident != "" {
		t.Errorf("an exposure is told as %+v", got[0])
	}
	if got := listMentions(t, d.Store, incident.MentionQuery{Names: []string{"host:nobody"}}); len(got) != 0 {
		t.Errorf("nobody is named by %v", mentionedIDs(got))
	}
	if got, err := d.Store.Mentions(t.Context(), "fabrikam", incident.MentionQuery{Names: []string{"host:web"}, Limit: 10}); err != nil || len(got) != 0 {
		t.Errorf("another tenant's: %v, %v", mentionedIDs(got), err)
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
			m := withEvidence(alertRecord(n), hostEntity([]string{"web", "db", "mail"}[n%3]))
			m.Created = minuteAt(n / 4)
			ms = append(ms, m)
			if n%3 < 2 {
				want = append(want, fmt.Sprintf("%04d %s", 9999-n/4, alertID(n)))
			}
		}
		commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms})
	}
	slices.Sort(want)
	for i := range want {
		want[i] = want[i][5:]
	}
	for _, oldest := range []bool{false, true} {
		all := slices.Clone(want)
		if oldest { // the moments turn round, the ids of one moment do not
			slices.SortStableFunc(all, func(a, b string) int { return momentOf(a) - momentOf(b) })
		}
		for _, limit := range []int{1, 7, 100} {
			q := incident.MentionQuery{Names: []string{"host:web", "host:db"}, Oldest: oldest, Limit: limit}
			var got []string
			for range len(want) + 1 {
				page := listMentions(t, d.Store, q)
				if len(page) == 0 {
					break
				}
				got = append(got, mentionedIDs(page)...)
				last := page[len(page)-1]
				q.After = incident.ListPosition{Created: last.Created, ID: last.ID}
			}
			checkStrings(t, fmt.Sprintf("by %d, oldest first %v", limit, oldest), got, all)
		}
	}
}

// momentOf is the minute in which mentionPages created an alert.
func momentOf(id string) int {
	var n int
	fmt.Sscanf(id, "gd%d", &n)
	return n / 4
}

func mentionsFollow(t *testing.T, d Driver) {
	m, f := withEvidence(alertRecord(0), hostEntity("web")), withEvidence(alertRecord(3), hostEntity("web"))
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, f}, Incidents: []incident.Incident{plainIncident("10000", 0), plainIncident("10001", 1)}})
	by := func(name string) []incident.Mention {
		return listMentions(t, d.Store, incident.MentionQuery{Names: []string{name}})
	}
	m = withEvidence(m, hostEntity("web"), hostEntity("db"))
	m.Status, m.Incident = alert.StatusResolved, "10001"
	f.FoldedInto = m.Alert.ID
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{m, f}})
	for _, name := range []string{"host:web", "host:db"} {
		got := by(name)
		checkStrings(t, name, mentionedIDs(got), []string{alertID(0)})
		if len(got) == 1 && (got[0].Status != alert.StatusResolved || got[0].Incident != "10001") {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
	gone := plainIncident("10001", 1)
	gone.Status, gone.RedirectTo = incident.Redirected, "10000"
	into := plainIncident("10000", 0)
	into.Merged = []string{"10001"}
	commitChanges(t, d.Store, tenant, incident.Changes{Incidents: []incident.Incident{gone, into}})
	if got := by("host:web"); len(got) != 1 || got[0].Incident != "10000" {
		t.Errorf("after a merge: %+v", got)
	}
	f.FoldedInto = ""
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: []incident.AlertRecord{f}})
	checkStrings(t, "unfolded", mentionedIDs(by("host:web")), []string{alertID(3), alertID(0)})
}

func identityOfNames(t *testing.T, d Driver) {
	commitChanges(t, d.Store, tenant, incident.Changes{Nodes: []incident.Node{
		{Key: "machine:i-1", Aliases: []string{"host:web.contoso.example"}, Last: minuteAt(1)},
		{Key: "host:web.contoso.example", SameAs: "machine:i-1"},
		{Key: "host:web", Targets: []incident.AliasTarget{{Key: "machine:i-0", Last: minuteAt(0)}, {Key: "machine:i-1", Last: minuteAt(1)}}, Last: minuteAt(1)},
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
		checkJSON(t, name, got, want)
	}
}

func sourceCounts(t *testing.T, d Driver) {
	ms := alertRecords(0, 5)
	ms[1].Alert.Class = alert.Exposure
	ms[2].FoldedInto = alertID(0)
	ms[4].Alert.Origin.Provider = "defender-for-cloud"
	ms[4].Alert.Delivered = minuteAt(90)
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms})
	ms[3].Status = alert.StatusResolved
	commitChanges(t, d.Store, tenant, incident.Changes{Alerts: ms[3:4]}) // a person's doing counts nothing twice
	got, err := d.Store.Sources(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "sources", got, []incident.Source{
		{Provider: "defender-for-cloud", Alerts: 1, Last: minuteAt(90)}, {Provider: "guardduty", Alerts: 2, Exposures: 1, Last: minuteAt(3)},
	})
	if got, err := d.Store.Sources(t.Context(), "fabrikam"); err != nil || len(got) != 0 {
		t.Errorf("of a tenant never seen: %v, %v", got, err)
	}
}
