package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/bus"
)

// hostFile is what the checks read of host.json.
type hostFile struct {
	FunctionTimeout string `json:"functionTimeout"`
	CustomHandler   struct {
		Description struct {
			Path string `json:"defaultExecutablePath"`
		} `json:"description"`
		Proxying bool `json:"enableProxyingHttpRequest"`
	} `json:"customHandler"`
	ExtensionBundle struct {
		Version string `json:"version"`
	} `json:"extensionBundle"`
	Extensions struct {
		HTTP struct {
			RoutePrefix *string `json:"routePrefix"`
		} `json:"http"`
		ServiceBus struct {
			MinBatch int `json:"minMessageBatchSize"`
			MaxBatch int `json:"maxMessageBatchSize"`
			Prefetch int `json:"prefetchCount"`
		} `json:"serviceBus"`
	} `json:"extensions"`
}

// functionFile is a function.json.
type functionFile struct {
	Bindings []binding `json:"bindings"`
	Retry    *struct {
		Strategy string `json:"strategy"`
		Max      int    `json:"maxRetryCount"`
	} `json:"retry"`
}

type binding struct {
	Type          string `json:"type"`
	Direction     string `json:"direction"`
	Name          string `json:"name"`
	Route         string `json:"route"`
	AuthLevel     string `json:"authLevel"`
	Queue         string `json:"queueName"`
	Hub           string `json:"eventHubName"`
	ConsumerGroup string `json:"consumerGroup"`
	Connection    string `json:"connection"`
	Cardinality   string `json:"cardinality"`
	Sessions      bool   `json:"isSessionsEnabled"`
	DataType      string `json:"dataType"`
	Schedule      string `json:"schedule"`
}

// checkTriggers: the folders are the functions of the table, each with the trigger the handler reads.
func checkTriggers(s *site) {
	app := filepath.Join(s.root, "azure", "app")
	entries, err := os.ReadDir(app)
	if err != nil {
		s.addProblem("azure/app: %v", err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(Functions, func(f Function) bool { return f.Name == e.Name() }) {
			s.addProblem("azure/app/%s: nobody answers this trigger", e.Name())
		}
	}
	for _, f := range Functions {
		var file functionFile
		if !s.readJSON(filepath.Join(app, f.Name, "function.json"), &file) || len(file.Bindings) == 0 {
			s.addProblem("azure/app/%s: no bindings", f.Name)
			continue
		}
		s.checkTrigger(f, file)
	}
	s.checkHost()
}

func (s *site) checkTrigger(f Function, file functionFile) {
	b := file.Bindings[0]
	if b.Type != f.Trigger || b.Name != f.Binding || b.Direction != "in" || b.Route != f.Route {
		s.addProblem("azure/app/%s: trigger %s %q, route %q; the handler reads %s %q, route %q", f.Name, b.Type, b.Name, b.Route, f.Trigger, f.Binding, f.Route)
	}
	locals := s.modules[Azure].locals
	switch b.Type {
	case "httpTrigger":
		// The handler checks tokens and signatures itself; a function key would shut senders out.
		if b.AuthLevel != "anonymous" || len(file.Bindings) != 2 || file.Bindings[1].Type != "http" {
			s.addProblem("azure/app/%s: authLevel %q with %d bindings: a request is passed on as it is only between HTTP and HTTP", f.Name, b.AuthLevel, len(file.Bindings))
		}
	case "serviceBusTrigger":
		settings, _ := locals["settings"].(map[string]any)
		if settings[strings.Trim(b.Queue, "%")] != ref("local.queues."+bus.AlertsQueue) || !strings.HasPrefix(b.Queue, "%") {
			s.addProblem("azure/app/%s: queue %q is not the setting of the queue %s", f.Name, b.Queue, bus.AlertsQueue)
		}
		if q := s.findResource(Azure, "azapi_resource", bus.AlertsQueue); q.attribute("body", "properties", "requiresSession") != b.Sessions {
			s.addProblem("azure/app/%s: isSessionsEnabled is %v, the queue says otherwise", f.Name, b.Sessions)
		}
		// The driver compresses messages: read as text they are damaged.
		if b.DataType != "binary" {
			s.addProblem("azure/app/%s: dataType %q, want binary", f.Name, b.DataType)
		}
		s.checkConnection(f, b)
	case "eventHubTrigger":
		if b.Hub != locals["event_hub"] || b.ConsumerGroup != locals["consumer_group"] {
			s.addProblem("azure/app/%s: hub %q, group %q, infra makes %v, %v", f.Name, b.Hub, b.ConsumerGroup, locals["event_hub"], locals["consumer_group"])
		}
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", "hub"), map[string]any{"name": ref("local.event_hub")})
		s.expectAttributes(Azure, s.findResource(Azure, "azapi_resource", "consumer_group"), map[string]any{"name": ref("local.consumer_group"), "parent_id": ref("azapi_resource.hub.id")})
		// The host moves its checkpoint past a failed batch unless told to try for ever.
		if file.Retry == nil || file.Retry.Max != -1 {
			s.addProblem("azure/app/%s: without endless retry a failed batch is lost", f.Name)
		}
		s.checkConnection(f, b)
	case "timerTrigger":
		connections, _ := locals["connections"].(map[string]any)
		if connections[strings.Trim(b.Schedule, "%")] != ref("var.export_schedule") || !strings.HasPrefix(b.Schedule, "%") {
			s.addProblem("azure/app/%s: schedule %q is not the setting of the schedule", f.Name, b.Schedule)
		}
	}
	if (b.Type == "serviceBusTrigger" || b.Type == "eventHubTrigger") && b.Cardinality != "many" {
		s.addProblem("azure/app/%s: cardinality %q: one at a time costs a hundred times as much", f.Name, b.Cardinality)
	}
}

// checkConnection: the connection has its identity, and no connection string.
func (s *site) checkConnection(f Function, b binding) {
	set, _ := s.modules[Azure].locals["connections"].(map[string]any)
	for _, suffix := range []string{"__fullyQualifiedNamespace", "__credential", "__clientId"} {
		if _, ok := set[b.Connection+suffix]; !ok {
			s.addProblem("azure/app/%s: connection %q has no %s", f.Name, b.Connection, suffix)
		}
	}
}

// checkHost: a batch ends before its session's lock. The host does not renew a session that it reads in batches
// (azure-functions-dotnet-worker issue 2953), so the function's time is what bounds it.
func (s *site) checkHost() {
	var h hostFile
	s.readJSON(filepath.Join(s.root, "azure", "app", "host.json"), &h)
	lock := s.durationOf(s.findResource(Azure, "azapi_resource", bus.AlertsQueue), "lockDuration")
	limit, err := time.Parse(time.TimeOnly, h.FunctionTimeout)
	if err != nil {
		s.addProblem("azure/app/host.json: functionTimeout: %v", err)
	}
	const settle = 30 * time.Second // receiving before, completing after
	if took := limit.Sub(limit.Truncate(24*time.Hour)) + settle; took > lock {
		s.addProblem("azure/app/host.json: a batch may take %v, its lock ends after %v", took, lock)
	}
	if sb := h.Extensions.ServiceBus; sb.MaxBatch < 1 || sb.MinBatch > 1 || sb.Prefetch != 0 {
		s.addProblem("azure/app/host.json: serviceBus %+v: waiting and prefetching spend the lock", sb)
	}
	if h.CustomHandler.Description.Path != "handler" || !h.CustomHandler.Proxying {
		s.addProblem("azure/app/host.json: customHandler %+v", h.CustomHandler)
	}
	if p := h.Extensions.HTTP.RoutePrefix; p == nil || *p != "" {
		s.addProblem("azure/app/host.json: a route prefix moves /v1.0 and the portal")
	}
	if h.ExtensionBundle.Version != "[4.*, 5.0.0)" {
		s.addProblem("azure/app/host.json: extension bundle %q", h.ExtensionBundle.Version)
	}
}

// readJSON notes a problem when the file cannot be read.
func (s *site) readJSON(path string, to any) bool {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		s.addProblem("%v", err)
	}
	return err == nil
}

// checkPush: Pub/Sub pushes to the route that functions/host/cloudrun reads it from.
func checkPush(s *site) {
	push := s.findResource(GCP, "google_pubsub_subscription", "push")
	if to := textOf(push.attribute("push_config", "push_endpoint")); to != `"${google_cloud_run_v2_service.ingest.uri}/"` {
		s.addProblem("gcp: pushes go to %v", push.attribute("push_config", "push_endpoint"))
	}
	s.expectAttributes(GCP, push, map[string]any{"push_config.oidc_token.audience": ref("local.audience")})
	settings, _ := s.modules[GCP].locals["settings"].(map[string]any)
	if settings["ONEPANE_PUSH_AUDIENCE"] != ref("local.audience") ||
		settings["ONEPANE_PUSH_ACCOUNT"] != push.attribute("push_config", "oidc_token", "service_account_email") {
		s.addProblem("gcp: the service checks another audience or account than Pub/Sub signs with")
	}
	s.expectAttributes(GCP, s.findResource(GCP, "google_cloud_run_v2_service", "ingest"), map[string]any{"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"})
}

// The routes of the table are those that the code serves.
func TestRoutesAreServed(t *testing.T) {
	b, err := os.ReadFile("../../functions/host/standalone/http.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Functions {
		if f.Name == "ingest-webhook" && !strings.Contains(string(b), `"/`+f.Route+`"`) {
			t.Errorf("%s: %s is not a route of the standalone host", f.Name, f.Route)
		}
	}
	run, err := os.ReadFile("../../functions/host/cloudrun/host.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(run), `"POST /{$}"`) {
		t.Error("cloudrun no longer takes pushes at /, where infra/gcp sends them")
	}
	if routes := ingestRoutes(t); !slices.Contains(routes, "gcp") || !slices.Contains(routes, "aws") || !slices.Contains(routes, "azure") || !slices.Contains(routes, "webhook") {
		t.Errorf("ingest routes %v: infra feeds aws, azure, gcp and webhook", routes)
	}
}

// ingestRoutes reads the Route of each ingest function from wire.
func ingestRoutes(t *testing.T) (out []string) {
	t.Helper()
	for _, glob := range []string{"route/*.go", "route/*/*.go"} {
		files, err := filepath.Glob("../../functions/cmd/internal/wire/" + glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, routesOf(f)...)
		}
	}
	return out
}

// routesOf are the values of all keys Route.
func routesOf(f *ast.File) (out []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if k, ok := kv.Key.(*ast.Ident); ok && k.Name == "Route" {
				if l, ok := kv.Value.(*ast.BasicLit); ok {
					v, _ := strconv.Unquote(l.Value) // a literal unquotes
					out = append(out, v)
				}
			}
		}
		return true
	})
	return out
}
