// Package cloud is the settings of the functions that run in the clouds, one typed value for each binary. They come
// from the environment alone, and are apart from config so that a function that starts cold carries no YAML.
//
//	ONEPANE_*, and the platform's own variables ─▶ LoadAWS │ LoadGCP │ LoadAzure ─▶ main
//	                                                  └─▶ every mistake at once, each with its variable's name
package cloud

import (
	"log/slog"
	"strings"
)

// Common is the settings that every function has.
type Common struct {
	Tenant            string     // ONEPANE_TENANT: owner of the alerts that nothing else assigns
	LogLevel          slog.Level // ONEPANE_LOG_LEVEL
	LogJSON           bool       // ONEPANE_LOG_JSON
	ExposuresAsAlerts []string   // ONEPANE_EXPOSURES_AS_ALERTS: providers whose posture findings become alerts
	Bus               Bus
	Claims            Claims
	Identity          Identity
}

// Bus says where the queues are.
type Bus struct {
	Namespace  string // ONEPANE_BUS_NAMESPACE: host name
	Queue      string // ONEPANE_BUS_QUEUE
	Quarantine string // ONEPANE_QUARANTINE_QUEUE
	Endpoint   string // ONEPANE_BUS_ENDPOINT: host:port to connect to, of a proxy or a test; "" is the namespace
}

// Claims is the blob container of events that are too large for a message: ONEPANE_CLAIM_CONTAINER, split in two.
type Claims struct {
	Account   string // "https://account.blob.core.windows.net/"
	Container string
}

// Identity says which identity asks for tokens, and where.
type Identity struct {
	Directory string // ONEPANE_AZURE_TENANT_ID
	Client    string // ONEPANE_AZURE_CLIENT_ID
	Authority string // AZURE_AUTHORITY_HOST, as the Azure SDKs know it; "" is the public cloud's
}

// AWS is the settings of ingest-aws.
type AWS struct {
	Common
	Region string // AWS_REGION
	STS    string // AWS_ENDPOINT_URL_STS, as the AWS SDKs know it; "" is the region's own
}

// LoadAWS reads the settings of ingest-aws. The error is fault.Invalid and lists every mistake.
func LoadAWS(getenv func(string) string) (AWS, error) {
	r := reader{getenv: getenv}
	s := AWS{Common: r.readCommon(), Region: r.requiredText("AWS_REGION"), STS: r.serviceURL("AWS_ENDPOINT_URL_STS")}
	return s, r.mistakesError()
}

// GCP is the settings of ingest-gcp.
type GCP struct {
	Common
	Push     Push
	Metadata string // GCE_METADATA_HOST, as Google's SDKs know it; "" is the platform's own
}

// Push says which pushes of Pub/Sub are taken.
type Push struct {
	Audience string // ONEPANE_PUSH_AUDIENCE
	Account  string // ONEPANE_PUSH_ACCOUNT: e-mail of the service account
	Keys     string // ONEPANE_PUSH_KEYS: address of the signing keys; "" is Google's
}

// LoadGCP reads the settings of ingest-gcp. The error is fault.Invalid and lists every mistake.
func LoadGCP(getenv func(string) string) (GCP, error) {
	r := reader{getenv: getenv}
	s := GCP{Common: r.readCommon(), Metadata: getenv("GCE_METADATA_HOST"), Push: Push{
		Audience: r.requiredText("ONEPANE_PUSH_AUDIENCE"), Account: r.requiredText("ONEPANE_PUSH_ACCOUNT"), Keys: r.serviceURL("ONEPANE_PUSH_KEYS"),
	}}
	return s, r.mistakesError()
}

// Azure is the settings of the function app.
type Azure struct {
	Common
	Cosmos      Cosmos
	APIAudience string  // ONEPANE_API_AUDIENCE: of the tokens that the API takes; "" takes none
	Managed     Managed // the app's own identity
	Backlog     Backlog
	URL         string // ONEPANE_BASE_URL: the app's address for people, when it is not the platform's
	Host        string // WEBSITE_HOSTNAME: its host name on the platform
}

// BaseURL returns how links to the app begin; "" when neither settings nor platform say.
func (a Azure) BaseURL() string {
	switch {
	case a.URL != "":
		return strings.TrimSuffix(a.URL, "/")
	case a.Host != "":
		return "https://" + a.Host
	}
	return ""
}

// Backlog says where Azure counts the messages that wait on the bus.
type Backlog struct {
	Namespace string // ONEPANE_BUS_RESOURCE: resource id of the namespace, "/subscriptions/…"; "" counts nothing
	Manager   string // ONEPANE_RESOURCE_MANAGER: address of Resource Manager; "" is the public cloud's
}

// Cosmos is where alerts and incidents are kept.
type Cosmos struct {
	Endpoint string // ONEPANE_COSMOS_ENDPOINT
	Database string // ONEPANE_COSMOS_DATABASE
}

// Managed is App Service's token endpoint, and the header by which it knows the app's own requests.
type Managed struct{ Endpoint, Header string } // IDENTITY_ENDPOINT, IDENTITY_HEADER

// LoadAzure reads the settings of the function app. The error is fault.Invalid and lists every mistake.
func LoadAzure(getenv func(string) string) (Azure, error) {
	r := reader{getenv: getenv}
	s := Azure{
		Common:      r.readCommon(),
		Cosmos:      Cosmos{Endpoint: r.requiredURL("ONEPANE_COSMOS_ENDPOINT"), Database: r.requiredText("ONEPANE_COSMOS_DATABASE")},
		APIAudience: getenv("ONEPANE_API_AUDIENCE"),
		Managed:     Managed{Endpoint: r.requiredText("IDENTITY_ENDPOINT"), Header: r.requiredText("IDENTITY_HEADER")},
		Backlog:     Backlog{Namespace: r.resourceID("ONEPANE_BUS_RESOURCE"), Manager: strings.TrimSuffix(r.serviceURL("ONEPANE_RESOURCE_MANAGER"), "/")},
		URL:         r.serviceURL("ONEPANE_BASE_URL"), Host: getenv("WEBSITE_HOSTNAME"),
	}
	return s, r.mistakesError()
}

// readCommon reads the settings that every function has.
func (r *reader) readCommon() Common {
	return Common{
		Tenant: r.requiredText("ONEPANE_TENANT"), LogLevel: r.logLevel("ONEPANE_LOG_LEVEL"), LogJSON: r.boolValue("ONEPANE_LOG_JSON"),
		ExposuresAsAlerts: r.listValue("ONEPANE_EXPOSURES_AS_ALERTS"),
		Bus: Bus{Namespace: r.hostName("ONEPANE_BUS_NAMESPACE"), Queue: r.requiredText("ONEPANE_BUS_QUEUE"),
			Quarantine: r.requiredText("ONEPANE_QUARANTINE_QUEUE"), Endpoint: r.getenv("ONEPANE_BUS_ENDPOINT")},
		Claims: r.claimContainer("ONEPANE_CLAIM_CONTAINER"),
		Identity: Identity{Directory: r.requiredText("ONEPANE_AZURE_TENANT_ID"), Client: r.requiredText("ONEPANE_AZURE_CLIENT_ID"),
			Authority: strings.TrimSuffix(r.serviceURL("AZURE_AUTHORITY_HOST"), "/")},
	}
}
