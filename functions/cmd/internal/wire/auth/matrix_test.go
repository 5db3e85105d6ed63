package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access/accesstest"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/config"
)

// house is a whole standalone Onepane of two tenants. People of directory dir-1 work for contoso, those of dir-2 for
// fabrikam; the landlord's tokens open all tenants.
type house struct {
	*httptest.Server
	people, landlord *accesstest.Issuer
	ids              map[string]map[string]string // by tenant: alert, incident, exposure, quarantined, key, export
}

// stripes is on everything of fabrikam's that nobody else may see.
const stripes = "zebra-stripes"

// exportsOf names each tenant's export, which does not tell whose it is.
var exportsOf = map[string]string{"contoso": "out-1", "fabrikam": "out-2"}

func open(t *testing.T, adjust ...func(*config.Config)) *house {
	t.Helper()
	h := &house{people: accesstest.New(t), landlord: accesstest.New(t), ids: map[string]map[string]string{}}
	cfg := config.Default()
	cfg.Data, cfg.CacheMB = t.TempDir(), 8
	cfg.Tenants = map[string]config.Tenant{
		"contoso": {Accounts: []string{"dir-1"}}, "fabrikam": {Accounts: []string{"dir-2"}},
	}
	cfg.Auth.Issuers = []config.Issuer{
		{URL: h.people.URL, Audiences: []string{accesstest.Audience}},
		{URL: h.landlord.URL, Audiences: []string{accesstest.Audience}, Tenants: []string{"*"}},
	}
	for tenant, name := range exportsOf {
		cfg.Exports = append(cfg.Exports, config.Export{Name: name, Tenant: tenant, Target: "file", Options: map[string]string{"directory": t.TempDir()}})
	}
	cfg.Auth.RequestsPerMinute = 1_000_000
	for _, a := range adjust {
		a(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := wire.NewStandalone(cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Bus.Subscribe(ctx, s.Correlate) }()
	h.Server = httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		h.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.furnish(t, "contoso", "plain", 1)
	h.furnish(t, "fabrikam", stripes, 4) // more incidents, so that some of their ids are not contoso's
	return h
}

// furnish gives a tenant alerts, an exposure, a record in quarantine and a key, all marked.
func (h *house) furnish(t *testing.T, tenant, mark string, alerts int) {
	t.Helper()
	sender := h.key(t, tenant, mark, "Onepane.Ingest.All")
	ids := map[string]string{"export": exportsOf[tenant]}
	for n := range alerts {
		body := fmt.Sprintf(`[{"id":"a%d","time":%q,"title":"%s alert %d","type":"t%d","severity":"high","entities":[{"kind":"host","value":"%s-%d"}]}, {"colour":"%s"}]`,
			n, time.Now().UTC().Format(time.RFC3339), mark, n, n, mark, n, mark)
		status, answer := h.ask(t, http.MethodPost, "/api/ingest/webhook", body, "Authorization", "Bearer "+sender, "Prefer", "wait=30")
		var r ingest.Receipt
		if status != 202 || json.Unmarshal(answer, &r) != nil || len(r.Accepted) != 1 || len(r.Rejected) != 1 {
			t.Fatalf("deliver for %s: %d %s", tenant, status, answer)
		}
		ids["alert"], ids["incident"] = r.Accepted[0].AlertID, r.Accepted[0].IncidentID
	}
	admin := h.landlord.Token(t, time.Now(), map[string]any{"roles": []string{"Onepane.Operate.All", "SecurityAlert.Read.All"}})
	_, answer := h.ask(t, http.MethodGet, "/api/v1/quarantine?tid="+tenant, "", "Authorization", "Bearer "+admin)
	var page struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	if err := json.Unmarshal(answer, &page); err != nil || len(page.Value) == 0 {
		t.Fatalf("quarantine of %s: %s", tenant, answer)
	}
	ids["quarantined"], ids["key"] = page.Value[0].ID, keyID(sender)
	ids["entity"] = base64.RawURLEncoding.EncodeToString([]byte("host:" + mark + "-0"))
	h.ids[tenant] = ids
}

func keyID(secret string) string { return strings.Split(secret, "_")[1] }

// key makes an API key; only the landlord may make it with any role.
func (h *house) key(t *testing.T, tenant, name string, roles ...string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "tenants": []string{tenant}, "roles": roles})
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"Onepane.Operate.All", "Onepane.Ingest.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}
	token := h.landlord.Token(t, time.Now(), map[string]any{"sub": "landlord", "roles": all})
	status, answer := h.ask(t, http.MethodPost, "/api/v1/keys", string(body), "Authorization", "Bearer "+token)
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(answer, &made); status != 201 || err != nil {
		t.Fatalf("make key: %d %s", status, answer)
	}
	return made.Secret
}

// ask sends a request with pairs of headers, and gives all that came back: headers, then body.
func (h *house) ask(t *testing.T, method, path, body string, headers ...string) (int, []byte) {
	t.Helper()
	status, answer, _ := h.askAll(t, method, path, body, headers...)
	return status, answer
}

func (h *house) askAll(t *testing.T, method, path, body string, headers ...string) (int, []byte, http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer, resp.Header
}

// credential is one way to ask.
type credential struct {
	name   string
	header string    // Authorization; empty sends none
	known  bool      // false is answered 401
	here   bool      // false, for those who are known, is answered 403
	rights api.Right // what it may do
	tenant string    // "" is all
}

func (h *house) credentials(t *testing.T) []credential {
	now := time.Now()
	token := func(change map[string]any) string { return "Bearer " + h.people.Token(t, now, change) }
	read := []string{"SecurityAlert.Read.All", "SecurityIncident.Read.All"}
	write := []string{"SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}
	revoked := h.key(t, "contoso", "revoked", write...)
	admin := "Bearer " + h.landlord.Token(t, now, map[string]any{"roles": []string{"Onepane.Operate.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}})
	if status, answer := h.ask(t, http.MethodDelete, "/api/v1/keys/"+keyID(revoked), "", "Authorization", admin); status != 200 {
		t.Fatalf("revoke: %d %s", status, answer)
	}
	forged := h.key(t, "contoso", "forged", write...)
	return []credential{
		{name: "no token"},
		{name: "garbage", header: "Bearer garbage"},
		{name: "basic", header: "Basic bWU6cHc="},
		{name: "expired token", header: token(map[string]any{"exp": now.Add(-time.Hour).Unix()})},
		{name: "wrong audience", header: token(map[string]any{"aud": "api://another"})},
		{name: "wrong issuer", header: "Bearer " + accesstest.New(t).Token(t, now, nil)},
		{name: "issuer that another key signs for", header: "Bearer " + accesstest.Sign(t, h.people.Signers[0], h.landlord.Claims(now, nil))[:40] + "x.y.z"},
		{name: "revoked key", header: "Bearer " + revoked},
		{name: "forged key", header: "Bearer " + forged[:len(forged)-2] + "aa"},
		{name: "directory of no tenant", header: token(map[string]any{"tid": "dir-9", "roles": write}), known: true},
		{name: "no role", header: token(map[string]any{"roles": nil}), known: true, here: true, tenant: "contoso"},
		{name: "reader", header: token(map[string]any{"roles": read}), known: true, here: true, rights: api.Read, tenant: "contoso"},
		{name: "reader of alerts", header: token(map[string]any{"roles": read[:1]}), known: true, here: true, rights: api.ReadAlerts, tenant: "contoso"},
		{name: "writer", header: token(map[string]any{"roles": write}), known: true, here: true, rights: api.Write, tenant: "contoso"},
		{name: "writer of incidents", header: token(map[string]any{"roles": write[1:]}), known: true, here: true, rights: api.ReadIncidents | api.WriteIncidents, tenant: "contoso"},
		{name: "operator", header: token(map[string]any{"roles": []string{"Onepane.Operate.All"}}), known: true, here: true, rights: api.Operate, tenant: "contoso"},
		{name: "key that delivers", header: "Bearer " + h.key(t, "contoso", "sender", "Onepane.Ingest.All"), known: true, here: true, rights: api.Ingest, tenant: "contoso"},
		{name: "key that reads", header: "bearer " + h.key(t, "contoso", "reader", read...), known: true, here: true, rights: api.Read, tenant: "contoso"},
		{name: "key that does everything", header: "Bearer " + h.key(t, "contoso", "all", append(write, "Onepane.Operate.All", "Onepane.Ingest.All")...), known: true, here: true, rights: api.Everything, tenant: "contoso"},
		{name: "landlord", header: admin, known: true, here: true, rights: api.Write | api.Operate},
	}
}

// route is one of the house's, with who may use it.
type route struct {
	api.Route
	allTenants bool // only for those who may see all
}

// routes are the API's own table and what the host serves beside it.
func routes() []route {
	var out []route
	for _, r := range (&api.Server{}).Routes() {
		out = append(out, route{Route: r})
	}
	for _, name := range []string{"aws", "azure", "gcp", "webhook"} {
		out = append(out, route{Route: api.Route{Method: http.MethodPost, Path: "/api/ingest/" + name, Needs: api.Ingest}})
	}
	return append(out, route{Route: api.Route{Method: http.MethodGet, Path: "/metrics", Needs: api.Everything}, allTenants: true})
}

// path fills a route's path with the ids of a tenant's things.
func (h *house) path(t *testing.T, r route, tenant string) string {
	t.Helper()
	ids := h.ids[tenant]
	of := func(what string) string {
		if ids[what] == "" {
			return "none"
		}
		return ids[what]
	}
	path := strings.Replace(r.Path, "{aid}", of("alert"), 1)
	kinds := []struct{ in, id string }{
		{"/entities/", "entity"}, {"/incidents/", "incident"}, {"/alerts", "alert"}, {"/exposures/", "exposure"}, {"/quarantine/", "quarantined"}, {"/exports/", "export"}, {"/keys/", "key"},
	}
	for _, k := range kinds {
		if strings.Contains(r.Path, k.in) {
			return strings.Replace(path, "{id}", of(k.id), 1)
		}
	}
	if strings.Contains(path, "{") {
		t.Fatalf("%s: the matrix does not know what its id is of: say so in kinds", r.Path)
	}
	return path
}

// TestMatrix asks every route in every way: whoever is not known hears 401, whoever may not 403, and everyone else
// neither. The routes are the server's own table, so that none can be forgotten.
func TestMatrix(t *testing.T) {
	h := open(t)
	all := routes()
	if len(all) < 40 {
		t.Fatalf("only %d routes", len(all))
	}
	asked := 0
	for _, c := range h.credentials(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range all {
				if r.Method == http.MethodDelete && c.rights&r.Needs != 0 {
					continue // it would end the key that the request is made with
				}
				path := h.path(t, r, "contoso")
				status, answer, headers := h.askAll(t, r.Method, path, "{}", authorization(c)...)
				asked++
				switch want := expected(c, r); {
				case want != 0 && status != want:
					t.Errorf("%s %s: %d, want %d: %.200s", r.Method, path, status, want, answer)
				case want == 0 && (status == 401 || status == 403 || status >= 500):
					t.Errorf("%s %s: %d: %.200s", r.Method, path, status, answer)
				case status == 401 && headers.Get("WWW-Authenticate") != "Bearer":
					t.Errorf("%s %s: 401 without WWW-Authenticate", r.Method, path)
				}
				if status >= 400 && !shaped(answer) {
					t.Errorf("%s %s: %d is not in the API's error shape: %.200s", r.Method, path, status, answer)
				}
			}
		})
	}
	t.Logf("%d requests over %d routes", asked, len(all))
}

func authorization(c credential) []string {
	if c.header == "" {
		return nil
	}
	return []string{"Authorization", c.header}
}

// expected is the status of a refusal, 0 when there is to be none.
func expected(c credential, r route) int {
	switch {
	case r.Open:
		return 200
	case !c.known:
		return 401
	case !c.here || c.rights&r.Needs == 0 || r.allTenants && c.tenant != "":
		return 403
	}
	return 0
}

func shaped(answer []byte) bool {
	var e struct {
		Error struct {
			Code, Message *string
		} `json:"error"`
	}
	return json.Unmarshal(answer, &e, json.MatchCaseInsensitiveNames(true)) == nil && e.Error.Code != nil && *e.Error.Message != ""
}

// TestNoByteOfAnotherTenant: contoso's people ask for everything of fabrikam's, by its ids and by its name, and get
// nothing of it, while the landlord does: so the test would see it.
func TestNoByteOfAnotherTenant(t *testing.T) {
	h := open(t)
	credentials := h.credentials(t)
	before := h.everything(t, "fabrikam")
	seen := 0
	for _, c := range credentials {
		for _, r := range routes() {
			if c.tenant == "" && r.Method != http.MethodGet {
				continue // the landlord's writes would change what others are asked for
			}
			for _, ask := range []struct {
				query   string
				headers []string
			}{
				{"", nil}, {"?tid=fabrikam", nil}, {"", []string{api.TenantHeader, "fabrikam"}},
				{"?tid=contoso", []string{api.TenantHeader, "fabrikam"}},
				{"", []string{api.TenantHeader, "contoso", api.TenantHeader, "fabrikam"}},
				{"?tid=contoso&tid=fabrikam", nil},
			} {
				path := h.path(t, r, "fabrikam") + ask.query
				status, answer, headers := h.askAll(t, r.Method, path, body(r, h.ids["fabrikam"]), append(authorization(c), ask.headers...)...)
				leak := bytes.Contains(answer, []byte(stripes)) || strings.Contains(fmt.Sprint(headers), stripes)
				if ask.query == "" && ask.headers == nil && r.Method == http.MethodGet && !strings.Contains(r.Path, "quarantine") && !strings.HasSuffix(r.Path, "/sources") { // contoso's own says what it tried
					leak = leak || bytes.Contains(answer, []byte("fabrikam"))
				}
				if c.known && c.tenant == "" {
					if leak {
						seen++
					}
					continue
				}
				if leak {
					t.Errorf("%s: %s %s %v: %d shows fabrikam's: %.300s", c.name, r.Method, path, ask.headers, status, answer)
				}
				if len(ask.headers)+len(ask.query) > 0 && status == 200 && !r.Open && strings.Contains(ask.query+fmt.Sprint(ask.headers), "fabrikam") && narrowed(r) {
					t.Errorf("%s: %s %s %v: 200", c.name, r.Method, path, ask.headers)
				}
			}
		}
	}
	if after := h.everything(t, "fabrikam"); after != before {
		t.Errorf("fabrikam's is not as it was:\n%s\n%s", before, after)
	}
	if seen < 10 {
		t.Errorf("the landlord saw only %d things of fabrikam's: is it there at all?", seen)
	}
}

// body is a good one for a route that writes.
func body(r route, ids map[string]string) string {
	switch {
	case strings.HasSuffix(r.Path, "/comments"):
		return `{"comment":"was here"}`
	case r.Method == http.MethodPatch:
		return `{"status":"resolved"}`
	case strings.HasSuffix(r.Path, "/alerts/bulk"):
		return `{"ids":["` + ids["alert"] + `"],"set":{"status":"resolved"}}`
	case strings.HasSuffix(r.Path, "/incidents/bulk"):
		return `{"ids":["` + ids["incident"] + `"],"set":{"status":"resolved"}}`
	case strings.HasSuffix(r.Path, "/run"):
		return `{"since":"2026-01-01T00:00:00Z"}`
	case strings.HasSuffix(r.Path, "/replay"):
		return `{"ids":["` + ids["quarantined"] + `"]}`
	case strings.HasPrefix(r.Path, "/api/ingest/"):
		return `{"id":"x","tenant":"fabrikam","time":"2026-03-03T00:00:00Z","title":"planted","type":"x"}`
	case r.Path == "/api/v1/keys":
		return `{"name":"mine","tenants":["fabrikam"],"roles":["SecurityAlert.Read.All"]}`
	}
	return "{}"
}

// everything is what the landlord sees of a tenant.
func (h *house) everything(t *testing.T, tenant string) string {
	t.Helper()
	token := h.landlord.Token(t, time.Now(), map[string]any{"roles": []string{"Onepane.Operate.All", "SecurityAlert.Read.All", "SecurityIncident.Read.All"}})
	var out strings.Builder
	for _, path := range []string{"/v1.0/security/incidents", "/v1.0/security/alerts_v2", "/api/v1/quarantine", "/api/v1/exposures"} {
		status, answer := h.ask(t, http.MethodGet, path+"?tid="+tenant, "", "Authorization", "Bearer "+token)
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		out.Write(answer)
	}
	_, keys := h.ask(t, http.MethodGet, "/api/v1/keys", "", "Authorization", "Bearer "+token)
	fmt.Fprintf(&out, "%d keys of it", strings.Count(string(keys), `["`+tenant+`"]`))
	return out.String()
}

// narrowed reports whether a route narrows itself to the tenant that a request names. Those that show nothing of a
// tenant's do not.
func narrowed(r route) bool {
	return !slices.Contains([]string{"/api/v1/status", "/api/v1/keys", "/metrics"}, r.Path) && !strings.HasPrefix(r.Path, "/api/v1/keys/")
}
