package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

func escapeQuery(s string) string { return strings.NewReplacer(" ", "%20", "'", "%27").Replace(s) }

func TestPagingMeetsEveryAlertOnce(t *testing.T) {
	base := serveAPI(t, numberedAlerts(250))
	seen := map[string]bool{}
	pages := 0
	for next := base + "/v1.0/security/alerts_v2?$count=true&$select=id,title"; next != ""; pages++ {
		m := sendGet(t, next).object(t, 200)
		if m["@odata.count"] != 250.0 {
			t.Fatalf("count %v", m["@odata.count"])
		}
		for _, v := range m["value"].([]any) {
			id := v.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
		}
		next, _ = m["@odata.nextLink"].(string)
		if next != "" && (!strings.HasPrefix(next, base) || !strings.Contains(next, "$select=id%2Ctitle") || !strings.Contains(next, "$count=true")) {
			t.Errorf("nextLink %s", next)
		}
	}
	if len(seen) != 250 || pages != 3 {
		t.Errorf("%d alerts on %d pages", len(seen), pages)
	}
}

func TestClients(t *testing.T) {
	m := numberedAlerts(10)
	m.Members[3].Updated = day.Add(time.Hour)
	base := serveAPI(t, m)
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"Wazuh":          {"?$top=50&$filter=createdDateTime+ge+2026-03-03T00:03:00Z+and+createdDateTime+lt+2026-03-03T00:05:00Z", []string{"Alert 4", "Alert 3"}},
		"Wazuh, escaped": {"?%24top=50&%24filter=createdDateTime%20ge%202026-03-03T00:08:00.000Z", []string{"Alert 9", "Alert 8"}},
		"Elastic":        {"?$top=1000&$skip=0&$filter=" + escapeQuery("lastUpdateDateTime gt 2026-03-03T00:08:00Z") + "&$orderby=lastUpdateDateTime+asc", []string{"Alert 9", "Alert 3"}},
		"bare plus":      {"?$filter=createdDateTime ge 2026-03-03T01:09:00+01:00", []string{"Alert 9"}},
	} {
		if got := sendGet(t, base+"/v1.0/security/alerts_v2"+strings.ReplaceAll(tt.query, " ", "%20")).titles(t); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	r := sendGet(t, base+"/v1.0/security/incidents?$top=50&$skip=0&$filter="+escapeQuery("lastUpdateDateTime ge 2026-03-03T00:00:00Z")+"&$orderby=lastUpdateDateTime%20asc&$expand=alerts").object(t, 200)
	if n := len(r["value"].([]any)[0].(map[string]any)["alerts"].([]any)); n != 10 {
		t.Errorf("expanded %d alerts", n)
	}
	x := sendGet(t, base+"/v1.0/security/incidents?$filter="+escapeQuery("createdDateTime gt 2026-01-01T00:00:00Z and status ne 'resolved'")+"&$expand=alerts&$top=20", "Prefer", "include-unknown-enum-members")
	if x.Header.Get("Preference-Applied") != "include-unknown-enum-members" || x.StatusCode != 200 {
		t.Errorf("XSOAR: %d %v", x.StatusCode, x.Header)
	}
}

func TestFilters(t *testing.T) {
	m := numberedAlerts(4)
	m.Members[0].Alert.Severity = alert.Critical
	m.Members[1].Alert.Severity = alert.Low
	m.Members[1].AssignedTo = "dora@contoso.example"
	m.Members[2].Classification, m.Members[2].Determination = "truePositive", "malware"
	m.Members[3].Alert.Title, m.Members[3].Status = "It's on", alert.StatusResolved
	base := serveAPI(t, m)
	for filter, want := range map[string]string{
		"severity eq 'high'":                                             "Alert 0",
		"severity ge 'Medium'":                                           "Alert 0,Alert 2,It's on",
		"severity lt 'medium'":                                           "Alert 1",
		"assignedTo eq null":                                             "Alert 0,Alert 2,It's on",
		"assignedTo ne null":                                             "Alert 1",
		"null ne assignedTo":                                             "Alert 1",
		"classification eq 'unknown'":                                    "Alert 0,Alert 1,It's on",
		"classification eq 'TRUEPOSITIVE'":                               "Alert 2",
		"not (status eq 'resolved')":                                     "Alert 0,Alert 1,Alert 2",
		"status in ('resolved', 'inProgress')":                           "It's on",
		"title eq 'it''s on'":                                            "It's on",
		"incidentId eq '10001' and title ne 'Alert 0'":                   "Alert 1,Alert 2,It's on",
		"severity eq 'low' or severity eq 'high'":                        "Alert 0,Alert 1",
		"severity eq 'low' and status eq 'new' or not (status eq 'new')": "Alert 1,It's on",
		"serviceSource eq 'microsoftDefenderForCloud'":                   "Alert 0,Alert 1,Alert 2,It's on",
		"serviceSource eq 'unknownFutureValue'":                          "Alert 0,Alert 1,Alert 2,It's on",
		"createdDateTime eq 2026-03-03T00:02:00Z":                        "Alert 2",
		"createdDateTime ne 2026-03-03T00:02:00Z":                        "Alert 0,Alert 1,It's on",
		"2026-03-03T00:02:00Z lt createdDateTime":                        "It's on",
	} {
		r := sendGet(t, base+"/v1.0/security/alerts_v2?$orderby=createdDateTime&$filter="+url.QueryEscape(filter))
		if got := strings.Join(r.titles(t), ","); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	if got := string(sendGet(t, base+"/v1.0/security/alerts_v2/$count?$filter="+escapeQuery("severity eq 'low'"), "Accept", "text/plain").body); got != "1" {
		t.Errorf("$count %q", got)
	}
}

func TestRefusals(t *testing.T) {
	base := serveAPI(t, numberedAlerts(3)) + "/v1.0/security/"
	for path, tt := range map[string]struct {
		status int
		words  string
	}{
		"alerts_v2?$top=-1":                                    {400, "$top"},
		"alerts_v2?$skip=x":                                    {400, "$skip"},
		"alerts_v2?$search=x":                                  {400, "$search"},
		"alerts_v2?$expand=evidence":                           {400, "evidence"},
		"alerts_v2?$select=nonsense":                           {400, "nonsense"},
		"alerts_v2?$top=1&%24Top=2":                            {400, "more than once"},
		"alerts_v2?$orderby=nonsense":                          {400, "nonsense"},
		"alerts_v2?$filter=investigationState%20eq%20%27x%27":  {400, "column 1"},
		"alerts_v2?$filter=severity%20eq%20%27grave%27":        {400, "'grave' is not a member of alertSeverity"},
		"alerts_v2?$filter=severity%20eq%20high":               {400, "column 13"},
		"alerts_v2?$filter=createdDateTime%20ge%20%272026%27":  {400, "without quotes"},
		"alerts_v2?$filter=contains(title,%27x%27)":            {400, "function"},
		"alerts_v2?$filter=severity%20eq":                      {400, "the end"},
		"alerts_v2?$filter=":                                   {400, "column 1"},
		"alerts_v2?$filter=" + strings.Repeat("a", 100_000):    {400, "100000 bytes"},
		"alerts_v2?$filter=" + strings.Repeat("(", 5000):       {400, "deep"},
		"alerts_v2?$filter=%zz":                                {400, "cannot be read"},
		"alerts_v2/nope":                                       {404, "No alert with id 'nope'"},
		"incidents/nope":                                       {404, "No incident"},
		"incidents/10001/alerts/nope":                          {404, "No alert"},
		"nonsense":                                             {404, "Resource not found"},
		"incidents?$filter=serviceSource%20eq%20%27unknown%27": {400, "not a property"},
	} {
		var e errorBody
		a := sendGet(t, base+path, "client-request-id", "mine")
		a.into(t, tt.status, &e)
		if !strings.Contains(e.Error.Message, tt.words) || e.Error.Code == "" {
			t.Errorf("%.60s: %q %q lacks %q", path, e.Error.Code, e.Error.Message, tt.words)
		}
		if e.Error.Inner.ClientRequestID != "mine" || e.Error.Inner.RequestID != a.Header.Get("request-id") || e.Error.Inner.Date != "2026-03-03T00:00:00" || a.Header.Get("client-request-id") != "mine" {
			t.Errorf("%.60s: inner error %+v", path, e.Error.Inner)
		}
	}
}

func TestErrorBodiesWordForWord(t *testing.T) {
	base := serveAPI(t, numberedAlerts(1))
	ids := regexp.MustCompile(`"request-id":"[0-9a-f-]{36}"`)
	a := sendGet(t, base+"/v1.0/security/incidents?$top=100", "client-request-id", "c1")
	const want = `{"error":{"code":"","message":"The query specified in the URI is not valid. The limit of '50' for Top query has been exceeded. ` +
		`The value from the incoming request is '100'.","details":[],"innerError":{"date":"2026-03-03T00:00:00","request-id":"R","client-request-id":"c1"}}}`
	if got := ids.ReplaceAllString(string(a.body), `"request-id":"R"`); a.StatusCode != 400 || got != want {
		t.Errorf("%d %s\nwant %s", a.StatusCode, got, want)
	}
	for _, method := range []string{"POST", "DELETE", "PATCH", "PUT"} {
		var e errorBody
		a := sendRequest(t, method, base+"/v1.0/security/alerts_v2", "{}")
		a.into(t, 405, &e)
		if e.Error.Code != "notAllowed" || !strings.Contains(a.Header.Get("Allow"), "GET") || e.Error.Inner.RequestID == "" {
			t.Errorf("%s: %s allow %q", method, a.body, a.Header.Get("Allow"))
		}
	}
}

// brokenReader panics or fails as told.
type brokenReader struct {
	*memoryReader
	panics bool
}

func (b brokenReader) Alerts(context.Context, string, query.Query) (query.Page[incident.AlertRecord], error) {
	if b.panics {
		panic("boom")
	}
	return query.Page[incident.AlertRecord]{}, errors.New("disk on fire at /secret")
}

func TestInnerTroubleStaysInside(t *testing.T) {
	for _, tt := range []struct {
		panics bool
		status int
		code   string
	}{{true, 500, "generalException"}, {false, 503, "serviceNotAvailable"}} {
		base := serveAPI(t, brokenReader{numberedAlerts(1), tt.panics})
		var e errorBody
		a := sendGet(t, base+"/v1.0/security/alerts_v2")
		a.into(t, tt.status, &e)
		if e.Error.Code != tt.code || strings.Contains(string(a.body), "secret") || strings.Contains(string(a.body), "boom") {
			t.Errorf("%s", a.body)
		}
	}
}

func TestPagesAtTheEdges(t *testing.T) {
	base := serveAPI(t, numberedAlerts(3)) + "/v1.0/security/"
	for path, n := range map[string]int{
		"alerts_v2?$skip=1000": 0, "alerts_v2?$top=0": 0, "alerts_v2?$top=5000": 3, "incidents?$top=50": 1, "incidents?$skip=2": 0,
	} {
		m := sendGet(t, base+path).object(t, 200)
		if len(m["value"].([]any)) != n || m["@odata.nextLink"] != nil {
			t.Errorf("%s: %v", path, m)
		}
	}
	m := sendGet(t, base+"alerts_v2?$top=0&$count=true").object(t, 200)
	if m["@odata.count"] != 3.0 {
		t.Errorf("count of an empty page: %v", m["@odata.count"])
	}
}

func TestSpellings(t *testing.T) {
	base := serveAPI(t, numberedAlerts(1))
	id := alertRecord("contoso", 0).Alert.ID
	for _, path := range []string{
		"/v1.0/security/alerts_v2", "/V1.0/Security/Alerts_V2/", "/beta/security/incidents/10001/Alerts",
		"/v1.0/security/alerts_v2/" + id, "/v1.0/security/incidents/10001/alerts/" + id, "/v1.0/security/alerts_v2/%24COUNT",
		"/v1.0/security/incidents/$count", "/v1.0/security/incidents/10001/alerts/$count", "/openapi.json", "/healthz", "/readyz", "/api/v1/status",
	} {
		if a := sendGet(t, base+path); a.StatusCode != 200 {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	m := sendGet(t, base+"/beta/security/alerts_v2").object(t, 200)
	if m["@odata.context"] != base+"/beta/$metadata#security/alerts_v2" {
		t.Errorf("context %v", m["@odata.context"])
	}
	m = sendGet(t, base+"/v1.0/security/incidents/10001?$expand=alerts&$select=displayName").object(t, 200)
	if m["@odata.context"] != base+"/v1.0/$metadata#security/incidents/$entity" || m["displayName"] == nil || m["alerts"] == nil || m["status"] != nil {
		t.Errorf("%v", m)
	}
}

func TestLateEnumMembersNeedThePreference(t *testing.T) {
	base := serveAPI(t, numberedAlerts(1)) + "/v1.0/security/alerts_v2"
	item := func(headers ...string) map[string]any {
		return sendGet(t, base, headers...).object(t, 200)["value"].([]any)[0].(map[string]any)
	}
	if got := item(); got["serviceSource"] != "unknownFutureValue" || got["detectionSource"] != "unknownFutureValue" {
		t.Errorf("without: %v %v", got["serviceSource"], got["detectionSource"])
	}
	if got := item("Prefer", "odata.maxpagesize=5, Include-Unknown-Enum-Members"); got["serviceSource"] != "microsoftDefenderForCloud" {
		t.Errorf("with: %v", got["serviceSource"])
	}
	got := item()
	for _, null := range []string{"classification", "determination", "assignedTo", "resolvedDateTime"} {
		if v, has := got[null]; v != nil || !has {
			t.Errorf("%s: %v", null, v)
		}
	}
	if got["createdDateTime"] != "2026-03-03T00:00:00Z" || got["@odata.type"] != "#microsoft.graph.security.alert" {
		t.Errorf("%v", got)
	}
}

func TestCursorIsAHighWaterMark(t *testing.T) {
	m := numberedAlerts(1)
	m.Members[0].Updated = day.Add(123456789) // finer than what is shown
	base := serveAPI(t, m) + "/v1.0/security/alerts_v2"
	shown := sendGet(t, base).object(t, 200)["value"].([]any)[0].(map[string]any)["lastUpdateDateTime"].(string)
	if shown != "2026-03-03T00:00:00.1234567Z" {
		t.Fatal(shown)
	}
	for op, n := range map[string]int{"gt": 0, "ge": 1, "eq": 1, "le": 1, "lt": 0, "ne": 0} {
		if got := sendGet(t, base+"?$filter="+escapeQuery("lastUpdateDateTime "+op+" "+shown)).titles(t); len(got) != n {
			t.Errorf("%s: %v", op, got)
		}
	}
}

func TestCompression(t *testing.T) {
	base := serveAPI(t, numberedAlerts(5)) + "/v1.0/security/alerts_v2"
	for header, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "": "", "identity": ""} {
		a := sendGet(t, base, "Accept-Encoding", header)
		if a.Header.Get("Content-Encoding") != want || len(a.titles(t)) != 5 {
			t.Errorf("%q: %q", header, a.Header.Get("Content-Encoding"))
		}
	}
}

func TestExpansionIsBounded(t *testing.T) {
	base := serveAPI(t, numberedAlerts(1200))
	m := sendGet(t, base+"/v1.0/security/incidents/10001?$expand=alerts").object(t, 200)
	next, _ := m["alerts@odata.nextLink"].(string)
	if len(m["alerts"].([]any)) != 1000 || m["alerts@odata.count"] != 1200.0 || next == "" {
		t.Fatalf("%d alerts, count %v, next %q", len(m["alerts"].([]any)), m["alerts@odata.count"], next)
	}
	rest := 0
	for ; next != ""; next, _ = m["@odata.nextLink"].(string) {
		m = sendGet(t, next).object(t, 200)
		rest += len(m["value"].([]any))
	}
	if rest != 200 {
		t.Errorf("%d beyond the bound", rest)
	}
	several := &memoryReader{}
	for _, id := range []string{"1", "2", "3"} {
		several.Known = append(several.Known, someIncident("contoso", id, 0))
		for i := range 900 {
			a := alertRecord("contoso", i)
			a.Incident, a.Alert.ID = id, id+a.Alert.ID
			several.Members = append(several.Members, a)
		}
	}
	total := 0
	for _, i := range sendGet(t, serveAPI(t, several)+"/v1.0/security/incidents?$expand=alerts").object(t, 200)["value"].([]any) {
		i := i.(map[string]any)
		total += len(i["alerts"].([]any))
		if (len(i["alerts"].([]any)) < 900) != (i["alerts@odata.nextLink"] != nil) {
			t.Errorf("%v: %d alerts, next %v", i["id"], len(i["alerts"].([]any)), i["alerts@odata.nextLink"])
		}
	}
	if total != maxExpandedPage {
		t.Errorf("%d alerts in one answer", total)
	}
}

func TestTenants(t *testing.T) {
	m := &memoryReader{}
	for i := range 450 {
		m.Members = append(m.Members, alertRecord([]string{"contoso", "fabrikam", "tailspin"}[i%3], i))
	}
	m.Known = []incident.Incident{someIncident("contoso", "10001", 1), someIncident("fabrikam", "10001", 2), someIncident("fabrikam", "20002", 3)}
	base := serveAPI(t, m)
	titles := sendGet(t, base+"/v1.0/security/alerts_v2?$top=300&$skip=100&$orderby=createdDateTime").titles(t)
	if len(titles) != 300 || titles[0] != "Alert 100" || titles[299] != "Alert 399" || titles[150] != "Alert 250" {
		t.Errorf("merged %d: %v", len(titles), titles[:3])
	}
	if got := string(sendGet(t, base+"/v1.0/security/alerts_v2/$count").body); got != "450" {
		t.Errorf("count of all %s", got)
	}
	if got := string(sendGet(t, base+"/v1.0/security/alerts_v2/$count?tid=contoso").body); got != "150" {
		t.Errorf("count of one %s", got)
	}
	page := sendGet(t, base+"/v1.0/security/alerts_v2?$top=10", TenantHeader, "fabrikam").object(t, 200)
	if next := page["@odata.nextLink"].(string); !strings.Contains(next, "tid=fabrikam") {
		t.Errorf("nextLink %s", next)
	}
	if a := sendGet(t, base+"/v1.0/security/incidents/10001"); a.StatusCode != 400 || !strings.Contains(string(a.body), "tid") {
		t.Errorf("ambiguous id: %d %s", a.StatusCode, a.body)
	}
	if got := sendGet(t, base+"/v1.0/security/incidents/10001?tid=fabrikam").object(t, 200)["tenantId"]; got != "fabrikam" {
		t.Errorf("narrowed: %v", got)
	}
	if got := sendGet(t, base+"/v1.0/security/incidents/20002").object(t, 200)["tenantId"]; got != "fabrikam" {
		t.Errorf("searched: %v", got)
	}
}

// changingReader is a store into which a new alert comes with every reading.
type changingReader struct{ *memoryReader }

func (b changingReader) Alerts(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
	b.Members = append(b.Members, alertRecord(tenant, len(b.Members)))
	return b.memoryReader.Alerts(ctx, tenant, q)
}

func TestNoAnswerShowsAnAlertTwice(t *testing.T) {
	m := numberedAlerts(700)
	m.Members = append(m.Members, alertRecord("fabrikam", 1))
	seen := map[string]bool{}
	for _, title := range sendGet(t, serveAPI(t, changingReader{m})+"/v1.0/security/alerts_v2?$top=1000").titles(t) {
		if seen[title] && title != "Alert 1" { // both tenants have one
			t.Errorf("%s twice", title)
		}
		seen[title] = true
	}
	if len(seen) < 700 {
		t.Errorf("%d of 700 seen", len(seen))
	}
}

func TestPrincipals(t *testing.T) {
	as := func(p Principal, err error) func(*Server) {
		return func(s *Server) { s.Authenticate = func(*http.Request) (Principal, error) { return p, err } }
	}
	m := numberedAlerts(1)
	m.Members = append(m.Members, alertRecord("fabrikam", 1))
	base := serveAPI(t, m, as(Principal{Tenants: []string{"fabrikam"}, Rights: Read}, nil))
	if got := sendGet(t, base+"/v1.0/security/alerts_v2").titles(t); !slices.Equal(got, []string{"Alert 1"}) {
		t.Errorf("sees %v", got)
	}
	for path, status := range map[string]int{
		"/v1.0/security/alerts_v2?tid=contoso":                           403,
		"/v1.0/security/alerts_v2?tid=nobody":                            403,
		"/v1.0/security/alerts_v2/" + alertRecord("contoso", 0).Alert.ID: 404,
		"/v1.0/security/alerts_v2?tid=fabrikam&tid=contoso":              400,
	} {
		if a := sendGet(t, base+path); a.StatusCode != status {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	base = serveAPI(t, m, as(Principal{}, errors.New("token expired")))
	if a := sendGet(t, base+"/v1.0/security/alerts_v2"); a.StatusCode != 401 || !strings.Contains(string(a.body), `"unauthenticated"`) || a.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	base = serveAPI(t, m, as(Principal{}, fault.Errorf(fault.Denied, "no role")))
	if a := sendGet(t, base+"/v1.0/security/alerts_v2"); a.StatusCode != 403 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := sendGet(t, base+"/healthz"); a.StatusCode != 200 {
		t.Errorf("healthz asks who: %d", a.StatusCode)
	}
}

func TestOpenModeServesThisMachineOnly(t *testing.T) {
	for _, tt := range []struct {
		host, origin string
		ok           bool
	}{{"localhost:7071", "", true}, {"[::1]:7071", "", true}, {"127.0.0.1", "", true}, {"evil.example", "", false}, {"localhost:7071", "https://evil.example", false}} {
		r, _ := http.NewRequest("POST", "http://x/api/v1/quarantine/replay", nil)
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if _, err := AllowLoopback(r); (err == nil) != tt.ok {
			t.Errorf("%v: %v", tt, err)
		}
	}
}
