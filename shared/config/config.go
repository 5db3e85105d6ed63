// Package config is all settings as one typed value, read from the environment and one optional YAML file. An empty
// configuration is a standalone Onepane for one tenant on loopback.
//
//	ONEPANE_* ──┐
//	            ├─▶ Load ─▶ Config ─▶ wire
//	YAML file ──┘      └─▶ every mistake at once, each with its variable's name
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Config is every setting.
type Config struct {
	Listen   string `yaml:"listen"`   // ONEPANE_LISTEN: host:port of the API and portal
	BaseURL  string `yaml:"baseURL"`  // ONEPANE_BASE_URL: its address for clients, "https://onepane.example", when a proxy ends TLS before it
	Data     string `yaml:"data"`     // ONEPANE_DATA: the data directory of the embedded bus and store
	CacheMB  int    `yaml:"cacheMB"`  // ONEPANE_CACHE_MB: memory for the store's block cache
	LogLevel string `yaml:"logLevel"` // ONEPANE_LOG_LEVEL: debug, info, warn, error
	LogJSON  bool   `yaml:"logJSON"`  // ONEPANE_LOG_JSON: structured lines instead of text
	// Tenant owns the alerts that neither a credential nor Tenants assigns: ONEPANE_TENANT.
	Tenant string `yaml:"tenant"`
	// Mappings is a directory of further product mappings: ONEPANE_MAPPINGS.
	Mappings string `yaml:"mappings"`
	// TraceEndpoint is where traces go by OTLP over HTTP; empty sends none: OTEL_EXPORTER_OTLP_ENDPOINT.
	TraceEndpoint string `yaml:"traceEndpoint"`
	// Tenants maps each tenant to its cloud accounts, organisations and directories. Once anything is mapped, alerts
	// of other accounts are held in quarantine until their account is mapped too. File only.
	Tenants map[string]Tenant `yaml:"tenants"`
	// ExposuresAsAlerts names providers whose posture findings become alerts: ONEPANE_EXPOSURES_AS_ALERTS, comma
	// separated.
	ExposuresAsAlerts []string `yaml:"exposuresAsAlerts"`
	// Auth says who may use the API.
	Auth Auth `yaml:"auth"`
	// Sources are senders that sign their webhooks, by name. File only.
	Sources map[string]Source `yaml:"sources"`
	// RetentionDays is how many days a resolved incident and its alerts are kept after its last change, at least 45,
	// 0 for ever: ONEPANE_RETENTION_DAYS. An incident that is not resolved is always kept.
	RetentionDays int `yaml:"retentionDays"`
	// Exports say where alerts and incidents are sent. File only.
	Exports []Export `yaml:"exports"`
}

// Tenant is the accounts and the tuning of one tenant.
type Tenant struct {
	// Accounts are AWS account ids, Azure subscription ids, GCP project ids or numbers, AWS or GCP organisation ids,
	// Entra directory ids. Case does not matter.
	Accounts []string `yaml:"accounts"`
	// Tuning replaces constants of correlation, by name: see correlation.Params. `onepane replay --set` tries one.
	Tuning map[string]string `yaml:"tuning"`
}

// Default is the configuration of an empty environment.
func Default() Config {
	return Config{Listen: "127.0.0.1:7071", Data: ".onepane", CacheMB: 256, LogLevel: "info", Tenant: "default", Auth: Auth{RequestsPerMinute: 3000}}
}

// Load reads the file named by ONEPANE_CONFIG, the YAML in ONEPANE_CONFIG_YAML, for platforms where no file can stand
// beside the binary, and the environment, each over the one before. The error is fault.Invalid and lists every
// mistake.
func Load(getenv func(string) string) (Config, error) {
	c := Default()
	var mistakes []error
	if path := getenv("ONEPANE_CONFIG"); path != "" {
		if err := c.readFile(path); err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_CONFIG: %w", err))
		}
	}
	if text := getenv("ONEPANE_CONFIG_YAML"); text != "" {
		if err := c.readYAML(strings.NewReader(text)); err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_CONFIG_YAML: %w", err))
		}
	}
	mistakes = append(mistakes, c.readEnv(getenv)...)
	mistakes = append(mistakes, c.readAccess(getenv)...)
	mistakes = append(mistakes, c.settingMistakes()...)
	if len(mistakes) > 0 {
		return c, fault.Errorf(fault.Invalid, "configuration: %w", errors.Join(mistakes...))
	}
	return c, nil
}

func (c *Config) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.readYAML(f)
}

func (c *Config) readYAML(r io.Reader) error {
	d := yaml.NewDecoder(r)
	d.KnownFields(true) // a misspelt setting is a mistake, not a default
	return d.Decode(c)
}

func (c *Config) readEnv(getenv func(string) string) (mistakes []error) {
	for name, to := range map[string]*string{
		"ONEPANE_LISTEN": &c.Listen, "ONEPANE_BASE_URL": &c.BaseURL, "ONEPANE_DATA": &c.Data, "ONEPANE_LOG_LEVEL": &c.LogLevel, "ONEPANE_TENANT": &c.Tenant,
		"ONEPANE_MAPPINGS": &c.Mappings, "OTEL_EXPORTER_OTLP_ENDPOINT": &c.TraceEndpoint,
	} {
		if v := getenv(name); v != "" {
			*to = v
		}
	}
	if v := getenv("ONEPANE_EXPOSURES_AS_ALERTS"); v != "" {
		c.ExposuresAsAlerts = strings.Split(v, ",")
	}
	if v := getenv("ONEPANE_CACHE_MB"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_CACHE_MB: %q is not a number", v))
		} else {
			c.CacheMB = n
		}
	}
	if v := getenv("ONEPANE_RETENTION_DAYS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_RETENTION_DAYS: %q is not a number", v))
		}
		c.RetentionDays = n
	}
	if v := getenv("ONEPANE_LOG_JSON"); v != "" {
		b, err := strconv.ParseBool(v)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_LOG_JSON: %q is neither true nor false", v))
		}
		c.LogJSON = b
	}
	return mistakes
}

// Validate returns every mistake at once, as Load does: for a Config that flags have changed since.
func (c Config) Validate() error {
	if m := c.settingMistakes(); len(m) > 0 {
		return fault.Errorf(fault.Invalid, "configuration: %w", errors.Join(m...))
	}
	return nil
}

// settingMistakes returns what is wrong with c.
func (c Config) settingMistakes() (mistakes []error) {
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("ONEPANE_LISTEN: %q is not host:port", c.Listen)
	} else if err := CheckLoopback(c.Listen); err != nil && !c.Auth.IsConfigured() {
		wrong("ONEPANE_LISTEN: %w", err)
	}
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		wrong("ONEPANE_BASE_URL: not an address such as https://onepane.example") // the value may hold a password
	}
	mistakes = append(mistakes, c.accessMistakes()...)
	mistakes = append(mistakes, c.exportMistakes()...)
	if c.Data == "" {
		wrong("ONEPANE_DATA: no directory")
	}
	if c.CacheMB < 8 || c.CacheMB > 1<<20 {
		wrong("ONEPANE_CACHE_MB: %d is not between 8 and %d", c.CacheMB, 1<<20)
	}
	if least := int(incident.MinRetention / (24 * time.Hour)); c.RetentionDays != 0 && c.RetentionDays < least {
		wrong("ONEPANE_RETENTION_DAYS: %d is neither 0, for ever, nor at least %d, as long as correlation remembers", c.RetentionDays, least)
	}
	if _, err := c.SlogLevel(); err != nil {
		wrong("ONEPANE_LOG_LEVEL: %q is none of debug, info, warn, error", c.LogLevel)
	}
	if strings.TrimSpace(c.Tenant) == "" {
		wrong("ONEPANE_TENANT: empty")
	}
	owner := map[string]string{}
	for _, tenant := range c.TenantNames() {
		for _, account := range c.Tenants[tenant].Accounts {
			key := strings.ToLower(account)
			if other, taken := owner[key]; taken && other != tenant {
				wrong("tenants: account %q is mapped to both %s and %s", account, other, tenant)
			}
			owner[key] = tenant
		}
	}
	if _, err := correlation.ParamsByTenant(c.Tunings()); err != nil {
		wrong("%w", err)
	}
	return mistakes
}

// Tunings are the constants that tenants replace, by tenant and name, for correlation.ParamsByTenant.
func (c Config) Tunings() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, t := range c.Tenants {
		if len(t.Tuning) > 0 {
			out[name] = t.Tuning
		}
	}
	return out
}

// Accounts returns the mapped accounts by tenant, without tenants that are only tuned.
func (c Config) Accounts() map[string][]string {
	out := map[string][]string{}
	for name, t := range c.Tenants {
		if len(t.Accounts) > 0 || len(t.Tuning) == 0 {
			out[name] = t.Accounts
		}
	}
	return out
}

// TenantNames returns the mapped tenants, sorted.
func (c Config) TenantNames() []string {
	names := make([]string, 0, len(c.Tenants))
	for name := range c.Tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SlogLevel returns LogLevel as slog has it.
func (c Config) SlogLevel() (slog.Level, error) {
	var l slog.Level
	err := l.UnmarshalText([]byte(c.LogLevel))
	return l, err
}

// CheckLoopback refuses an address that other machines could reach: as long as Auth is not configured, the API is open.
func CheckLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is reachable from other machines, and without authentication Onepane listens on loopback only; "+
		"use 127.0.0.1, or set ONEPANE_OIDC_ISSUER or ONEPANE_API_KEYS", address)
}
