package cloud

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/fault"
)

// common are the settings that infra gives every function.
var common = map[string]string{
	"ONEPANE_TENANT": "contoso", "ONEPANE_LOG_JSON": "true", "ONEPANE_BUS_NAMESPACE": "sb-contoso.servicebus.windows.net",
	"ONEPANE_BUS_QUEUE": "alerts", "ONEPANE_QUARANTINE_QUEUE": "quarantine",
	"ONEPANE_CLAIM_CONTAINER": "https://stcontoso.blob.core.windows.net/claims", "ONEPANE_AZURE_TENANT_ID": "d", "ONEPANE_AZURE_CLIENT_ID": "c",
}

func getenvOf(more map[string]string) func(string) string {
	all := maps.Clone(common)
	maps.Copy(all, more)
	return func(k string) string { return all[k] }
}

func TestWhatInfrastructureSetsIsEnough(t *testing.T) {
	a, err := LoadAWS(getenvOf(map[string]string{"AWS_REGION": "eu-west-1"}))
	if err != nil || a.Region != "eu-west-1" || !a.LogJSON || a.LogLevel != slog.LevelInfo {
		t.Errorf("aws: %+v, %v", a, err)
	}
	if want := (Claims{"https://stcontoso.blob.core.windows.net/", "claims"}); a.Claims != want {
		t.Errorf("claims %+v, want %+v", a.Claims, want)
	}
	g, err := LoadGCP(getenvOf(map[string]string{"ONEPANE_PUSH_AUDIENCE": "a", "ONEPANE_PUSH_ACCOUNT": "p@example.com"}))
	if err != nil || g.Push != (Push{Audience: "a", Account: "p@example.com"}) {
		t.Errorf("gcp: %+v, %v", g, err)
	}
	z, err := LoadAzure(getenvOf(map[string]string{"ONEPANE_COSMOS_ENDPOINT": "https://cosmos-contoso.documents.azure.com:443/",
		"ONEPANE_COSMOS_DATABASE": "onepane", "IDENTITY_ENDPOINT": "http://localhost:4141/msi/token", "IDENTITY_HEADER": "h"}))
	if err != nil || z.Cosmos.Database != "onepane" {
		t.Errorf("azure: %+v, %v", z, err)
	}
}

func TestAllMistakesAtOnceByName(t *testing.T) {
	nothing := func(string) string { return "" }
	_, aws := LoadAWS(nothing)
	_, gcp := LoadGCP(nothing)
	_, azure := LoadAzure(nothing)
	always := []string{"ONEPANE_TENANT", "ONEPANE_BUS_NAMESPACE", "ONEPANE_BUS_QUEUE", "ONEPANE_QUARANTINE_QUEUE", "ONEPANE_CLAIM_CONTAINER",
		"ONEPANE_AZURE_TENANT_ID", "ONEPANE_AZURE_CLIENT_ID"}
	for _, tt := range []struct {
		err  error
		more []string
	}{
		{aws, []string{"AWS_REGION"}},
		{gcp, []string{"ONEPANE_PUSH_AUDIENCE", "ONEPANE_PUSH_ACCOUNT"}},
		{azure, []string{"ONEPANE_COSMOS_ENDPOINT", "ONEPANE_COSMOS_DATABASE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}},
	} {
		if fault.Of(tt.err) != fault.Invalid {
			t.Fatalf("want fault.Invalid, got %v", tt.err)
		}
		for _, name := range append(tt.more, always...) {
			if !strings.Contains(tt.err.Error(), name) {
				t.Errorf("%s is not mentioned in: %v", name, tt.err)
			}
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, values := range map[string][]string{
		"ONEPANE_BUS_NAMESPACE": {"https://sb-contoso.servicebus.windows.net", "sb-contoso.servicebus.windows.net/alerts"},
		"ONEPANE_CLAIM_CONTAINER": {"stcontoso/claims", "https://stcontoso.blob.core.windows.net", "http://stcontoso.blob.core.windows.net/claims",
			"https://stcontoso.blob.core.windows.net/claims?sig=x"},
		"ONEPANE_LOG_JSON": {"perhaps"}, "ONEPANE_LOG_LEVEL": {"loud"}, "AWS_ENDPOINT_URL_STS": {"sts", "http://sts.example"},
		"AZURE_AUTHORITY_HOST": {"login.example"},
	} {
		for _, v := range values {
			_, err := LoadAWS(getenvOf(map[string]string{"AWS_REGION": "eu-west-1", name: v}))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: %v", name, v, err)
			}
			if err != nil && strings.Contains(err.Error(), "sig=") {
				t.Errorf("the error shows what may be a secret: %v", err)
			}
		}
	}
}

func TestWhereTheAppIs(t *testing.T) {
	for _, tt := range []struct{ own, platform, want string }{
		{"", "", ""}, {"", "func-contoso.azurewebsites.net", "https://func-contoso.azurewebsites.net"},
		{"https://soc.contoso.example/", "func-contoso.azurewebsites.net", "https://soc.contoso.example"},
	} {
		if got := (Azure{URL: tt.own, Host: tt.platform}).BaseURL(); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestMistakesOfTheApp(t *testing.T) {
	for name, v := range map[string]string{
		"ONEPANE_BUS_RESOURCE": "sb-contoso", "ONEPANE_RESOURCE_MANAGER": "http://management.example", "ONEPANE_BASE_URL": "soc.contoso.example",
	} {
		if _, err := LoadAzure(getenvOf(map[string]string{name: v})); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s=%s: %v", name, v, err)
		}
	}
}
