// Package contract says what the code and the infrastructure must agree on: settings, functions, queues and
// containers. Its tests read infra/ as text and hold it against these tables, against what the code itself says,
// and against allow lists of who may do what.
//
//	code (bus, config, wire) ──┐
//	tables (this package) ─────┼─▶ checks ◀── HCL, host.json, function.json, CloudFormation
//	allow lists (tests) ───────┘      └─▶ TestMutations: each check goes red when its promise is broken
package contract

import "github.com/onepane/onepane/shared/bus"

// Setting is an environment variable that the code reads.
type Setting struct {
	Name  string
	By    []Module // the modules that set it; nil for a variable that only a self-run server or a test sets
	About string   // what the variable holds, a noun phrase
}

// Module is a folder of infra/.
type Module string

// The modules that run a binary.
const (
	Azure Module = "azure"
	AWS   Module = "aws"
	GCP   Module = "gcp"
)

var everywhere = []Module{Azure, AWS, GCP}

// Settings is every ONEPANE_ variable that the code reads; a module that sets another one fails the tests.
var Settings = []Setting{
	{"ONEPANE_TENANT", everywhere, "whose the alerts are that neither a credential nor a mapping assigns"},
	{"ONEPANE_LOG_JSON", everywhere, "structured log lines"},
	{"ONEPANE_BUS_NAMESPACE", everywhere, "host name of the Service Bus namespace"},
	{"ONEPANE_BUS_RESOURCE", []Module{Azure}, "resource id of the namespace, whose queues Azure counts"},
	{"ONEPANE_BUS_QUEUE", everywhere, "queue of alert events"},
	{"ONEPANE_QUARANTINE_QUEUE", everywhere, "queue of what can never be processed"},
	{"ONEPANE_CLAIM_CONTAINER", everywhere, "URL of the blob container of bodies too large for a message"},
	{"ONEPANE_AZURE_TENANT_ID", everywhere, "Entra directory that tokens are asked of"},
	{"ONEPANE_AZURE_CLIENT_ID", everywhere, "managed identity that tokens are asked for"},
	{"ONEPANE_COSMOS_ENDPOINT", []Module{Azure}, "URL of the Cosmos DB account"},
	{"ONEPANE_COSMOS_DATABASE", []Module{Azure}, "database in it"},
	{"ONEPANE_API_AUDIENCE", []Module{Azure}, "audience of the tokens that the API takes"},
	{"ONEPANE_CONFIG_YAML", []Module{Azure}, "what a file named by ONEPANE_CONFIG would hold"},
	{"ONEPANE_RETENTION_DAYS", []Module{Azure}, "how long resolved incidents are kept"},
	{"ONEPANE_PUSH_AUDIENCE", []Module{GCP}, "audience of Pub/Sub's push tokens"},
	{"ONEPANE_PUSH_ACCOUNT", []Module{GCP}, "service account that signs pushes"},
	{"ONEPANE_OIDC_ISSUER", nil, "issuer of further tokens that the API takes"},
	{"ONEPANE_OIDC_AUDIENCE", nil, "audiences of them"},
	{"ONEPANE_OIDC_TENANTS", nil, "tenants that they open"},
	{"ONEPANE_API_KEYS", nil, "whether the API takes keys"},
	{"ONEPANE_REQUESTS_PER_MINUTE", nil, "each principal's share of the API"},
	{"ONEPANE_AUDIT_DAYS", nil, "how long the audit log is kept"},
	{"ONEPANE_CONFIG", nil, "path of a YAML file"},
	{"ONEPANE_LISTEN", nil, "host:port of the standalone server; the clouds' hosts say where to listen themselves"},
	{"ONEPANE_BASE_URL", nil, "where people find the app, when not under the platform's own name; by variable settings of infra/azure"},
	{"ONEPANE_RESOURCE_MANAGER", nil, "address of Azure Resource Manager; the public cloud's unless set"},
	{"ONEPANE_BUS_ENDPOINT", nil, "host:port to connect to instead of the namespace's own: a proxy, a test"},
	{"ONEPANE_PUSH_KEYS", nil, "address of the keys that push tokens are signed with; Google's unless set"},
	{"ONEPANE_BIND", nil, "address that a host of a cloud listens on; all of them unless set"},
	{"ONEPANE_DATA", nil, "data directory of the embedded bus and store"},
	{"ONEPANE_CACHE_MB", nil, "memory of the embedded store's cache"},
	{"ONEPANE_LOG_LEVEL", nil, "debug, info, warn, error; by variable settings of infra/azure"},
	{"ONEPANE_MAPPINGS", nil, "directory of further product mappings"},
	{"ONEPANE_EXPOSURES_AS_ALERTS", nil, "providers whose posture findings become alerts; by variable settings of infra/azure"},
}

// Function is one function of the Azure app: a folder with a function.json, and a name that the handler answers to.
type Function struct {
	Name    string
	Trigger string // binding type of the trigger
	Binding string // name of the trigger: the key of Data in the envelope
	Route   string // path of an HTTP function below the host's root; "" for other triggers
}

// Functions is every function of the Azure app.
var Functions = []Function{
	{"ingest-azure", "eventHubTrigger", "events", ""},
	{"ingest-webhook", "httpTrigger", "req", "api/ingest/{route}"},
	{"correlate", "serviceBusTrigger", "messages", ""},
	{"export", "timerTrigger", "timer", ""},
	{"api", "httpTrigger", "req", "{*path}"},
}

// AppRoles are the roles of the API's Entra application, as the API reads them in tokens. A test of the app holds them
// against those of the API.
var AppRoles = []string{
	"Onepane.Ingest.All", "Onepane.Operate.All",
	"SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All",
}

// Queues says how each queue must be configured, by name.
var Queues = map[string]Queue{
	bus.AlertsQueue:     {Sessions: true, Duplicates: true},
	bus.QuarantineQueue: {},
}

// Queue is what the bus driver relies on.
type Queue struct {
	Sessions   bool // the session is the tenant
	Duplicates bool // duplicate detection; not in quarantine, where a message that was removed may come again
}

// Container is what the store driver relies on.
type Container struct {
	Partition []string // partition key paths, outermost first
	Indexed   []string // the only indexed paths, as an indexing policy writes them; nil indexes nothing
}

// Containers is every container of the store, by name. A test holds it against the driver's own description.
var Containers = map[string]Container{
	"state": {[]string{"/tenant"}, []string{
		"/type/?", "/v/?", "/ids/[]/?", "/terms/[]/?", "/cmin/?", "/cmax/?", "/umin/?", "/umax/?", "/fmin/?", "/fmax/?",
	}},
	"blobs": {[]string{"/tenant", "/id"}, nil},
}
