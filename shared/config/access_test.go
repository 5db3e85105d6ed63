package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuthFromEnvironment(t *testing.T) {
	c, err := Load(getenvOf(map[string]string{
		"ONEPANE_LISTEN": "0.0.0.0:443", "ONEPANE_OIDC_ISSUER": "https://id.example/realms/x", "ONEPANE_OIDC_AUDIENCE": "api://onepane, 6b1c",
		"ONEPANE_OIDC_TENANTS": "contoso", "ONEPANE_REQUESTS_PER_MINUTE": "150", "ONEPANE_AUDIT_DAYS": "400",
	}))
	if err != nil {
		t.Fatal(err)
	}
	i := c.Auth.Issuers[0]
	if i.URL != "https://id.example/realms/x" || strings.Join(i.Audiences, " ") != "api://onepane 6b1c" || i.Tenants[0] != "contoso" {
		t.Errorf("issuer %+v", i)
	}
	if c.Auth.RequestsPerMinute != 150 || c.Auth.AuditDays != 400 || !c.Auth.IsConfigured() {
		t.Errorf("auth %+v", c.Auth)
	}
}

func TestKeysAloneAllowToListenAnywhere(t *testing.T) {
	if _, err := Load(getenvOf(map[string]string{"ONEPANE_LISTEN": "0.0.0.0:443", "ONEPANE_API_KEYS": "true"})); err != nil {
		t.Error(err)
	}
	if _, err := Load(getenvOf(map[string]string{"ONEPANE_LISTEN": "0.0.0.0:443", "ONEPANE_API_KEYS": "false"})); err == nil {
		t.Error("open to other machines")
	}
}

func TestAccessMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"auth: {issuers: [{url: 'http://id.example', audiences: [x]}]}":                                 "https://",
		"auth: {issuers: [{url: 'https://id.example?x=1', audiences: [x]}]}":                            "https://",
		"auth: {issuers: [{url: 'https://me:pw@id.example', audiences: [x]}]}":                          "https://",
		"auth: {issuers: [{url: nonsense, audiences: [x]}]}":                                            "not an address",
		"auth: {issuers: [{url: 'https://id.example'}]}":                                                "no audience",
		"auth: {issuers: [{url: 'https://a.b', audiences: [x]}, {url: 'https://a.b', audiences: [x]}]}": "twice",
		"auth: {issuers: [{url: 'https://a.b', audiences: [x], algorithms: [HS256]}]}":                  "HS256",
		"auth: {requestsPerMinute: -1}":                                                                 "ONEPANE_REQUESTS_PER_MINUTE",
		"auth: {auditDays: -1}":                                                                         "ONEPANE_AUDIT_DAYS",
		"sources: {acme: {secrets: ['env:X']}}":                                                         "acme: no tenant",
		"sources: {acme: {tenant: contoso}}":                                                            "acme: no secrets",
		"sources: {acme: {tenant: contoso, secrets: ['env:X'], routes: [smtp]}}":                        "smtp",
	} {
		path := filepath.Join(t.TempDir(), "onepane.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG": path})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word about %s", text, err, want)
		}
	}
	for _, vars := range []map[string]string{
		{"ONEPANE_OIDC_AUDIENCE": "x"}, {"ONEPANE_API_KEYS": "perhaps"}, {"ONEPANE_REQUESTS_PER_MINUTE": "many"},
	} {
		if _, err := Load(getenvOf(vars)); err == nil {
			t.Errorf("%v is taken", vars)
		}
	}
	if _, err := Load(getenvOf(map[string]string{"ONEPANE_OIDC_ISSUER": "http://127.0.0.1:8080/x", "ONEPANE_OIDC_AUDIENCE": "x"})); err != nil {
		t.Errorf("an issuer on this machine: %v", err)
	}
}

func TestReferences(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := getenvOf(map[string]string{"ACME": "from the environment"})
	for r, want := range map[Reference]string{"env:ACME": "from the environment", Reference("file:" + path): "from a file"} {
		if got, err := r.Resolve(vars); got != want || err != nil {
			t.Errorf("%s: %q, %v", r, got, err)
		}
	}
	for _, r := range []Reference{"env:NONE", "file:/does/not/exist", "whsec_a-secret-itself", ""} {
		if _, err := r.Resolve(vars); err == nil || strings.Contains(err.Error(), "whsec") {
			t.Errorf("%s: %v", r, err)
		}
	}
}
