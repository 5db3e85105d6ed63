package azure

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access/accesstest"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/host/azurefunc"
	cosmosserver "github.com/onepane/onepane/infra/local/cosmos"
	broker "github.com/onepane/onepane/infra/local/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// deployment is one Onepane that answers requests, of whichever kind.
type deployment struct {
	url    string
	tick   func() // lets exports send what is due
	ids    map[string]string
	issuer *accesstest.Issuer
}

// TestTheCloudAnswersWhatStandaloneDoes gives both the same and asks both everything, route by route of the server's
// own table: none is refused as not supported, and each is answered alike.
func TestTheCloudAnswersWhatStandaloneDoes(t *testing.T) {
	cfg, issuer := settings(t)
	here, there := standalone(t, cfg, issuer), functionApp(t, cfg, issuer)
	for _, d := range []*deployment{here, there} {
		d.furnish(t)
	}
	if here.ids["incident"] != there.ids["incident"] || here.ids["alert"] != there.ids["alert"] {
		t.Errorf("standalone made %v, the app %v", here.ids, there.ids)
	}
	for _, r := range (&api.Server{}).Routes() {
		name := r.Method + " " + r.Path
		want, _ := here.ask(t, r.Method, here.path(r.Path), here.body(r))
		got, answer := there.ask(t, r.Method, there.path(r.Path), there.body(r))
		if got != want || got >= 500 {
			t.Errorf("%s: the app answers %d, standalone %d: %.300s", name, got, want, answer)
		}
		if want >= 400 && !refused[name] {
			t.Errorf("%s: %d from both proves little: give the test a body or an id: %.300s", name, want, answer)
		}
	}
}

// refused are the routes that the test's things are refused by: there is no exposure, and an alert that was not folded.
var refused = map[string]bool{"GET /api/v1/exposures/{id}": true, "POST /api/v1/alerts/{id}/unfold": true}

func TestWhatStandaloneServesBesideTheAPI(t *testing.T) {
	cfg, issuer := settings(t)
	app := functionApp(t, cfg, issuer)
	if status, answer := app.ask(t, http.MethodGet, "/metrics", ""); status != http.StatusNotImplemented || !strings.Contains(answer, "Azure Monitor") {
		t.Errorf("metrics: %d %s", status, answer)
	}
	var s struct{ Bus api.Bus }
	if _, answer := app.ask(t, http.MethodGet, "/api/v1/status", ""); json.Unmarshal([]byte(answer), &s, json.MatchCaseInsensitiveNames(true)) != nil || s.Bus != (api.Bus{Pending: 7, DeadLettered: 5}) {
		t.Errorf("status: %s", answer)
	}
}

func settings(t *testing.T) (config.Config, *accesstest.Issuer) {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(receiver.Close)
	t.Setenv("HOOK_SECRET", "whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ==")
	issuer := accesstest.New(t)
	cfg := config.Default()
	cfg.Tenant, cfg.Data, cfg.CacheMB = "contoso", t.TempDir(), 8
	cfg.Auth.Issuers = []config.Issuer{{URL: issuer.URL, Audiences: []string{accesstest.Audience}, Tenants: []string{"*"}}}
	cfg.Exports = []config.Export{{Name: "hook", Tenant: "contoso", Target: "webhook", Options: map[string]string{"url": receiver.URL}, Secrets: []config.Reference{"env:HOOK_SECRET"}}}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg, issuer
}

func standalone(t *testing.T, cfg config.Config, issuer *accesstest.Issuer) *deployment {
	t.Helper()
	s, err := wire.NewStandalone(cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &deployment{url: "http://" + l.Addr().String(), tick: func() {}, issuer: issuer}
}

// functionApp is the app over the stand-ins of Service Bus, Cosmos DB and Resource Manager; its events reach correlate
// as the bus brings them.
func functionApp(t *testing.T, cfg config.Config, issuer *accesstest.Issuer) *deployment {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	d := driversOf(t, quiet)
	s := cloud.Azure{URL: cfg.BaseURL, Common: cloud.Common{Tenant: cfg.Tenant, Bus: cloud.Bus{Queue: "alerts", Quarantine: "quarantine"}},
		Backlog: cloud.Backlog{Namespace: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n", Manager: manager(t)}}
	app, err := newApp(cfg, s, d, "test", quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	correlation := &correlate.Function{Store: d.store, Now: time.Now}
	go func() {
		done <- d.queue.Subscribe(ctx, func(ctx context.Context, evs []cloudevent.Event) error { return correlation.Handle(ctx, evs) })
	}()
	server := httptest.NewServer(app)
	t.Cleanup(func() {
		server.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &deployment{url: server.URL, issuer: issuer, tick: func() {
		if err := app.Functions["export"].Invoke(t.Context(), azurefunc.Invocation{}); err != nil {
			t.Error(err)
		}
	}}
}

func driversOf(t *testing.T, log *slog.Logger) (d drivers) {
	t.Helper()
	b := broker.Start(t, broker.Config{Queues: broker.Queues(10 * time.Second)})
	account := cosmosserver.Start(t, cosmosserver.Options{Databases: []cosmosserver.Database{{ID: "onepane",
		Containers: []cosmosserver.Container{described(t, cosmos.StateContainer("state")), described(t, cosmos.BlobsContainer("blobs"))}}}})
	d.credential = &identity.Credential{Now: time.Now, Source: anyone{}}
	var err error
	if d.claims, err = blob.OpenConnection("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net", "claims", nil); err != nil {
		t.Fatal(err)
	}
	if d.queue, err = servicebus.Open(servicebus.Options{ConnectionString: b.ConnectionString(), Blobs: d.claims, Idle: 100 * time.Millisecond, Log: log}); err != nil {
		t.Fatal(err)
	}
	if d.store, err = cosmos.Open(cosmos.Options{Connect: cosmos.ConnectWithKey(account.Endpoint, account.Key(), nil), Log: log}); err != nil {
		t.Fatal(err)
	}
	return d
}

func described(t *testing.T, properties azcosmos.ContainerProperties) (c cosmosserver.Container) {
	t.Helper()
	data, err := properties.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// anyone gives a token for whatever is asked.
type anyone struct{}

func (anyone) Token(_ context.Context, r identity.Request) (identity.Token, error) {
	return identity.Token{Value: "for " + r.Scope, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// manager is Resource Manager as far as queues are read there (ARM type
// Microsoft.ServiceBus/namespaces/queues@2024-01-01).
func manager(t *testing.T) string {
	t.Helper()
	const queues = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n/queues/"
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]string{
			queues + "alerts":     `{"name":"alerts","properties":{"messageCount":9,"countDetails":{"activeMessageCount":7,"deadLetterMessageCount":2}}}`,
			queues + "quarantine": `{"name":"quarantine","properties":{"messageCount":3,"countDetails":{"activeMessageCount":1,"deadLetterMessageCount":0}}}`,
		}[r.URL.Path]
		if answer == "" || r.URL.Query().Get("api-version") != "2024-01-01" || r.Header.Get("Authorization") != "Bearer for "+s.URL+"/.default" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// furnish gives a deployment two incidents, a record in quarantine, a key and a delivery of its export.
func (d *deployment) furnish(t *testing.T) {
	t.Helper()
	d.ids = map[string]string{"export": "hook", "entity": base64.RawURLEncoding.EncodeToString([]byte("host:fin-lt057"))}
	for n, host := range []string{"fin-lt057", "hr-lt011"} {
		at := time.Date(2026, 3, 3, n, 7, 0, 0, time.UTC).Format(time.RFC3339)
		status, answer := d.ask(t, http.MethodPost, "/api/ingest/webhook", fmt.Sprintf(
			`[{"id":"a%d","time":%q,"title":"Odd sign-in %d","type":"t%d","severity":"high","entities":[{"kind":"host","value":%q}]},{"colour":"mauve"}]`, n, at, n, n, host))
		var receipt struct {
			Accepted []struct{ AlertID, IncidentID string }
		}
		if err := json.Unmarshal([]byte(answer), &receipt, json.MatchCaseInsensitiveNames(true)); status != 202 || err != nil || len(receipt.Accepted) != 1 || receipt.Accepted[0].IncidentID == "" {
			t.Fatalf("deliver: %d %s", status, answer)
		}
		// The routes' own order merges the second incident into the first, and then takes the first's alert out of it.
		d.ids[[]string{"alert", "merged"}[n]], d.ids[[]string{"incident", "second"}[n]] = receipt.Accepted[0].AlertID, receipt.Accepted[0].IncidentID
	}
	d.ids["quarantined"] = d.first(t, "/api/v1/quarantine")
	_, answer := d.ask(t, http.MethodPost, "/api/v1/keys", `{"name":"sender","tenants":["contoso"],"roles":["Onepane.Ingest.All"]}`)
	var key struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &key, json.MatchCaseInsensitiveNames(true)); err != nil || key.ID == "" {
		t.Fatalf("make key: %s", answer)
	}
	d.ids["key"] = key.ID
	d.ids["delivery"] = d.first(t, "/api/v1/exports/hook/deliveries")
}

// first is the id of the first thing listed, when there is one: exports take a turn meanwhile.
func (d *deployment) first(t *testing.T, path string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		d.tick()
		_, answer := d.ask(t, http.MethodGet, path, "")
		var page struct{ Value []struct{ ID string } }
		if err := json.Unmarshal([]byte(answer), &page, json.MatchCaseInsensitiveNames(true)); err == nil && len(page.Value) > 0 {
			return page.Value[0].ID
		}
		if time.Now().After(end) {
			t.Fatalf("%s stays empty: %s", path, answer)
		}
	}
}

// path fills in the ids of a route.
func (d *deployment) path(path string) string {
	path = strings.Replace(path, "{aid}", d.ids["merged"], 1)
	path = strings.Replace(path, "{did}", d.ids["delivery"], 1)
	for _, kind := range []struct{ in, id string }{
		{"/entities/", "entity"}, {"/incidents/", "incident"}, {"/alerts", "alert"}, {"/quarantine/", "quarantined"}, {"/exports/", "export"}, {"/keys/", "key"},
	} {
		if strings.Contains(path, kind.in) {
			return strings.Replace(path, "{id}", d.ids[kind.id], 1)
		}
	}
	if strings.HasSuffix(path, "/search") {
		path += "?q=FIN-LT057"
	}
	return path
}

// body is a good one for a route that writes.
func (d *deployment) body(r api.Route) string {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodDelete:
		return ""
	case strings.HasSuffix(r.Path, "/comments"):
		return `{"comment":"was here"}`
	case strings.HasSuffix(r.Path, "/settings"):
		return `{"tuning":{"JoinAt":"0.6"}}`
	case r.Method == http.MethodPatch:
		return `{"assignedTo":"ana@contoso.example"}`
	case strings.HasSuffix(r.Path, "/alerts/bulk"):
		return `{"ids":["` + d.ids["alert"] + `"],"set":{"status":"inProgress"}}`
	case strings.HasSuffix(r.Path, "/incidents/bulk"):
		return `{"ids":["` + d.ids["incident"] + `"],"set":{"status":"inProgress"}}`
	case strings.HasSuffix(r.Path, "/merge"):
		return `{"incidentIds":["` + d.ids["second"] + `"]}`
	case strings.HasSuffix(r.Path, "/move"), strings.HasSuffix(r.Path, "/split"):
		return `{"alertIds":["` + d.ids["alert"] + `"]}`
	case strings.HasSuffix(r.Path, "/quarantine/replay"):
		return `{"ids":["` + d.ids["quarantined"] + `"]}`
	case r.Path == "/api/v1/keys":
		return `{"name":"another","tenants":["contoso"],"roles":["SecurityAlert.Read.All"]}`
	case strings.HasSuffix(r.Path, "/run"):
		return `{"since":"2026-01-01T00:00:00Z"}`
	}
	return "{}"
}

// ask asks as somebody who may do everything.
func (d *deployment) ask(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	roles := []string{"Onepane.Operate.All", "Onepane.Ingest.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}
	req.Header.Set("Authorization", "Bearer "+d.issuer.Token(t, time.Now(), map[string]any{"roles": roles}))
	req.Header.Set("Prefer", "wait=30")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}
