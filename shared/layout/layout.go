// Package layout keeps the import rules of the house: who may look out on whom. The rules are the table below; the
// test reads every import in the repository and holds it against them.
//
//	delivery ─▶ ingest ─▶ bus ─▶ correlate ─▶ store ─▶ export / api / portal
package layout

import "strings"

// Module is the prefix of the project's own import paths.
const Module = "github.com/onepane/onepane/"

// A Rule says what the packages under Room may import of this project, and which outside modules only they may.
type Rule struct {
	Room string // path below the module; "functions/ingest/*" means any one folder there
	// May lists rooms; "functions/ingest" is exactly that package, "functions/ingest/..." all below it too.
	May []string
}

// domain are the pure rooms every room may look into.
var domain = []string{
	"shared/fault", "shared/attack", "shared/entity", "shared/alert", "shared/incident", "shared/correlation", "shared/query", "shared/cloudevent",
}

// Rules is the table, the narrowest room first: the first rule that fits a package is the one that counts.
var Rules = []Rule{
	{"shared/fault", nil},
	{"shared/attack", nil},
	{"shared/backoff", nil},
	{"shared/query", []string{"shared/fault", "shared/attack", "shared/entity", "shared/alert"}},
	{"shared/cloudevent", []string{"shared/fault"}},
	{"shared/entity", []string{"shared/fault", "shared/attack"}},
	{"shared/alert", []string{"shared/fault", "shared/attack", "shared/entity"}},
	{"shared/incident", []string{"shared/fault", "shared/attack", "shared/entity", "shared/alert", "shared/query"}},
	{"shared/correlation", []string{
		"shared/fault", "shared/attack", "shared/entity", "shared/alert", "shared/incident",
		"shared/correlation/resolve", "shared/correlation/score", "shared/correlation/table",
	}},
	{"shared/correlation/resolve", []string{"shared/alert", "shared/entity", "shared/incident", "shared/correlation/table"}},
	{"shared/correlation/score", nil},
	{"shared/correlation/table", nil},
	{"shared/layout", nil},
	{"shared/config", []string{"shared/fault", "shared/incident", "shared/correlation"}}, // a tenant's tuning is checked at start
	{"shared/config/cloud", []string{"shared/fault"}},
	{"shared/telemetry", with(domain, "shared/telemetry/logs")},
	{"shared/telemetry/logs", nil},
	{"shared/identity", []string{"shared/fault", "shared/backoff"}},
	{"shared/identity/azuresdk", []string{"shared/fault", "shared/identity"}},
	{"shared/datadir", domain},
	{"shared/bus", domain},
	{"shared/bus/servicebus", with(domain, "shared/backoff", "shared/bus", "shared/bus/bustest", "shared/bus/servicebus/pack", "shared/identity")},
	{"shared/bus/*", with(domain, "shared/backoff", "shared/bus", "shared/bus/bustest", "shared/bus/servicebus/pack", "shared/datadir")},
	{"shared/bus/servicebus/send", with(domain, "shared/backoff", "shared/bus", "shared/bus/servicebus/pack", "shared/identity")},
	{"shared/bus/servicebus/*", domain},
	{"shared/store", domain},
	{"shared/cache", nil},
	{"shared/store/cosmos", with(domain, "shared/backoff", "shared/cache", "shared/store", "shared/store/storetest", "shared/store/localstore", "shared/datadir", "shared/store/cosmos/cosmosdb", "shared/store/cosmos/frame", "shared/store/cosmos/lsm")},
	{"shared/store/cosmos/cosmosdb", []string{"shared/fault", "shared/cache"}},
	{"shared/store/cosmos/frame", []string{"shared/fault"}},
	{"shared/store/cosmos/lsm", []string{"shared/cache", "shared/store/cosmos/frame"}}, // no server, no domain
	{"shared/store/*", with(domain, "shared/backoff", "shared/store", "shared/store/storetest", "shared/datadir")},
	{"events", domain},
	{"functions/ingest", with(domain, "events", "shared/telemetry/logs")},
	{"functions/ingest/ingesttest", with(domain, "functions/ingest")},
	{"functions/ingest/defender", with(domain, "functions/ingest", "functions/ingest/ingesttest", "functions/ingest/microsoft")},
	{"functions/ingest/sentinel", with(domain, "functions/ingest", "functions/ingest/ingesttest", "functions/ingest/microsoft")},
	{"functions/ingest/xdr", with(domain, "functions/ingest", "functions/ingest/ingesttest", "functions/ingest/microsoft")},
	{"functions/ingest/eventhubs", with(domain, "functions/ingest", "functions/ingest/ingesttest", "functions/ingest/microsoft")},
	{"functions/ingest/*", with(domain, "functions/ingest", "functions/ingest/ingesttest")},
	{"functions/correlate", with(domain, "events")},
	{"functions/export", with(domain, "events", "shared/backoff", "shared/store")},
	{"functions/export/exporttest", with(domain, "functions/export", "functions/correlate", "events", "shared/store/...", "shared/datadir")},
	{"functions/export/parquet", with(domain, "functions/export", "functions/export/ocsf", "functions/export/exporttest", "shared/store")},
	{"functions/export/*", with(domain, "shared/backoff", "functions/export", "functions/export/exporttest", "shared/store")},
	{"functions/retention", with(domain, "shared/backoff", "shared/store", "shared/store/localstore", "shared/datadir")}, // the last two in tests
	{"functions/api", with(domain, "events", "functions/api/graph", "functions/api/odata")},
	{"functions/api/graph", with(domain, "functions/api/odata")},
	{"functions/api/odata", domain},
	{"functions/api/access", with(domain, "functions/api", "shared/store")},
	{"functions/api/access/accesstest", nil},
	{"functions/api/settings", with(domain, "functions/api", "shared/store", "shared/store/localstore", "shared/datadir")}, // the last two in tests
	{"functions/api/graphtest", nil}, // a module of its own
	{"functions/api/client", with(domain, "functions/api")},
	{"functions/portal", with(domain, "events")},
	{"functions/cli", with(domain, "shared/backoff", "functions/api/client")},
	{"functions/host/attempt", with(domain, "functions/ingest")},
	{"functions/host/hosttest/...", with(domain, "events", "shared/telemetry/logs", "functions/...")},
	{"functions/host/*", with(domain, "events", "shared/bus", "shared/telemetry", "shared/telemetry/logs", "functions/host/attempt", "functions/ingest", "functions/correlate", "functions/export", "functions/api", "functions/portal")},
	{"infra/contract", []string{"shared/bus"}},
	{"infra/local/cosmos", []string{"infra/local/cosmos/sql"}},
	{"infra/local/cosmos/sql", nil},
	{"infra/local/*", []string{"infra/local/npm"}},
	{"functions/cmd/...", []string{"events", "shared/...", "functions/...", "testdata/..."}},
}

// SDKs are outside modules that only the named rooms may import: a driver's SDK stays in the driver.
var SDKs = map[string][]string{
	"github.com/cockroachdb/pebble":      {"shared/datadir", "shared/bus/localbus", "shared/store/localstore"},
	"github.com/Azure/":                  {"shared/identity/azuresdk", "shared/bus/servicebus/...", "shared/store/cosmos", "shared/store/cosmos/cosmosdb", "functions/export/..."},
	"github.com/aws/":                    {"functions/host/awslambda", "functions/export/..."},
	"github.com/prometheus/":             {"shared/telemetry"},
	"go.opentelemetry.io/otel/sdk":       {"shared/telemetry"},
	"go.opentelemetry.io/otel/exporters": {"shared/telemetry"},
	"github.com/google/cel-go":           {"functions/ingest/mapping"},
	"cel.dev/":                           {"functions/ingest/mapping"},
	"go.yaml.in/yaml":                    {"shared/config", "functions/ingest/mapping"},
	"github.com/spf13/":                  {"functions/cli", "functions/cmd/..."},
	"encoding/json":                      {}, // go-json-experiment refuses repeated names; two readings of one body are a hole
	"github.com/cloudevents/sdk-go":      {}, // tests only: it costs cold start
	"github.com/santhosh-tekuri/":        {}, // tests only
}

// pureBans are what the domain never meets: a clock, the network, files, other processes.
var pureBans = []string{"net", "net/http", "os", "io/fs", "os/exec", "log/slog", "context", "sync/atomic"}

// pure are the rooms without effects.
var pure = []string{
	"shared/fault", "shared/attack", "shared/entity", "shared/alert", "shared/incident", "shared/correlation", "shared/correlation/resolve",
	"shared/correlation/score", "shared/correlation/table", "shared/query", "shared/cloudevent",
}

func with(rooms []string, more ...string) []string {
	return append(rooms[:len(rooms):len(rooms)], more...)
}

// rule is the rule that counts for a package; nil when no room is meant for it.
func rule(pkg string) *Rule {
	for i := range Rules {
		if matches(Rules[i].Room, pkg) {
			return &Rules[i]
		}
	}
	return nil
}

// matches reports whether a package lies in a room.
func matches(room, pkg string) bool {
	if base, ok := strings.CutSuffix(room, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	if base, ok := strings.CutSuffix(room, "/*"); ok {
		rest, below := strings.CutPrefix(pkg, base+"/")
		return below && !strings.Contains(rest, "/")
	}
	return room == pkg
}
