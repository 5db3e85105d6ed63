package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

const webARN = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890"

// searchReader is a machine of many names in several alerts, an exposure of it, its user, and another machine with a
// like name.
func searchReader() *memoryReader {
	m := &memoryReader{Known: []incident.Incident{someIncident("contoso", "10001", 0), someIncident("contoso", "20001", 1)}, Identities: map[string]incident.Identity{}}
	on := func(n int, in string, es ...entity.Entity) {
		a := alertRecord("contoso", n)
		a.Incident = in
		for _, e := range es {
			a.Alert.Evidence = append(a.Alert.Evidence, alert.Evidence{Entity: e, Role: alert.Victim})
		}
		if in == "" {
			a.Alert.Class = alert.Exposure
		}
		m.Members = append(m.Members, a)
	}
	machine := entity.Entity{Kind: entity.Resource, Value: webARN, Name: "Shop front"}.WithAlias(entity.Host, "web-03.contoso.example").WithAlias(entity.IP, "10.0.0.7")
	on(0, "10001", machine.WithAttr(entity.AttrRegion, "eu-west-1"))
	on(1, "10001", entity.Entity{Kind: entity.Host, Value: "WEB-03.contoso.example"}, entity.Entity{Kind: entity.User, Value: `CONTOSO\dora`})
	on(60*30, "20001", entity.Entity{Kind: entity.Host, Value: "i-0abc1234def567890"}.WithAttr(entity.AttrRegion, "eu-west-2"))
	on(5, "", machine)
	on(6, "20001", entity.Entity{Kind: entity.Host, Value: "web-03.fabrikam.example"}, entity.Entity{Kind: entity.FileHash, Value: strings.Repeat("ab", 32)})
	m.Members = append(m.Members, alertRecord("fabrikam", 0))
	m.Identities["host:web-03.contoso.example"] = incident.Identity{Key: "machine:i-0abc1234def567890", Aliases: []string{"host:web-03.contoso.example"}}
	m.Identities["machine:i-0abc1234def567890"] = m.Identities["host:web-03.contoso.example"]
	return m
}

func TestSearchFindsEverySpelling(t *testing.T) {
	base := serveAPI(t, searchReader())
	for text, want := range map[string]struct {
		alerts    int
		incidents string
		entities  string
		certain   bool
	}{
		webARN:                             {3, "20001,10001", "machine:i-0abc1234def567890", true},
		"I-0ABC1234DEF567890":              {3, "20001,10001", "machine:i-0abc1234def567890", true},
		"web-03.CONTOSO.example":           {3, "10001", "machine:i-0abc1234def567890", true},
		"web-03":                           {4, "20001,10001", "host:web-03.fabrikam.example,machine:i-0abc1234def567890", false},
		"shop front":                       {2, "10001", "machine:i-0abc1234def567890", false},
		"10.0.0.7":                         {2, "10001", "machine:i-0abc1234def567890", false},
		"dora@contoso.example":             {1, "10001", `user:contoso\dora`, false},
		`contoso\DORA`:                     {1, "10001", `user:contoso\dora`, true},
		strings.Repeat("AB", 32):           {1, "20001", "file:" + strings.Repeat("ab", 32), true},
		"20001":                            {0, "20001", "", true},
		alertRecord("contoso", 1).Alert.ID: {1, "10001", "", true},
		"nobody":                           {0, "", "", false},
	} {
		var f searchResults
		sendGet(t, base+"/api/v1/search?q="+url.QueryEscape(text)).into(t, 200, &f)
		var incidents, entities []string
		certain := true
		for _, i := range f.Incidents {
			incidents = append(incidents, i.ID)
			certain = certain && i.Match.Certain
		}
		for _, e := range f.Entities {
			entities = append(entities, e.Key)
			if e.Match.Reason == "" || e.Match.Name == "" || e.Match.Alert == "" {
				t.Errorf("%s: %s does not say why: %+v", text, e.Key, e.Match)
			}
		}
		slices.Sort(entities)
		if len(f.Alerts) != want.alerts || strings.Join(incidents, ",") != want.incidents || strings.Join(entities, ",") != want.entities || !f.Complete {
			t.Errorf("%s: %d alerts, incidents %v, entities %v", text, len(f.Alerts), incidents, entities)
		}
		if len(incidents) > 0 && certain != want.certain {
			t.Errorf("%s: certain %v", text, certain)
		}
	}
	for _, bad := range []string{"", "?q=", "?q=" + strings.Repeat("a", 3000)} {
		sendGet(t, base+"/api/v1/search"+bad).object(t, 400)
	}
}

func TestSearchIsBounded(t *testing.T) {
	m := numberedAlerts(200)
	for i := range m.Members {
		m.Members[i].Alert.Evidence = []alert.Evidence{{Entity: entity.Entity{Kind: entity.IP, Value: "192.0.2.1"}}}
	}
	var f searchResults
	sendGet(t, serveAPI(t, m)+"/api/v1/search?q=192.0.2.1").into(t, 200, &f)
	if f.Complete || len(f.Alerts) != maxSearchMentions || f.Alerts[0].Title != "Alert 199" || len(f.Incidents) != 1 || len(f.Entities) != 1 {
		t.Errorf("complete %v, %d alerts, %d incidents, %d entities", f.Complete, len(f.Alerts), len(f.Incidents), len(f.Entities))
	}
}

func TestSearchKeepsToTheRights(t *testing.T) {
	as := func(r Right) func(*Server) {
		return func(s *Server) {
			s.Authenticate = func(*http.Request) (Principal, error) { return Principal{Tenants: []string{"contoso"}, Rights: r}, nil }
		}
	}
	var f searchResults
	sendGet(t, serveAPI(t, searchReader(), as(ReadAlerts))+"/api/v1/search?q=web-03").into(t, 200, &f)
	if len(f.Alerts) == 0 || len(f.Incidents) != 0 {
		t.Errorf("who reads alerts sees %d alerts, %d incidents", len(f.Alerts), len(f.Incidents))
	}
	f = searchResults{}
	sendGet(t, serveAPI(t, searchReader(), as(ReadIncidents))+"/api/v1/search?q=web-03").into(t, 200, &f)
	if len(f.Alerts) != 0 || len(f.Incidents) == 0 {
		t.Errorf("who reads incidents sees %d alerts, %d incidents", len(f.Alerts), len(f.Incidents))
	}
}

func TestEntityPage(t *testing.T) {
	base := serveAPI(t, searchReader())
	var p entityPage
	sendGet(t, base+"/api/v1/entities/"+entityID("host:web-03.contoso.example")).into(t, 200, &p)
	if p.Key != "machine:i-0abc1234def567890" || p.ID != entityID(p.Key) || p.Kind != "host" || !p.Complete || p.AlertCount != 3 {
		t.Errorf("%+v", p)
	}
	for _, name := range []string{"machine:i-0abc1234def567890", "host:web-03.contoso.example", "host:web-03", "ip:10.0.0.7", "name:shop front"} {
		if !slices.Contains(p.Names, name) {
			t.Errorf("names %v lack %s", p.Names, name)
		}
	}
	if !slices.Contains(p.Spellings, spelling{entity.Host, "WEB-03.contoso.example"}) || !slices.Contains(p.Spellings, spelling{entity.Resource, webARN}) {
		t.Errorf("spellings %v", p.Spellings)
	}
	if p.Attributes[entity.AttrRegion] != "eu-west-2" {
		t.Errorf("the newest alert has the last word: %v", p.Attributes)
	}
	if len(p.Activity) != 2 || p.Activity[0].Date != "2026-03-03" || p.Activity[0].Alerts != 2 || p.Activity[1].BySeverity["medium"] != 1 {
		t.Errorf("activity %+v", p.Activity)
	}
	if len(p.Incidents) != 2 || p.Incidents[0].ID != "20001" || len(p.Exposures) != 1 {
		t.Errorf("incidents %+v, exposures %d", p.Incidents, len(p.Exposures))
	}
	m := sendGet(t, base+"/api/v1/entities/"+p.ID).object(t, 200)
	if m["firstSeen"] != "2026-03-03T00:00:00Z" || m["lastSeen"] != "2026-03-04T06:00:00Z" {
		t.Errorf("seen %v to %v", m["firstSeen"], m["lastSeen"])
	}
	if got := walkAll(t, base+"/api/v1/entities/"+p.ID+"/alerts?$top=2", nil); !slices.Equal(got, []string{"contoso Alert 1800", "contoso Alert 1", "contoso Alert 0"}) {
		t.Errorf("alerts %v", got)
	}
	for _, id := range []string{entityID("host:nobody"), "%00", "!!", entityID("\xff")} {
		sendGet(t, base+"/api/v1/entities/"+id).object(t, 404)
	}
}

func TestSources(t *testing.T) {
	m := numberedAlerts(3)
	m.Members[2].Alert.Origin.Provider = "defender-for-cloud"
	at := day
	base := serveAPI(t, m, func(s *Server) {
		s.Quarantine = quarantineOf(t, events.Rejection{Route: "aws", Provider: "guardduty", Tenant: "contoso", Kind: "invalid", Reason: "no id", Received: at},
			events.Rejection{Route: "aws", Provider: "guardduty", Tenant: "contoso", Kind: "invalid", Reason: "no time", Received: at.Add(1)},
			events.Rejection{Route: "webhook", Tenant: "contoso", Kind: "invalid", Reason: "no JSON", Received: at},
			events.Rejection{Route: "gcp", Tenant: "fabrikam", Kind: "invalid", Reason: "secret", Received: at})
		s.Authenticate = func(*http.Request) (Principal, error) {
			return Principal{Tenants: []string{"contoso"}, Rights: Read}, nil
		}
	})
	var page struct {
		Value []sourceStatus `json:"value"`
	}
	sendGet(t, base+"/api/v1/sources").into(t, 200, &page)
	if len(page.Value) != 3 {
		t.Fatalf("%+v", page.Value)
	}
	if s := page.Value[1]; s.ID != "guardduty" || s.Alerts != 2 || s.Quarantine != 2 || s.LastError == nil || s.LastError.Reason != "no time" || !s.Counted {
		t.Errorf("%+v", s)
	}
	if s := page.Value[2]; s.ID != "webhook" || s.Alerts != 0 || s.Quarantine != 1 {
		t.Errorf("%+v", s)
	}
}

// memorySettings is Settings in memory.
type memorySettings struct{ of map[string]Setting }

func (b *memorySettings) Settings(_ context.Context, tenant string) (Setting, error) {
	s := b.of[tenant]
	s.Tenant, s.Configured = tenant, map[string]string{"JoinAt": "0.5"}
	return s, nil
}

func (b *memorySettings) Set(ctx context.Context, tenant string, version uint64, tuning map[string]string, note func(Setting) (*AuditLine, error)) (Setting, error) {
	if b.of[tenant].Version != version {
		return Setting{}, fault.Errorf(fault.Conflict, "moved on")
	}
	b.of[tenant] = Setting{Tenant: tenant, Version: version + 1, Tuning: tuning}
	if _, err := note(b.of[tenant]); err != nil {
		return Setting{}, err
	}
	return b.Settings(ctx, tenant)
}

func TestSettings(t *testing.T) {
	var log memoryAudit
	base := serveAPI(t, numberedAlerts(1), func(s *Server) { s.Settings, s.AuditLog = &memorySettings{map[string]Setting{}}, &log }) + "/api/v1/settings"
	var s Setting
	sendRequest(t, "PATCH", base, `{"tuning":{"JoinAt":"0.7","MergeAt":"0.9"}}`).into(t, 200, &s)
	if s.Version != 1 || s.Tuning["JoinAt"] != "0.7" || s.Tenant != "contoso" || s.Configured["JoinAt"] != "0.5" {
		t.Errorf("%+v", s)
	}
	sendRequest(t, "PATCH", base, `{"tuning":{"MergeAt":null},"version":1}`).into(t, 200, &s)
	s = Setting{}
	sendGet(t, base).into(t, 200, &s)
	if _, there := s.Tuning["MergeAt"]; there || s.Version != 2 {
		t.Errorf("%+v", s)
	}
	if len(log.entries) != 2 || log.entries[0].Target != "settings" || !strings.Contains(string(log.entries[0].After), "0.7") {
		t.Errorf("audit %+v", log.entries)
	}
	for body, status := range map[string]int{
		`{"tuning":{"JoinAt":"2"}}`: 400, `{"tuning":{"Nonsense":"2"}}`: 400, `{"tuning":{"JoinAt":0.7}}`: 400, `{}`: 400, `[]`: 400, `{"tuning":{},"mode":"off"}`: 400,
		`{"tuning":{"JoinAt":"0.6"},"version":1}`: 409,
	} {
		if a := sendRequest(t, "PATCH", base, body); a.StatusCode != status {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.body)
		}
	}
}

// memoryAudit keeps entries in memory.
type memoryAudit struct{ entries []AuditEntry }

// Line keeps the entry of a change that a fake makes.
func (m *memoryAudit) EncodeEntry(e AuditEntry) (incident.AuditEntry, error) {
	m.entries = append(m.entries, e)
	return incident.AuditEntry{}, nil
}

func (m *memoryAudit) Append(_ context.Context, e AuditEntry) error {
	m.entries = append(m.entries, e)
	return nil
}
func (m *memoryAudit) Entries(context.Context, string, string, int) ([]AuditEntry, error) {
	return m.entries, nil
}
func (m *memoryAudit) Tenants(context.Context) ([]string, error) { return nil, nil }
