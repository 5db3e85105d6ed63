package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExports(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"fine", "{name: siem, tenant: contoso, target: webhook, when: '@hourly', options: {url: 'https://siem.example'}, secrets: ['env:HOOK']}", ""},
		{"a file", "{name: out, tenant: contoso, target: file, format: ocsf, what: [incidents], options: {directory: /var/out}}", ""},
		{"a lake", "{name: lake, tenant: contoso, target: s3, format: parquet, options: {bucket: b, region: eu-west-1, accountId: '111122223333'}}", ""},
		{"a blob by identity", "{name: b, tenant: contoso, target: blob, format: parquet, options: {container: c, endpoint: 'https://x'}}", ""},
		{"a blob by neither", "{name: b, tenant: contoso, target: blob, options: {container: c}}", "connection string"},
		{"a blob by both", "{name: b, tenant: contoso, target: blob, options: {container: c, endpoint: 'https://x'}, secrets: ['env:S']}", "connection string"},
		{"keys for s3", "{name: lake, tenant: contoso, target: s3, options: {bucket: b, region: r}, secrets: ['env:S']}", "secrets"},
		{"parquet elsewhere", "{name: h, tenant: contoso, target: webhook, format: parquet, options: {url: x}, secrets: ['env:S']}", "parquet"},
		{"target", "{name: siem, tenant: contoso, target: carrier-pigeon}", "carrier-pigeon"},
		{"name", "{name: 'Siem 1', tenant: contoso, target: file, options: {directory: x}}", "must be small letters"},
		{"tenant", "{name: siem, target: file, options: {directory: x}}", "tenant: say whose"},
		{"missing option", "{name: siem, tenant: contoso, target: cef}", "options.address: target cef needs it"},
		{"unknown option", "{name: siem, tenant: contoso, target: file, options: {directory: x, color: red}}", "color"},
		{"what", "{name: siem, tenant: contoso, target: file, what: [gossip], options: {directory: x}}", "gossip"},
		{"secret", "{name: siem, tenant: contoso, target: splunk, options: {url: x, channel: y}}", "secrets"},
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte("exports:\n  - "+tt.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(func(name string) string {
			if name == "ONEPANE_CONFIG" {
				return path
			}
			return ""
		})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestExportMistakesNameTheFieldAndTheRemedy: every mistake is told at once, each with its export, its field and what
// would be right.
func TestExportMistakesNameTheFieldAndTheRemedy(t *testing.T) {
	c := Default()
	secret := []Reference{"env:S"}
	for _, tt := range []struct {
		field, remedy string
		export        Export
	}{
		{"name", "small letters", Export{Name: "Big One", Tenant: "t", Target: "file", Options: map[string]string{"directory": "x"}}},
		{"tenant", "without any it is \"default\"", Export{Target: "file", Options: map[string]string{"directory": "x"}}},
		{"target", "none of blob, cef, file, s3, sentinel, splunk, webhook", Export{Tenant: "t", Target: "pigeon"}},
		{"options.url", "needs it", Export{Tenant: "t", Target: "webhook", Secrets: secret}},
		{"options.colour", "knows only address, tls, host", Export{Tenant: "t", Target: "cef", Options: map[string]string{"address": "h:1", "colour": "red"}}},
		{"options.url", "https://host", Export{Tenant: "t", Target: "webhook", Secrets: secret, Options: map[string]string{"url": "siem.example/sesame"}}},
		{"options.endpoint", "https://host", Export{Tenant: "t", Target: "sentinel", Options: map[string]string{"endpoint": "x", "rule": "dcr-1"}}},
		{"options.address", "siem.example:6514", Export{Tenant: "t", Target: "cef", Options: map[string]string{"address": "siem.example"}}},
		{"options.tls", "'true' nor 'false'", Export{Tenant: "t", Target: "cef", Options: map[string]string{"address": "h:1", "tls": "off"}}},
		{"options.incidents", "'true' nor 'false'", Export{Tenant: "t", Target: "sentinel", Options: map[string]string{"endpoint": "https://x", "rule": "dcr-1", "incidents": "no"}}},
		{"options.acknowledge", "'true' nor 'false'", Export{Tenant: "t", Target: "splunk", Secrets: secret, Options: map[string]string{"url": "https://x", "channel": "c", "acknowledge": "never"}}},
		{"what", "none of alerts, incidents, exposures", Export{Tenant: "t", Target: "file", What: []string{"alert"}, Options: map[string]string{"directory": "x"}}},
		{"format", "none of json, ocsf, parquet", Export{Tenant: "t", Target: "file", Format: "csv", Options: map[string]string{"directory": "x"}}},
		{"format", "leave it out", Export{Tenant: "t", Target: "cef", Format: "ocsf", Options: map[string]string{"address": "h:1"}}},
		{"ocsf", "none of 1.5.0, 1.6.0, 1.8.0", Export{Tenant: "t", Target: "file", Format: "ocsf", OCSF: "2", Options: map[string]string{"directory": "x"}}},
		{"ocsf", "set one of them", Export{Tenant: "t", Target: "file", OCSF: "1.6.0", Options: map[string]string{"directory": "x"}}},
		{"filter.severity", "none of informational, low", Export{Tenant: "t", Target: "file", Filter: ExportFilter{Severity: "loud"}, Options: map[string]string{"directory": "x"}}},
		{"filter.clouds", "none of azure, aws, gcp", Export{Tenant: "t", Target: "file", Filter: ExportFilter{Clouds: []string{"amazon"}}, Options: map[string]string{"directory": "x"}}},
		{"filter.statuses", "none of new, active, inProgress", Export{Tenant: "t", Target: "file", Filter: ExportFilter{Statuses: []string{"open"}}, Options: map[string]string{"directory": "x"}}},
		{"secrets", "as env:NAME", Export{Tenant: "t", Target: "splunk", Options: map[string]string{"url": "https://x", "channel": "c"}}},
		{"secrets", "as env:NAME", Export{Tenant: "t", Target: "file", Secrets: secret, Options: map[string]string{"directory": "x"}}},
		{"subscriptions", "filter.accounts", Export{Tenant: "t", Target: "file", Subscriptions: []string{"s"}, Options: map[string]string{"directory": "x"}}},
	} {
		if tt.export.Name == "" {
			tt.export.Name = "siem"
		}
		c.Exports = []Export{tt.export}
		err := c.Validate()
		want := "exports: 1 (" + tt.export.Name + "): " + tt.field + ": "
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), tt.remedy) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%+v: want %s…%s, got: %v", tt.export, want, tt.remedy, err)
		}
	}
}
