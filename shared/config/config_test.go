package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/fault"
)

func getenvOf(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestEmptyEnvironmentIsStandalone(t *testing.T) {
	c, err := Load(getenvOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:7071" || c.Data != ".onepane" || c.Tenant != "default" {
		t.Errorf("defaults: %+v", c)
	}
}

func TestAllMistakesAtOnceByName(t *testing.T) {
	_, err := Load(getenvOf(map[string]string{
		"ONEPANE_LISTEN": "0.0.0.0:80", "ONEPANE_CACHE_MB": "lots", "ONEPANE_LOG_LEVEL": "loud", "ONEPANE_LOG_JSON": "perhaps",
		"ONEPANE_CONFIG": "/does/not/exist", "ONEPANE_BASE_URL": "onepane.example",
	}))
	if fault.Of(err) != fault.Invalid {
		t.Fatalf("want fault.Invalid, got %v", err)
	}
	for _, name := range []string{"ONEPANE_LISTEN", "ONEPANE_CACHE_MB", "ONEPANE_LOG_LEVEL", "ONEPANE_LOG_JSON", "ONEPANE_CONFIG", "ONEPANE_BASE_URL"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not mentioned in: %v", name, err)
		}
	}
}

func TestFileAndEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "onepane.yaml")
	text := "data: /var/lib/onepane\ncacheMB: 64\ntenants:\n  contoso: {accounts: [\"111122223333\"]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG": path, "ONEPANE_CACHE_MB": "32", "ONEPANE_BASE_URL": "https://onepane.example/"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.BaseURL != "https://onepane.example/" || c.Data != "/var/lib/onepane" || c.CacheMB != 32 || c.Tenants["contoso"].Accounts[0] != "111122223333" {
		t.Errorf("got %+v", c)
	}
}

// A function app has settings and no place for a file.
func TestTextInsteadOfAFile(t *testing.T) {
	c, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG_YAML": "tenant: contoso\ntenants:\n  contoso: {accounts: [\"111122223333\"]}\n", "ONEPANE_TENANT": "fabrikam"}))
	if err != nil || c.Tenants["contoso"].Accounts[0] != "111122223333" || c.Tenant != "fabrikam" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG_YAML": "tenat: contoso"})); err == nil || !strings.Contains(err.Error(), "ONEPANE_CONFIG_YAML") {
		t.Errorf("a misspelt setting: %v", err)
	}
}

func TestRetention(t *testing.T) {
	for value, want := range map[string]int{"": 0, "0": 0, "45": 45, "365": 365, "44": -1, "-1": -1, "long": -1} {
		c, err := Load(getenvOf(map[string]string{"ONEPANE_RETENTION_DAYS": value}))
		if err == nil && c.RetentionDays != want || (err != nil) != (want < 0) {
			t.Errorf("%q: %d, %v", value, c.RetentionDays, err)
		}
	}
}

func TestFileMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"listne: x\n": "listne",
		"tenants:\n  a: {tuning: {JoinAt: 7, Stepp: 1}}\n":            "Stepp",
		"tenants:\n  a: {tuning: {StepFade: soon}}\nlogLevel: loud\n": "ONEPANE_LOG_LEVEL",
		"tenants:\n  a: {accounts: [X1]}\n  b: {accounts: [x1]}\n":    "mapped to both a and b",
	} {
		path := filepath.Join(t.TempDir(), "onepane.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG": path})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a word about %q", text, err, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:7071": true, "[::1]:7071": true, "localhost:0": true,
		"0.0.0.0:7071": false, ":7071": false, "10.0.0.1:7071": false, "example.com:80": false, "nonsense": false,
	} {
		if err := CheckLoopback(address); (err == nil) != ok {
			t.Errorf("Loopback(%q) = %v", address, err)
		}
	}
}

func TestTuningPerTenant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "onepane.yaml")
	text := "tenants:\n  contoso: {tuning: {JoinAt: 0.6, StepFade: 45m, Weights.ip: 0.2}}\n  fabrikam: {accounts: [\"111122223333\"]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(getenvOf(map[string]string{"ONEPANE_CONFIG": path}))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Tunings(); len(got) != 1 || got["contoso"]["JoinAt"] != "0.6" || got["contoso"]["StepFade"] != "45m" || got["contoso"]["Weights.ip"] != "0.2" {
		t.Errorf("tunings %v", got)
	}
	if got := c.Accounts(); len(got) != 1 || got["fabrikam"][0] != "111122223333" {
		t.Errorf("a tenant that is only tuned is mapped: %v", got)
	}
}
