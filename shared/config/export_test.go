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
		{"name", "{name: 'Siem 1', tenant: contoso, target: file, options: {directory: x}}", "a name is"},
		{"tenant", "{name: siem, target: file, options: {directory: x}}", "no tenant"},
		{"missing option", "{name: siem, tenant: contoso, target: cef}", "needs option address"},
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
