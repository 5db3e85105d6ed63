package api

import (
	"slices"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

func TestIncidentExposures(t *testing.T) {
	m := numberedAlerts(1)
	for i, status := range []alert.Status{alert.StatusNew, alert.StatusResolved} {
		x := alertRecord("contoso", 10+i)
		x.Alert.Class, x.Incident, x.Status = alert.Exposure, "", status
		m.Members = append(m.Members, x)
	}
	open, closed := m.Members[1].Alert.ID, m.Members[2].Alert.ID
	m.Known[0].Assets = []incident.Asset{{Key: "machine:i-0abc", Kind: entity.Resource, Name: "render-07"}}
	m.Known[0].Exposures = []incident.OpenExposure{
		{ID: open, Asset: "machine:i-0abc"}, {ID: closed, Asset: "machine:i-0abc"}, {ID: "forgotten", Asset: "x"}, {ID: open, Asset: "resource:other"},
	}
	var got struct {
		Value []struct {
			ID     string   `json:"id"`
			Title  string   `json:"title"`
			Assets []string `json:"assets"`
		} `json:"value"`
	}
	sendGet(t, serveAPI(t, m)+"/api/v1/incidents/10001/exposures").into(t, 200, &got)
	if len(got.Value) != 1 || got.Value[0].ID != open || got.Value[0].Title == "" || !slices.Equal(got.Value[0].Assets, []string{"render-07", "resource:other"}) {
		t.Errorf("want the one that is open, with its two things: %+v", got)
	}
}

// readerWithReasons is an incident of four alerts: the third ties the second's incident in, the fourth has a folded
// copy.
func readerWithReasons() *memoryReader {
	m := numberedAlerts(4)
	id := func(i int) string { return m.Members[i].Alert.ID }
	m.Known[0].Assets = []incident.Asset{{Key: "user:dora", Kind: entity.User, Name: "dora"}}
	m.Known[0].Mergers = []incident.Merger{{Incident: "20001", Opener: id(1), Alert: id(2), Because: incident.Reason{Rule: "shared machine", Alert: id(1), Entity: "machine:i-0abc", Name: "web", Weight: 0.9, Gap: time.Minute}}}
	m.Members[2].Reasons = []incident.Reason{{Rule: "shared user", Alert: id(0), Entity: "user:dora", Name: "dora", Weight: 0.8, Gap: 2 * time.Minute}}
	m.Members[3].Reasons = []incident.Reason{{Rule: "grouped by GuardDuty", Alert: id(2), Weight: 0.95}}
	m.Members[3].Alert.Sightings = []alert.Sighting{{AlertID: id(3), Reporter: m.Members[3].Alert.Reporter}, {AlertID: "copy", Reporter: "Security Hub", Title: "The copy", Rule: "carried id"}}
	return m
}

func TestReasonsTellMergesAndCopies(t *testing.T) {
	m := readerWithReasons()
	var page struct {
		Value []struct {
			Merged    *graph.MergeReason `json:"merged"`
			Sightings []graph.Sighting   `json:"sightings"`
		} `json:"value"`
	}
	sendGet(t, serveAPI(t, m)+"/api/v1/incidents/10001/reasons").into(t, 200, &page)
	c := page.Value
	if len(c) != 4 || c[0].Merged != nil || c[1].Merged == nil || c[1].Merged.AlertID != m.Members[2].Alert.ID || c[1].Merged.Because.Name != "web" || c[1].Merged.IncidentID != "20001" {
		t.Fatalf("the second alert came by a merge: %+v", c)
	}
	if want := []graph.Sighting{{AlertID: "copy", Product: "Security Hub", Title: "The copy", Rule: "carried id"}}; !slices.Equal(c[3].Sightings, want) {
		t.Errorf("copies %+v", c[3].Sightings)
	}
}

func TestGraphOfReasons(t *testing.T) {
	m := readerWithReasons()
	id := func(i int) string { return m.Members[i].Alert.ID }
	var g struct {
		Nodes []struct {
			ID    string `json:"id"`
			Kind  string `json:"kind"`
			Asset bool   `json:"asset"`
		} `json:"nodes"`
		Edges []graph.StoryEdge `json:"edges"`
		More  bool              `json:"more"`
	}
	sendGet(t, serveAPI(t, m)+"/API/v1/incidents/10001/Graph").into(t, 200, &g)
	var nodes []string
	for _, n := range g.Nodes {
		nodes = append(nodes, n.Kind+" "+n.ID)
	}
	wantNodes := []string{"alert " + id(0), "alert " + id(1), "alert " + id(2), "alert " + id(3), "alert copy", "entity user:dora", "entity machine:i-0abc"}
	wantEdges := []graph.StoryEdge{
		{From: "copy", To: id(3), Rule: "carried id", Weight: 1, Product: "Security Hub"},
		{From: id(2), To: id(0), Rule: "shared user", Via: "user:dora", Weight: 0.8, GapSeconds: 120},
		{From: id(2), To: "user:dora", Rule: "touches"},
		{From: id(0), To: "user:dora", Rule: "touches"},
		{From: id(3), To: id(2), Rule: "grouped by GuardDuty", Weight: 0.95},
		{From: id(2), To: id(1), Rule: "merged", Via: "machine:i-0abc", Weight: 0.9, GapSeconds: 60, Merged: "20001"},
		{From: id(2), To: "machine:i-0abc", Rule: "touches"},
		{From: id(1), To: "machine:i-0abc", Rule: "touches"},
	}
	if !slices.Equal(nodes, wantNodes) || !slices.Equal(g.Edges, wantEdges) || g.More {
		t.Errorf("nodes %v\nedges %+v", nodes, g.Edges)
	}
	if !g.Nodes[5].Asset || g.Nodes[6].Asset {
		t.Errorf("of the entities only dora is an asset: %+v", g.Nodes[5:])
	}
}

func TestIncidentsByPriority(t *testing.T) {
	m := numberedAlerts(1)
	grave := m.Known[0]
	grave.ID, grave.Name, grave.Severity, grave.Tactics = "20001", "grave", alert.Critical, []attack.Tactic{attack.InitialAccess, attack.Impact}
	m.Known[0].Severity = alert.Low
	m.Known = append(m.Known, grave)
	base := serveAPI(t, m) + "/v1.0/security/incidents"
	if got := sendGet(t, base+"?$orderby=priorityScore%20desc&$select=displayName,priorityScore").object(t, 200)["value"].([]any); got[0].(map[string]any)["priorityScore"] != 54.0 {
		t.Errorf("the gravest comes first: %v", got)
	}
	if got := sendGet(t, base+"?$filter=priorityScore%20ge%2050").object(t, 200)["value"].([]any); len(got) != 1 {
		t.Errorf("%d incidents of 50 and more", len(got))
	}
	for _, wrong := range []string{"'50'", "many", "5000", "-1"} {
		if a := sendGet(t, base+"?$filter=priorityScore%20ge%20"+wrong); a.StatusCode != 400 {
			t.Errorf("%s: %d", wrong, a.StatusCode)
		}
	}
	more := sendGet(t, base+"/20001").object(t, 200)["additionalData"].(map[string]any)["priority"].([]any)
	if len(more) != 2 || more[0].(map[string]any)["why"] != "gravest alert is critical" {
		t.Errorf("parts %v", more)
	}
}
