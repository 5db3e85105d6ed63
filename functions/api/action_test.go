package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/localstore"
)

// auditStore is an audit log in the journals of the store that is written to, as package access keeps it.
type auditStore struct{ *localstore.Store }

func (l auditStore) EncodeEntry(e AuditEntry) (incident.AuditEntry, error) {
	data, err := json.Marshal(e)
	return incident.AuditEntry{ID: e.ID, Data: data}, err
}

func (l auditStore) Append(ctx context.Context, e AuditEntry) error {
	line, err := l.EncodeEntry(e)
	if err != nil {
		return err
	}
	return l.Store.AppendEntry(ctx, e.Tenant, line)
}

func (l auditStore) Entries(ctx context.Context, tenant, before string, limit int) (out []AuditEntry, err error) {
	lines, err := l.Store.Entries(ctx, tenant, before, limit)
	for _, line := range lines {
		var e AuditEntry
		if err := json.Unmarshal(line.Data, &e); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, err
}

func (l auditStore) Tenants(ctx context.Context) ([]string, error) { return l.AuditedTenants(ctx) }

// writeFixture is the API over a real store and a real correlator, with some alerts in it.
type writeFixture struct {
	t     *testing.T
	base  string
	fn    *correlate.Function
	audit auditStore
}

func newDesk(t *testing.T, adjust ...func(*Server)) *writeFixture {
	t.Helper()
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	store, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := day.Add(24 * time.Hour)
	d := &writeFixture{t: t, audit: auditStore{store}, fn: &correlate.Function{Store: store, Alerts: store, Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}}
	d.base = serveAPI(t, store, append([]func(*Server){func(s *Server) { s.Actions, s.AuditLog = d.fn, d.audit }}, adjust...)...)
	return d
}

// auditEntries are what the audit log has.
func (d *writeFixture) auditEntries() []AuditEntry {
	d.t.Helper()
	es, err := d.audit.Entries(d.t.Context(), "contoso", "", 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return es
}

// addAlert delivers one on a host and gives its id.
func (d *writeFixture) addAlert(id, title, host string, adjust ...func(*alert.Alert)) string {
	d.t.Helper()
	a := alert.Alert{
		Tenant: "contoso", Origin: alert.Origin{Provider: "edr", ID: id}, Reporter: "edr", ReportID: id, Type: title, Title: title,
		Severity: alert.Medium, Status: alert.StatusNew, First: day, Last: day, Updated: day, Delivered: day,
		Evidence: []alert.Evidence{{Entity: entity.Entity{Kind: entity.Host, Value: host}}},
	}
	for _, f := range adjust {
		f(&a)
	}
	a.ID = alert.MakeID(a.Tenant, a.Origin)
	e, err := events.NewAlert(a, "")
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.fn.Handle(d.t.Context(), []cloudevent.Event{e}); err != nil {
		d.t.Fatal(err)
	}
	return a.ID
}

// incidentOf is the incident of an alert.
func (d *writeFixture) incidentOf(alertID string) string {
	d.t.Helper()
	return sendGet(d.t, d.base+"/v1.0/security/alerts_v2/"+alertID).object(d.t, http.StatusOK)["incidentId"].(string)
}

func (d *writeFixture) sendPatch(path, body string, headers ...string) response {
	d.t.Helper()
	return sendRequest(d.t, http.MethodPatch, d.base+path, body, headers...)
}

func (d *writeFixture) sendPost(path, body string, headers ...string) response {
	d.t.Helper()
	return sendRequest(d.t, http.MethodPost, d.base+path, body, headers...)
}

const (
	incidentsPath = "/v1.0/security/incidents/"
	alertsPath    = "/v1.0/security/alerts_v2/"
)

func TestPatchAnIncident(t *testing.T) {
	d := newDesk(t)
	a := d.addAlert("1", "Mimikatz", "web-03.contoso.example")
	id := d.incidentOf(a)
	got := d.sendPatch(incidentsPath+id, `{"@odata.type":"#microsoft.graph.security.incident","status":"RESOLVED","assignedTo":"dora@contoso.example",
		"classification":"TruePositive","determination":"CompromisedUser","customTags":["vip"],"displayName":"Dora's","severity":"high","summary":"s",
		"description":"d","resolvingComment":"r"}`)
	i := got.object(t, http.StatusOK)
	for name, want := range map[string]any{
		"status": "resolved", "assignedTo": "dora@contoso.example", "classification": "truePositive", "determination": "compromisedAccount",
		"displayName": "Dora's", "severity": "high", "summary": "s", "description": "d", "resolvingComment": "r", "lastModifiedBy": "local",
	} {
		if i[name] != want {
			t.Errorf("%s is %v, want %v", name, i[name], want)
		}
	}
	if !strings.HasSuffix(i["@odata.context"].(string), "/v1.0/$metadata#security/incidents/$entity") {
		t.Errorf("context %v", i["@odata.context"])
	}
	m := sendGet(t, d.base+alertsPath+a).object(t, http.StatusOK)
	if m["status"] != "resolved" || m["assignedTo"] != "dora@contoso.example" || m["resolvedDateTime"] == nil || m["classification"] != nil {
		t.Errorf("its alert: %v %v %v", m["status"], m["assignedTo"], m["classification"])
	}
	again := d.sendPatch("/beta/security/incidents/"+id, `{"assignedTo":null,"classification":null}`).object(t, http.StatusOK)
	if again["assignedTo"] != nil || again["classification"] != nil || again["determination"] != nil || again["status"] != "resolved" {
		t.Errorf("null does not clear, or what is omitted does not stay: %v", again)
	}
	if !slices.ContainsFunc(d.auditEntries(), func(e AuditEntry) bool {
		return e.Target == "incident "+id && strings.Contains(string(e.After), `"displayName":"Dora's"`) && e.Action == "PATCH /v1.0/security/incidents/{id}"
	}) {
		t.Errorf("audit %+v", d.auditEntries())
	}
}

func TestWritesThatAreRefused(t *testing.T) {
	d := newDesk(t)
	a := d.addAlert("1", "Mimikatz", "web-03.contoso.example")
	i, p := d.incidentOf(a), "/v1.0/security"
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		target, code             string // of the detail, when the mistake has a property
	}{
		{"unknown property", "PATCH", p + "/incidents/" + i, `{"colour":"red"}`, 400, "colour", "invalidProperty"},
		{"read-only property", "PATCH", p + "/incidents/" + i, `{"createdDateTime":"2026-03-03T00:00:00Z"}`, 400, "createdDateTime", "propertyNotUpdateable"},
		{"an alert's title", "PATCH", p + "/alerts_v2/" + a, `{"title":"x"}`, 400, "title", "propertyNotUpdateable"},
		{"redirected by a client", "PATCH", p + "/incidents/" + i, `{"status":"redirected"}`, 400, "status", "invalidProperty"},
		{"a status that is none", "PATCH", p + "/alerts_v2/" + a, `{"status":"done"}`, 400, "status", "invalidProperty"},
		{"no status", "PATCH", p + "/alerts_v2/" + a, `{"status":null}`, 400, "status", "invalidProperty"},
		{"not a text", "PATCH", p + "/alerts_v2/" + a, `{"assignedTo":7}`, 400, "assignedTo", "invalidProperty"},
		{"not a list", "PATCH", p + "/incidents/" + i, `{"customTags":"vip"}`, 400, "customTags", "invalidProperty"},
		{"an alert has no tags", "PATCH", p + "/alerts_v2/" + a, `{"customTags":["vip"]}`, 400, "customTags", "invalidProperty"},
		{"pair", "PATCH", p + "/alerts_v2/" + a, `{"classification":"falsePositive","determination":"malware"}`, 400, "determination", "invalidProperty"},
		{"no object", "PATCH", p + "/alerts_v2/" + a, `[]`, 400, "", ""},
		{"null", "PATCH", p + "/alerts_v2/" + a, `null`, 400, "", ""},
		{"a name twice", "PATCH", p + "/alerts_v2/" + a, `{"status":"new","status":"resolved"}`, 400, "", ""},
		{"broken", "PATCH", p + "/alerts_v2/" + a, `{"status":`, 400, "", ""},
		{"huge", "PATCH", p + "/alerts_v2/" + a, `{"assignedTo":"` + strings.Repeat("x", maxRequest) + `"}`, 413, "", ""},
		{"nobody's", "PATCH", p + "/alerts_v2/nobody", `{}`, 404, "", ""},
		{"none", "PATCH", p + "/incidents/77", `{}`, 404, "", ""},
		{"comment of 30,001", "POST", p + "/alerts_v2/" + a + "/comments", `{"comment":"` + strings.Repeat("x", 30_001) + `"}`, 400, "comment", "invalidProperty"},
		{"no comment", "POST", p + "/incidents/" + i + "/comments", `{"comment":" "}`, 400, "comment", "invalidProperty"},
		{"somebody else's comment", "POST", p + "/incidents/" + i + "/comments", `{"comment":"x","createdByDisplayName":"eve"}`, 400, "createdByDisplayName", "propertyNotUpdateable"},
		{"merge with nothing", "POST", "/api/v1/incidents/" + i + "/merge", `{}`, 400, "", ""},
		{"merge with what is not there", "POST", "/api/v1/incidents/" + i + "/merge", `{"incidentIds":["77"]}`, 404, "", ""},
		{"split all", "POST", "/api/v1/incidents/" + i + "/split", `{"alertIds":["` + a + `"]}`, 409, "", ""},
		{"split what is not there", "POST", "/api/v1/incidents/" + i + "/split", `{"alertIds":["nobody"]}`, 404, "", ""},
		{"move with unknown field", "POST", "/api/v1/incidents/" + i + "/move", `{"alertIds":["x"],"force":true}`, 400, "", ""},
		{"unfold what is not folded", "POST", "/api/v1/alerts/" + a + "/unfold", ``, 409, "", ""},
		{"bulk of nothing", "POST", "/api/v1/alerts/bulk", `{"ids":["x"]}`, 400, "", ""},
		{"delete", "DELETE", p + "/incidents/" + i, ``, 405, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e errorBody
			sendRequest(t, tt.method, d.base+tt.path, tt.body).into(t, tt.status, &e)
			if tt.target == "" {
				return
			}
			if e.Error.Target != tt.target || e.Error.Details == nil || (*e.Error.Details)[0].Code != tt.code || !strings.Contains(e.Error.Message, "'"+tt.target+"'") {
				t.Errorf("%+v does not name %s", e.Error, tt.target)
			}
		})
	}
	if len(d.auditEntries()) != 0 {
		t.Errorf("what was refused is in the audit log: %+v", d.auditEntries())
	}
}

func gzipped(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(body))
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPackedBodies(t *testing.T) {
	d := newDesk(t)
	path := alertsPath + d.addAlert("1", "Mimikatz", "web-03.contoso.example")
	for _, tt := range []struct {
		name, body, encoding string
		status               int
	}{
		{"packed", gzipped(t, `{"status":"inProgress"}`), "gzip", 200},
		{"packed, and the header says no word", gzipped(t, `{"status":"inProgress"}`), "", 200},
		{"plain, and the header says packed", `{"status":"resolved"}`, "gzip", 200},
		{"another encoding", "x", "br", 415},
		{"broken", gzipped(t, `{"status":"inProgress"}`)[:12], "gzip", 400},
		{"a bomb", gzipped(t, `{"status":"`+strings.Repeat("x", 20<<20)+`"}`), "gzip", 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{}
			if tt.encoding != "" {
				headers = []string{"Content-Encoding", tt.encoding}
			}
			if got := d.sendPatch(path, tt.body, headers...); got.StatusCode != tt.status {
				t.Errorf("%d, want %d: %s", got.StatusCode, tt.status, got.body)
			}
		})
	}
}

func TestIfMatch(t *testing.T) {
	d := newDesk(t)
	a := d.addAlert("1", "Mimikatz", "web-03.contoso.example")
	for _, path := range []string{alertsPath + a, incidentsPath + d.incidentOf(a)} {
		seen := sendGet(t, d.base+path).Header.Get("ETag")
		first := d.sendPatch(path, `{"assignedTo":"dora"}`, "If-Match", seen)
		if seen == "" || first.StatusCode != http.StatusOK || first.Header.Get("ETag") == seen {
			t.Fatalf("%s: %q, then %d with %q", path, seen, first.StatusCode, first.Header.Get("ETag"))
		}
		if late := d.sendPatch(path, `{"assignedTo":"eve"}`, "If-Match", seen); late.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("%s: %d for what was changed since: %s", path, late.StatusCode, late.body)
		}
		if again := d.sendPatch(path, `{"assignedTo":"eve"}`, "If-Match", first.Header.Get("ETag"), "Prefer", "return=minimal"); again.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %d: %s", path, again.StatusCode, again.body)
		}
	}
}

func TestComments(t *testing.T) {
	d := newDesk(t)
	a := d.addAlert("1", "Mimikatz", "web-03.contoso.example")
	i := d.incidentOf(a)
	for n, path := range []string{incidentsPath + i + "/comments", alertsPath + a + "/comments", incidentsPath + i + "/alerts/" + a + "/comments"} {
		one := d.sendPost(path, `{"@odata.type":"microsoft.graph.security.alertComment","comment":"look"}`).object(t, http.StatusOK)
		value := one["value"].([]any)
		first := value[0].(map[string]any)
		if first["comment"] != "look" || first["createdByDisplayName"] != "local" || first["createdDateTime"] == nil || one["@odata.context"] == nil {
			t.Errorf("%s: %v", path, one)
		}
		var list []map[string]any
		d.sendPost(path, `[{"comment":"and"},{"comment":"again"}]`).into(t, http.StatusOK, &list)
		if want := len(value) + 2; len(list) != want || list[want-1]["comment"] != "again" {
			t.Errorf("%d %s: %d comments, want %d", n, path, len(list), want)
		}
	}
}

// alertIDs are the ids of an incident's alerts.
func (d *writeFixture) alertIDs(incidentID string) []string {
	d.t.Helper()
	var page struct {
		Value []struct{ ID string } `json:"value"`
	}
	a := sendGet(d.t, d.base+incidentsPath+incidentID+"/alerts")
	if err := json.Unmarshal(a.body, &page, json.MatchCaseInsensitiveNames(true)); err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, v := range page.Value {
		out = append(out, v.ID)
	}
	slices.Sort(out)
	return out
}

func TestRegrouping(t *testing.T) {
	d := newDesk(t)
	a1, a2 := d.addAlert("1", "Scan", "web-03.contoso.example"), d.addAlert("2", "Dump", "web-03.contoso.example")
	b := d.addAlert("3", "Beacon", "db-01.contoso.example")
	a := d.incidentOf(a1)
	var r regroupResult
	d.sendPost("/api/v1/incidents/"+a+"/split", `{"alertIds":["`+a2+`"],"comment":"not hers"}`).into(t, http.StatusOK, &r)
	split := r.IncidentID
	if !r.Changed || split == a || d.incidentOf(a2) != split || d.incidentOf(a1) != a {
		t.Fatalf("split: %+v", r)
	}
	if late := d.addAlert("4", "Dump", "web-03.contoso.example", func(x *alert.Alert) { x.First = day.Add(time.Minute); x.Last = x.First }); d.incidentOf(late) != split {
		t.Errorf("the next like it went to %s, want %s", d.incidentOf(late), split)
	}
	d.sendPost("/api/v1/incidents/"+split+"/move", `{"alertIds":["`+b+`"]}`).into(t, http.StatusOK, &r)
	if r.IncidentID != split || d.incidentOf(b) != split {
		t.Errorf("move: %+v", r)
	}
	d.sendPost("/api/v1/incidents/"+a+"/merge", `{"incidentIds":["`+split+`"],"comment":"hers after all"}`).into(t, http.StatusOK, &r)
	if r.IncidentID != split || len(d.alertIDs(split)) != 4 { // the larger one goes on
		t.Errorf("merge: %+v, %v", r.IncidentID, d.alertIDs(split))
	}
	noted := len(d.auditEntries())
	d.sendPost("/api/v1/incidents/"+a+"/merge", `{"incidentIds":["`+split+`"]}`).into(t, http.StatusOK, &r)
	if r.Changed || len(d.auditEntries()) != noted {
		t.Error("the same merge again changed something")
	}
	if gone := d.sendPatch(incidentsPath+a, `{"status":"active"}`); gone.StatusCode != http.StatusConflict || !strings.Contains(string(gone.body), split) {
		t.Errorf("editing what was merged away: %d %s", gone.StatusCode, gone.body)
	}
}

func TestUnfoldARepeat(t *testing.T) {
	d := newDesk(t)
	a := d.addAlert("1", "Suspicious process on a server", "web-03.contoso.example")
	copied := d.addAlert("2", "Suspicious process on a server", "web-03.contoso.example", func(x *alert.Alert) {
		x.Origin.Provider, x.Reporter = "siem", "siem"
	})
	if n := d.alertIDs(d.incidentOf(a)); len(n) != 1 {
		t.Fatalf("they do not begin as one: %v", n)
	}
	var r regroupResult
	d.sendPost("/api/v1/alerts/"+copied+"/unfold", "").into(t, http.StatusOK, &r)
	if n := d.alertIDs(r.IncidentID); len(n) != 2 || !slices.Contains(n, copied) {
		t.Errorf("alerts %v", n)
	}
}

func TestBulk(t *testing.T) {
	d := newDesk(t)
	a, b := d.addAlert("1", "Scan", "web-03.contoso.example"), d.addAlert("2", "Beacon", "db-01.contoso.example")
	var r struct {
		Value []bulkResult `json:"value"`
	}
	d.sendPost("/api/v1/incidents/bulk", `{"ids":["`+d.incidentOf(a)+`","77","`+d.incidentOf(b)+`"],"set":{"status":"resolved"},"comment":"tidy"}`).into(t, http.StatusOK, &r)
	status := map[string]int{}
	for _, v := range r.Value {
		status[v.ID] = v.Status
	}
	if len(status) != 3 || status["77"] != 404 || status[d.incidentOf(a)] != 200 || status[d.incidentOf(b)] != 200 {
		t.Errorf("%+v", r.Value)
	}
	d.sendPost("/api/v1/alerts/bulk", `{"ids":["`+a+`"],"set":{"classification":"falsePositive","determination":"notMalicious"}}`).into(t, http.StatusOK, &r)
	if got := sendGet(t, d.base+alertsPath+a).object(t, 200); got["determination"] != "notMalicious" || got["status"] != "resolved" {
		t.Errorf("%v", got)
	}
}

func TestWritingTakesTheRight(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rights Right
		tenant string
		want   int
	}{
		{"reader", Read, "contoso", 403},
		{"writer of alerts", Read | WriteAlerts, "contoso", 403},
		{"writer of another tenant", Write, "fabrikam", 404},
		{"writer", Write, "contoso", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, func(s *Server) {
				s.Authenticate = func(*http.Request) (Principal, error) {
					return Principal{ID: "p", Tenants: []string{tt.tenant}, Rights: tt.rights}, nil
				}
			})
			d.addAlert("1", "Scan", "web-03.contoso.example")
			id := incident.MakeID("contoso", 1)
			if got := d.sendPatch(incidentsPath+id, `{"status":"resolved"}`); got.StatusCode != tt.want {
				t.Errorf("%d, want %d: %s", got.StatusCode, tt.want, got.body)
			}
		})
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"status":"resolved","customTags":["a"],"assignedTo":null}`))
	f.Add([]byte(`[{"comment":"x"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if m, err := parseMembers(body); err == nil {
			_, _ = parseEdit(m, incidentProperties, graph.IncidentSchema)
			_, _ = parseEdit(m, alertProperties, graph.AlertSchema)
		}
		_, _ = commentTexts(body, len(body) > 0 && body[0] == '[')
	})
}
