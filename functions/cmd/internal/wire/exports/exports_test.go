package exports

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/incident"
)

func TestTargetsOfTheConfiguration(t *testing.T) {
	secret := map[string]string{"webhook": "whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ==", "splunk": "token",
		"blob": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"}
	for name, options := range config.Targets {
		formats := []string{"", "json", "ocsf"}
		if strings.Contains("blob file s3", name) {
			formats = append(formats, "parquet")
		}
		for _, format := range formats {
			c := config.Export{Name: "x", Tenant: "t", Target: name, Format: format, Options: map[string]string{}}
			needed, _, _ := strings.Cut(options, "|")
			for _, o := range strings.Fields(needed) {
				c.Options[o] = "127.0.0.1:6514"
			}
			if secret[name] != "" {
				c.Secrets = []config.Reference{"env:SECRET"}
			}
			e, err := exportOf(c, Options{Version: "test", Getenv: func(string) string { return secret[name] }})
			if err != nil || e.Target == nil || e.Kind != name {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
	}
}

// What the README and config.Export say of when an export sends that does not say it itself.
func TestScheduleUnlessSaid(t *testing.T) {
	fiveMinutes, err := export.ParseSchedule("*/5 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for name := range config.Targets {
		want := export.Schedule{}
		if name == "s3" {
			want = fiveMinutes
		}
		for _, c := range []config.Export{{Target: name}, {Target: name, When: "change"}} {
			got, err := scheduleOf(c)
			if c.When == "change" {
				want = export.Schedule{}
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, when %q: %v, %v", name, c.When, got, err)
			}
		}
	}
}

func TestABlobByIdentity(t *testing.T) {
	c := config.Export{Name: "x", Tenant: "t", Target: "blob", Format: "parquet", Options: map[string]string{"container": "c", "endpoint": "https://contoso.blob.core.windows.net"}}
	if _, err := exportOf(c, Options{Version: "test", Getenv: func(string) string { return "" }}); err != nil {
		t.Error(err)
	}
	c.Options["endpoint"] = "contoso"
	if _, err := exportOf(c, Options{Version: "test", Getenv: func(string) string { return "" }}); err == nil {
		t.Error("an address that is none")
	}
}

// A target that has a word for it says where the portal shows what a record is about.
func TestLinksLeadToThePortal(t *testing.T) {
	row, err := export.OfIncident("contoso & sons", incident.Incident{ID: "10894", Tenant: "contoso & sons", Name: "Odd sign-ins", Status: incident.Active})
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]string{"endpoint": "https://dce.example", "rule": "dcr-0011", "url": "https://siem.example", "directory": "out", "bucket": "lake", "region": "eu-west-1"}
	for _, tt := range []struct{ target, format, portal, want string }{
		{"sentinel", "", "https://soc.example", `"IncidentUrl":"https://soc.example/incidents/10894?tid=contoso+%26+sons"`},
		{"sentinel", "", "https://soc.example/pane/", `"IncidentUrl":"https://soc.example/pane/incidents/10894?`},
		{"webhook", "ocsf", "https://soc.example", `"src_url":"https://soc.example/incidents/10894?tid=contoso+%26+sons"`},
		{"file", "ocsf", "https://soc.example", `"src_url":"https://soc.example/incidents/10894?`},
		{"s3", "ocsf", "https://soc.example", `"src_url":"https://soc.example/incidents/10894?`},
		{"sentinel", "", "", ""},
		{"webhook", "ocsf", "", ""},
	} {
		c := config.Export{Name: "x", Tenant: "contoso & sons", Target: tt.target, Format: tt.format, Options: options}
		e, err := exportOf(c, Options{Version: "test", PortalURL: tt.portal, Getenv: func(string) string { return "" }})
		if err != nil {
			t.Errorf("%s: %v", tt.target, err)
			continue
		}
		data, err := e.Target.Encode(row)
		if text := strings.ReplaceAll(string(data), `\u0026`, "&"); err != nil || !strings.Contains(text, tt.want) || tt.want == "" && strings.Contains(text, "/incidents/") {
			t.Errorf("%s %s to %q lacks %s: %s, %v", tt.target, tt.format, tt.portal, tt.want, text, err)
		}
	}
}
