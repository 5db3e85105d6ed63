package azure

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/host/azurefunc"
	"github.com/onepane/onepane/infra/contract"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/fault"
)

func openApp(t *testing.T) *azurefunc.App {
	t.Helper()
	app, err := Open(config.Default(), settingsOf(), "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func settingsOf() cloud.Azure {
	return cloud.Azure{
		Common: cloud.Common{Tenant: "contoso", Bus: cloud.Bus{Namespace: "sb-contoso.servicebus.windows.net", Queue: "alerts", Quarantine: "quarantine"},
			Claims: cloud.Claims{Account: "https://stcontoso.blob.core.windows.net/", Container: "claims"}},
		Cosmos:  cloud.Cosmos{Endpoint: "https://cosmos-contoso.documents.azure.com:443/", Database: "onepane"},
		Managed: cloud.Managed{Endpoint: "http://127.0.0.1:1/", Header: "h"},
	}
}

// The app answers to every trigger that infra declares, and to no other.
func TestFunctionsAreThoseOfInfra(t *testing.T) {
	var want []string
	for _, f := range contract.Functions {
		if f.Trigger != "httpTrigger" { // forwarded as plain requests
			want = append(want, f.Name)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(openApp(t).Functions)); !slices.Equal(got, want) {
		t.Errorf("serves %v, infra declares %v", got, want)
	}
}

// The directory gives the roles that the API reads: they are as many, and spelt alike.
func TestRolesAreThoseOfInfra(t *testing.T) {
	var want []string
	for _, r := range api.Roles {
		want = append(want, r.Name)
	}
	slices.Sort(want)
	if !slices.Equal(contract.AppRoles, want) {
		t.Errorf("the API reads %v, infra declares %v", want, contract.AppRoles)
	}
}

// Files of a function app are gone with its instance.
func TestNoExportToADisk(t *testing.T) {
	cfg := config.Default()
	cfg.Exports = []config.Export{{Name: "out", Tenant: "contoso", Target: "file", Options: map[string]string{"directory": t.TempDir()}}}
	if _, err := Open(cfg, settingsOf(), "test", slog.New(slog.DiscardHandler)); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "use target blob") {
		t.Errorf("%v", err)
	}
}

// Every request reaches the app, from anywhere: without a credential nothing is read, taken or told but that it lives.
func TestNobodyIsBelieved(t *testing.T) {
	app := openApp(t)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/healthz", 200}, {"GET", "/v1.0/security/incidents", 401}, {"GET", "/api/v1/quarantine", 401},
		{"POST", "/api/v1/quarantine/replay", 401}, {"POST", "/api/ingest/webhook", 401}, {"POST", "/api/ingest/aws", 401},
		{"POST", "/correlate", 401}, {"GET", "/api/v1/status", 401},
	} {
		r := httptest.NewRequest(tt.method, "http://localhost"+tt.path, strings.NewReader("{}"))
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tt.want && (w.Code != http.StatusNotFound || tt.path != "/correlate") {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.want)
		}
	}
}

// The deployment's directory vouches for people once it has an application for the API; without one nobody does.
func TestDirectory(t *testing.T) {
	s := cloud.Azure{Common: cloud.Common{Tenant: "contoso", Identity: cloud.Identity{Directory: "3c1b8a1f-0001-4d40-9f4e-7d556f1c3a0e"}}}
	if withDirectory(config.Default(), s).Auth.IsConfigured() {
		t.Error("an app without an audience takes tokens")
	}
	s.APIAudience = "api://onepane-contoso"
	got := withDirectory(config.Default(), s).Auth.Issuers
	if len(got) != 1 || got[0].URL != "https://login.microsoftonline.com/3c1b8a1f-0001-4d40-9f4e-7d556f1c3a0e/v2.0" ||
		!slices.Equal(got[0].Audiences, []string{s.APIAudience}) || !slices.Equal(got[0].Tenants, []string{"*"}) {
		t.Errorf("issuers %+v", got)
	}
	several := config.Default()
	several.Tenants = map[string]config.Tenant{"contoso": {}, "fabrikam": {}}
	if got := withDirectory(several, s).Auth.Issuers; !slices.Equal(got[0].Tenants, []string{"contoso"}) {
		t.Errorf("beside other tenants, contoso's directory opens %v", got[0].Tenants)
	}
}
