package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/shared/config"
)

// admin is the Authorization of somebody who may do everything but deliver, for one tenant or, of the landlord's, for
// all.
func (h *house) admin(t *testing.T, tid string) []string {
	change := map[string]any{"tid": tid, "roles": []string{"Onepane.Operate.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}}
	if tid == "" {
		return []string{"Authorization", "Bearer " + h.landlord.Token(t, time.Now(), change)}
	}
	return []string{"Authorization", "Bearer " + h.people.Token(t, time.Now(), change)}
}

// audit lists the entries that somebody sees.
func (h *house) audit(t *testing.T, query string, as []string) []api.AuditEntry {
	t.Helper()
	status, answer := h.ask(t, http.MethodGet, "/api/v1/audit"+query, "", as...)
	var page struct {
		Value []jsontext.Value `json:"value"`
	}
	if err := json.Unmarshal(answer, &page); err != nil || status != 200 {
		t.Fatalf("audit%s: %d %s", query, status, answer)
	}
	out := make([]api.AuditEntry, len(page.Value))
	for n, v := range page.Value {
		if err := json.Unmarshal(v, &out[n]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestEveryWriteIsInTheAuditLog: of the routes' own table, whatever changes something and succeeds is noted.
func TestEveryWriteIsInTheAuditLog(t *testing.T) {
	h := open(t)
	as := h.admin(t, "dir-2")
	wrote := 0
	for _, r := range (&api.Server{}).Routes() {
		if r.Method == http.MethodGet {
			continue
		}
		row := route{Route: r}
		path := h.path(t, row, "fabrikam")
		if r.Method == http.MethodDelete {
			path = "/api/v1/keys/" + keyID(h.key(t, "fabrikam", "short-lived", "SecurityAlert.Read.All"))
		}
		before := len(h.audit(t, "?$top=1000", as))
		// What is set must differ from what is: else nothing is changed.
		text := strings.Replace(body(row, h.ids["fabrikam"]), `"status":"resolved"`, `"assignedTo":"`+strconv.Itoa(wrote)+`"`, 1)
		status, answer := h.ask(t, r.Method, path, text, as...)
		entries := h.audit(t, "?$top=1000", as)
		if status >= 300 {
			if len(entries) != before {
				t.Errorf("%s %s: %d, and yet noted", r.Method, path, status)
			}
			continue
		}
		wrote++
		if strings.HasSuffix(r.Path, "/replay") && strings.Contains(string(answer), `"taken":false`) {
			continue // it changed nothing
		}
		if len(entries) == before {
			t.Errorf("%s %s: %d, and not noted: %.200s", r.Method, path, status, answer)
			continue
		}
		e := entries[0]
		if e.Action != r.Method+" "+r.Path || e.Tenant != "fabrikam" || !strings.HasSuffix(e.By, "#dora") || e.ByName != "dora@contoso.example" ||
			e.Target == "" || e.Request == "" || len(e.After) == 0 {
			t.Errorf("%s %s is noted as %+v", r.Method, path, e)
		}
	}
	if wrote < 10 {
		t.Errorf("only %d writes succeeded", wrote)
	}
}

func TestAuditLogIsReadByPages(t *testing.T) {
	h := open(t)
	for range 5 {
		h.key(t, "contoso", "k", "SecurityAlert.Read.All")
	}
	for who, as := range map[string][]string{"contoso's operator": h.admin(t, "dir-1"), "the landlord": h.admin(t, "")} {
		all := h.audit(t, "?$top=1000", as)
		var paged []api.AuditEntry
		for before := ""; ; {
			page := h.audit(t, "?$top=2&before="+before, as)
			if len(page) == 0 {
				break
			}
			paged, before = append(paged, page...), page[len(page)-1].ID
		}
		same := slices.EqualFunc(all, paged, func(a, b api.AuditEntry) bool { return a.ID == b.ID })
		if len(all) < 5 || !same || !slices.IsSortedFunc(all, func(a, b api.AuditEntry) int { return strings.Compare(b.ID, a.ID) }) {
			t.Errorf("%s: %d at once, %d by pages", who, len(all), len(paged))
		}
	}
}

// An operator of one tenant hands on no more than he has.
func TestKeysGiveNothingAway(t *testing.T) {
	h := open(t)
	as := h.admin(t, "dir-1")
	for body, want := range map[string]int{
		`{"name":"k","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}`:                                  201,
		`{"name":"k","roles":["SecurityAlert.Read.All"]}`:                                                        201,
		`{"name":"k","tenants":["fabrikam"],"roles":["SecurityAlert.Read.All"]}`:                                 403,
		`{"name":"k","tenants":["contoso","fabrikam"],"roles":["SecurityAlert.Read.All"]}`:                       403,
		`{"name":"k","allTenants":true,"roles":["SecurityAlert.Read.All"]}`:                                      403,
		`{"name":"k","tenants":["contoso"],"roles":["Onepane.Ingest.All"]}`:                                      403,
		`{"name":"k","tenants":[""],"roles":["SecurityAlert.Read.All"]}`:                                         400,
		`{"name":"k","tenants":["contoso"],"allTenants":true,"roles":["SecurityAlert.Read.All"]}`:                400,
		`{"name":"k","tenants":["contoso"],"roles":["root"]}`:                                                    400,
		`{"name":"k","tenants":["contoso"],"roles":[]}`:                                                          400,
		`{"name":"","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}`:                                   400,
		`{"name":"k","tenants":["contoso"],"roles":["SecurityAlert.Read.All"],"expires":"2020-01-01T00:00:00Z"}`: 400,
		`{"name":"k","tenants":["contoso"],"roles":["SecurityAlert.Read.All"],"expires":"2090-01-01T00:00:00Z"}`: 400,
		`{"name":"k","tenants":["contoso"],"roles":["SecurityAlert.Read.All"],"id":"mine"}`:                      400,
		`{"name":"k","name":"l","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}`:                       400,
		`{"name":"` + strings.Repeat("k", 101) + `","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}`:   400,
		`{"name":"k","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}` + strings.Repeat(" ", 2_000_000): 413,
	} {
		if status, answer := h.ask(t, http.MethodPost, "/api/v1/keys", body, as...); status != want {
			t.Errorf("%.120s: %d, want %d: %.200s", body, status, want, answer)
		}
	}
	if status, _ := h.ask(t, http.MethodDelete, "/api/v1/keys/"+h.ids["fabrikam"]["key"], "", as...); status != 404 {
		t.Errorf("another tenant's key: %d", status)
	}
	both := `{"name":"both","tenants":["contoso","fabrikam"],"roles":["SecurityAlert.Read.All"]}`
	if status, _ := h.ask(t, http.MethodPost, "/api/v1/keys", both, h.admin(t, "")...); status != 201 {
		t.Errorf("the landlord: %d", status)
	}
	_, answer := h.ask(t, http.MethodGet, "/api/v1/keys", "", as...)
	if strings.Contains(string(answer), "fabrikam") || !strings.Contains(string(answer), "contoso") || strings.Contains(string(answer), "hash") {
		t.Errorf("contoso's operator sees %s", answer)
	}
}

func TestShareOfRequests(t *testing.T) {
	h := open(t, func(c *config.Config) { c.Auth.RequestsPerMinute = 20 })
	as := []string{"Authorization", "Bearer " + h.people.Token(t, time.Now(), map[string]any{"sub": "hasty"})}
	refused := 0
	for range 40 {
		status, answer, headers := h.askAll(t, http.MethodGet, "/v1.0/security/incidents", "", as...)
		if status == 200 {
			continue
		}
		refused++
		seconds, err := strconv.Atoi(headers.Get("Retry-After"))
		if status != 429 || err != nil || seconds < 1 || seconds > 60 || !strings.Contains(string(answer), `"code":"activityLimitReached"`) {
			t.Fatalf("%d, Retry-After %q: %s", status, headers.Get("Retry-After"), answer)
		}
	}
	if refused == 0 {
		t.Error("nobody is asked to wait")
	}
	other := []string{"Authorization", "Bearer " + h.people.Token(t, time.Now(), map[string]any{"sub": "patient"})}
	if status, _ := h.ask(t, http.MethodGet, "/v1.0/security/incidents", "", other...); status != 200 {
		t.Errorf("another waits as well: %d", status)
	}
}

func TestSignedSource(t *testing.T) {
	key := []byte("a-secret-of-thirty-two-bytes-xx!")
	t.Setenv("ACME_SECRET", "whsec_"+base64.StdEncoding.EncodeToString(key))
	h := open(t, func(c *config.Config) {
		c.Sources = map[string]config.Source{"acme": {Tenant: "contoso", Secrets: []config.Reference{"env:ACME_SECRET"}}}
	})
	text := `{"id":"signed","time":"2026-03-03T00:00:00Z","title":"signed alert","type":"x"}`
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	m := hmac.New(sha256.New, key)
	m.Write([]byte("m1." + stamp + "." + text))
	headers := []string{"webhook-id", "m1", "webhook-timestamp", stamp, "webhook-signature", "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), "Prefer", "wait=30"}
	if status, answer := h.ask(t, http.MethodPost, "/api/ingest/webhook?source=acme", text, headers...); status != 202 {
		t.Fatalf("signed: %d %s", status, answer)
	}
	_, answer := h.ask(t, http.MethodGet, "/v1.0/security/alerts_v2", "", h.admin(t, "dir-1")...)
	if !strings.Contains(string(answer), "signed alert") {
		t.Errorf("contoso does not see it: %s", answer)
	}
	if status, _ := h.ask(t, http.MethodPost, "/api/ingest/webhook?source=acme", text+" ", headers...); status != 401 {
		t.Errorf("changed: %d", status)
	}
}

func TestReferencesAreChecked(t *testing.T) {
	cfg := config.Default()
	cfg.Data, cfg.CacheMB = t.TempDir(), 8
	cfg.Sources = map[string]config.Source{"acme": {Tenant: "contoso", Secrets: []config.Reference{"whsec_c2VjcmV0"}}}
	if _, err := wire.NewStandalone(cfg, "test", nil); err == nil || !strings.Contains(err.Error(), "acme") || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("%v", err)
	}
}
