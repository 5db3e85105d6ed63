package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

func TestDocumentNamesEveryRoute(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]jsontext.Value `json:"paths"`
	}
	if err := json.Unmarshal(openAPIDocument, &doc); err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, r := range (&Server{}).routeTable() {
		served[strings.ToLower(r.method)+" "+r.path] = true
		if _, ok := doc.Paths[r.path][strings.ToLower(r.method)]; !ok {
			t.Errorf("%s %s is served and not described", r.method, r.path)
		}
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if !served[method+" "+path] {
				t.Errorf("%s %s is described and not served", method, path)
			}
		}
	}
}

// TestDocumentNamesEveryProperty holds the schemas against the structs.
func TestDocumentNamesEveryProperty(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]jsontext.Value `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPIDocument, &doc); err != nil {
		t.Fatal(err)
	}
	for schema, names := range map[string][]string{
		"alert": graph.MemberNames[graph.Alert](), "incident": graph.MemberNames[graph.Incident](), "exposure": graph.MemberNames[graph.Exposure](),
		"chapter": graph.MemberNames[graph.AlertReasons](), "quarantined": graph.MemberNames[quarantinedRecord](), "status": graph.MemberNames[serverStatus](),
		"asset": graph.MemberNames[graph.Asset](), "assets": graph.MemberNames[graph.AssetsByCategory](), "alertEvidence": graph.MemberNames[graph.AlertEvidence](),
		"incidentAdditionalData": graph.MemberNames[graph.IncidentDictionary](), "priorityPart": graph.MemberNames[graph.PriorityPart](), "storyGraph": graph.MemberNames[graph.StoryGraph](),
		"storyNode": graph.MemberNames[graph.StoryNode](), "storyEdge": graph.MemberNames[graph.StoryEdge](), "mergedBecause": graph.MemberNames[graph.MergeReason](), "sighting": graph.MemberNames[graph.Sighting](),
		"export": graph.MemberNames[Export](), "exportRun": graph.MemberNames[ExportRun](), "delivery": graph.MemberNames[Delivery](),
		"match": graph.MemberNames[matchReason](), "entityHit": graph.MemberNames[entityResult](), "incidentHit": graph.MemberNames[incidentResult](), "alertHit": graph.MemberNames[alertResult](),
		"hits": graph.MemberNames[searchResults](), "activeDay": graph.MemberNames[activeDay](), "entity": graph.MemberNames[entityPage](), "source": graph.MemberNames[sourceStatus](), "settings": graph.MemberNames[Setting](),
	} {
		for _, n := range names {
			if _, ok := doc.Components.Schemas[schema].Properties[n]; !ok {
				t.Errorf("schema %s lacks %s", schema, n)
			}
		}
	}
}

func TestStatus(t *testing.T) {
	base := serveAPI(t, numberedAlerts(3), func(s *Server) {
		s.Bus = func(context.Context) (Bus, error) { return Bus{Pending: 7, DeadLettered: 2}, nil }
	})
	const want = `{"bus":{"pending":7,"deadLettered":2},"store":{"alerts":3,"exposures":0,"incidents":1},"version":"test"}`
	if got := string(sendGet(t, base+"/api/v1/status").body); got != want {
		t.Errorf("%s", got)
	}
}

func TestReadiness(t *testing.T) {
	base := serveAPI(t, numberedAlerts(0), func(s *Server) { s.Ready = func(context.Context) error { return errors.New("store opens") } })
	if a := sendGet(t, base+"/readyz"); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if a := sendGet(t, base+"/healthz"); a.StatusCode != 200 {
		t.Errorf("healthz %d", a.StatusCode)
	}
}

func TestExposures(t *testing.T) {
	m := numberedAlerts(2)
	for i := range 5 {
		x := alertRecord("contoso", 10+i)
		x.Alert.Class, x.Incident = alert.Exposure, ""
		x.Alert.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.Resource, Value: []string{"arn:aws:s3:::logs", "arn:aws:s3:::data"}[i%2]}, Role: alert.Victim}}
		m.Members = append(m.Members, x)
	}
	base := serveAPI(t, m)
	if got := sendGet(t, base+"/api/v1/exposures").titles(t); len(got) != 5 {
		t.Errorf("all: %v", got)
	}
	var page struct {
		Count int              `json:"@odata.count"`
		Next  string           `json:"@odata.nextLink"`
		Value []graph.Exposure `json:"value"`
	}
	var seen []string
	for next := base + "/api/v1/exposures?resource=LOGS&$top=2&$count=true"; next != ""; next = page.Next {
		page.Next, page.Value = "", nil
		body := sendGet(t, next).object(t, 200)
		for _, v := range body["value"].([]any) {
			seen = append(seen, v.(map[string]any)["title"].(string))
		}
		page.Next, _ = body["@odata.nextLink"].(string)
		if body["@odata.count"] != 3.0 {
			t.Errorf("count %v", body["@odata.count"])
		}
	}
	if !slices.Equal(seen, []string{"Alert 14", "Alert 12", "Alert 10"}) {
		t.Errorf("of logs: %v", seen)
	}
	id := m.Members[2].Alert.ID
	x := sendGet(t, base+"/api/v1/exposures/"+id).object(t, 200)
	for _, name := range []string{"id", "providerFindingId", "title", "severity", "status", "resources", "account", "firstSeen", "lastSeen", "source"} {
		if x[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if a := sendGet(t, base+"/v1.0/security/alerts_v2/"+id); a.StatusCode != 404 {
		t.Errorf("an exposure among alerts: %d", a.StatusCode)
	}
	if a := sendGet(t, base+"/api/v1/exposures/"+m.Members[0].Alert.ID); a.StatusCode != 404 {
		t.Errorf("an alert among exposures: %d", a.StatusCode)
	}
}

func TestStory(t *testing.T) {
	m := numberedAlerts(2)
	m.Members[1].Reasons = []incident.Reason{{Rule: "shared entity", Alert: m.Members[0].Alert.ID, Entity: "machine:i-0abc", Name: "web", Weight: 0.8, Gap: time.Minute}}
	m.Members[1].Alert.Raw = jsontext.Value(`{"id":"finding-1","detail":{"x":1}}`)
	m.Known[0].Assets = []incident.Asset{{Key: "machine:i-0abc", Kind: entity.Resource, Name: "web", Value: "arn:…", Cloud: entity.Amazon}, {Kind: entity.User, Name: "dora"}}
	base := serveAPI(t, m) + "/api/v1/"
	var page struct {
		Value []struct {
			Title   string             `json:"title"`
			Time    time.Time          `json:"time"`
			Reasons []graph.LinkReason `json:"reasons"`
		} `json:"value"`
	}
	sendGet(t, base+"incidents/10001/reasons").into(t, 200, &page)
	if len(page.Value) != 2 || len(page.Value[0].Reasons) != 0 || page.Value[1].Reasons[0] != (graph.LinkReason{Rule: "shared entity", AlertID: m.Members[0].Alert.ID, Entity: "machine:i-0abc", Name: "web", Weight: 0.8, GapSeconds: 60}) {
		t.Errorf("%+v", page)
	}
	assets := sendGet(t, base+"incidents/10001/assets").object(t, 200)
	if len(assets["cloudResources"].([]any)) != 1 || len(assets["users"].([]any)) != 1 || assets["count"] != 2.0 || len(assets["devices"].([]any)) != 0 {
		t.Errorf("%v", assets)
	}
	if got := string(sendGet(t, base+"alerts/"+m.Members[1].Alert.ID+"/raw").body); got != string(m.Members[1].Alert.Raw) {
		t.Errorf("raw %s", got)
	}
	if a := sendGet(t, base+"alerts/"+m.Members[0].Alert.ID+"/raw"); a.StatusCode != 404 {
		t.Errorf("raw of nothing: %d", a.StatusCode)
	}
}

// replayer takes records whose body is "good" and asks for another try at "later".
type replayer struct{}

func (replayer) Replay(_ context.Context, r events.Rejection) (Replayed, error) {
	switch r.Body {
	case "good":
		return Replayed{AlertIDs: []string{"cu1"}}, nil
	case "later":
		return Replayed{}, errors.New("bus is full")
	}
	return Replayed{}, fault.Errorf(fault.Invalid, "title: missing")
}

func TestQuarantine(t *testing.T) {
	var rs []events.Rejection
	for _, body := range []string{"good", "bad", "good"} {
		r := events.Rejection{Route: "aws", Tenant: []string{"contoso", ""}[len(rs)/2], Kind: "invalid", Reason: "title: missing", Received: day, Headers: map[string]string{"content-type": "x"}}
		r.SetBody([]byte(body))
		rs = append(rs, r)
	}
	s := quarantineOf(t, rs...)
	base := serveAPI(t, numberedAlerts(0), func(v *Server) { v.Quarantine, v.Replayer = s, replayer{} }) + "/api/v1/quarantine"

	ids := map[string]string{}
	for next := base + "?$top=2"; next != ""; {
		m := sendGet(t, next).object(t, 200)
		for _, v := range m["value"].([]any) {
			id := v.(map[string]any)["id"].(string)
			one := sendGet(t, base+"/"+id).object(t, 200)
			ids[id] = one["body"].(string)
			for _, name := range []string{"reason", "kind", "route", "received", "size", "headers"} {
				if one[name] == nil {
					t.Errorf("%s is missing", name)
				}
			}
		}
		next, _ = m["@odata.nextLink"].(string)
	}
	if len(ids) != 3 {
		t.Fatalf("listed %v", ids)
	}
	if a := sendGet(t, base+"/nope"); a.StatusCode != 404 {
		t.Errorf("nope: %d", a.StatusCode)
	}
	m := sendRequest(t, http.MethodPost, base+"/replay", `{"all":true}`).object(t, 200)
	for _, v := range m["value"].([]any) {
		r := v.(map[string]any)
		if good := ids[r["id"].(string)] == "good"; r["taken"] != good || (r["reason"] == nil) != good {
			t.Errorf("%v", r)
		}
	}
	if len(s.Events) != 1 {
		t.Errorf("%d left in quarantine", len(s.Events))
	}
	m = sendRequest(t, http.MethodPost, base+"/replay", `{"ids":["nope","`+s.Events[0].ID+`"]}`).object(t, 200)
	if got := len(m["value"].([]any)); got != 2 {
		t.Errorf("answers for %d of 2 ids", got)
	}
	for _, body := range []string{``, `{}`, `{"all":true,"ids":["x"]}`, `{"some":1}`, `[]`} {
		if a := sendRequest(t, http.MethodPost, base+"/replay", body); a.StatusCode != 400 {
			t.Errorf("%q: %d", body, a.StatusCode)
		}
	}
	if a := sendGet(t, base+"/replay"); a.StatusCode != 404 && a.StatusCode != 405 {
		t.Errorf("GET replay: %d", a.StatusCode)
	}
}

func TestQuarantineOfOthersStaysHidden(t *testing.T) {
	mine := events.Rejection{Tenant: "contoso", Body: "a"}
	nobodys := events.Rejection{Body: "b"}
	s := quarantineOf(t, mine, nobodys, events.Rejection{Tenant: "fabrikam", Body: "c"})
	base := serveAPI(t, numberedAlerts(0), func(v *Server) {
		v.Quarantine, v.Replayer = s, replayer{}
		v.Authenticate = func(*http.Request) (Principal, error) {
			return Principal{Tenants: []string{"contoso"}, Rights: Read}, nil
		}
	}) + "/api/v1/quarantine"
	if got := sendGet(t, base).object(t, 200)["value"].([]any); len(got) != 1 {
		t.Errorf("sees %v", got)
	}
	if a := sendRequest(t, http.MethodPost, base+"/replay", `{"all":true}`); a.StatusCode != 403 {
		t.Errorf("replays: %d", a.StatusCode)
	}
}
