package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Auth says who may use the API. The zero value lets everybody in, on loopback only.
type Auth struct {
	// Issuers are the OpenID Connect issuers whose tokens are taken. One may be given by ONEPANE_OIDC_ISSUER,
	// ONEPANE_OIDC_AUDIENCE and ONEPANE_OIDC_TENANTS, the latter two comma separated.
	Issuers []Issuer `yaml:"issuers"`
	// Keys takes API keys: ONEPANE_API_KEYS. Beside issuers they are always taken. The first key is made while Keys
	// is off, on loopback, or with a token.
	Keys bool `yaml:"keys"`
	// RequestsPerMinute is how many requests each principal may make, 0 for no limit: ONEPANE_REQUESTS_PER_MINUTE.
	RequestsPerMinute int `yaml:"requestsPerMinute"`
	// AuditDays is how many days the audit log is kept, 0 for ever: ONEPANE_AUDIT_DAYS.
	AuditDays int `yaml:"auditDays"`
}

// Issuer is one issuer of tokens.
type Issuer struct {
	URL       string   `yaml:"url"`       // as in the claim "iss"; of Entra https://login.microsoftonline.com/DIRECTORY/v2.0
	Audiences []string `yaml:"audiences"` // a token must be for one of them
	// Tenants are the tenants that its tokens give access to, "*" for all. Without any, the claim TenantClaim decides:
	// its value is one of the tenant's accounts; while no account is mapped, the tenant is the only one there is.
	Tenants     []string `yaml:"tenants"`
	TenantClaim string   `yaml:"tenantClaim"` // default "tid", Entra's directory id
	Algorithms  []string `yaml:"algorithms"`  // of signatures; default all of public keys that are strong enough
}

// Source is a sender of signed webhooks.
type Source struct {
	Tenant  string      `yaml:"tenant"`
	Routes  []string    `yaml:"routes"`  // default webhook
	Secrets []Reference `yaml:"secrets"` // to whsec_… or whpk_…; several while one replaces another
}

// Reference says where a secret is: "env:NAME" or "file:PATH". Secrets themselves are in no setting.
type Reference string

// Resolve returns the secret. Errors say where it should be, and nothing of its value.
func (r Reference) Resolve(getenv func(string) string) (string, error) {
	switch kind, where, _ := strings.Cut(string(r), ":"); kind {
	case "env":
		if v := getenv(where); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("variable %s is empty", where)
	case "file":
		b, err := os.ReadFile(where)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(string(b)), nil
	}
	return "", errors.New("not a reference: write env:NAME or file:PATH") // it may be the secret itself
}

// IsConfigured reports whether Auth restricts who may use the API.
func (a Auth) IsConfigured() bool { return a.Keys || len(a.Issuers) > 0 }

// readAccess reads the variables of Auth.
func (c *Config) readAccess(getenv func(string) string) (mistakes []error) {
	if v := getenv("ONEPANE_OIDC_ISSUER"); v != "" {
		c.Auth.Issuers = append(c.Auth.Issuers, Issuer{URL: v, Audiences: splitList(getenv("ONEPANE_OIDC_AUDIENCE")), Tenants: splitList(getenv("ONEPANE_OIDC_TENANTS"))})
	} else if getenv("ONEPANE_OIDC_AUDIENCE") != "" || getenv("ONEPANE_OIDC_TENANTS") != "" {
		mistakes = append(mistakes, errors.New("ONEPANE_OIDC_ISSUER: missing beside ONEPANE_OIDC_AUDIENCE or ONEPANE_OIDC_TENANTS"))
	}
	if v := getenv("ONEPANE_API_KEYS"); v != "" {
		b, err := strconv.ParseBool(v)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("ONEPANE_API_KEYS: %q is neither true nor false", v))
		}
		c.Auth.Keys = b
	}
	for name, to := range map[string]*int{"ONEPANE_REQUESTS_PER_MINUTE": &c.Auth.RequestsPerMinute, "ONEPANE_AUDIT_DAYS": &c.Auth.AuditDays} {
		if v := getenv(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %q is not a number", name, v))
				continue
			}
			*to = n
		}
	}
	return mistakes
}

// splitList splits a list at commas and spaces.
func splitList(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

// accessMistakes returns what is wrong with Auth and Sources.
func (c Config) accessMistakes() (mistakes []error) {
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.Auth.RequestsPerMinute < 0 {
		wrong("ONEPANE_REQUESTS_PER_MINUTE: %d is negative", c.Auth.RequestsPerMinute)
	}
	if c.Auth.AuditDays < 0 {
		wrong("ONEPANE_AUDIT_DAYS: %d is negative", c.Auth.AuditDays)
	}
	seen := map[string]bool{}
	for n, i := range c.Auth.Issuers {
		name := fmt.Sprintf("auth: issuer %d", n+1)
		if err := i.checkIssuer(); err != nil {
			wrong("%s (ONEPANE_OIDC_ISSUER): %w", name, err)
		}
		if len(i.Audiences) == 0 {
			wrong("%s: no audience (ONEPANE_OIDC_AUDIENCE)", name)
		}
		if seen[i.URL] {
			wrong("%s: %s is there twice", name, i.URL)
		}
		seen[i.URL] = true
	}
	for name, s := range c.Sources {
		if strings.TrimSpace(s.Tenant) == "" {
			wrong("sources: %s: no tenant", name)
		}
		if len(s.Secrets) == 0 {
			wrong("sources: %s: no secrets", name)
		}
		for _, route := range s.Routes {
			if !slices.Contains([]string{"aws", "azure", "gcp", "webhook"}, route) {
				wrong("sources: %s: no ingest route %q", name, route)
			}
		}
	}
	return mistakes
}

// signatureAlgorithms are the algorithms that a token may be signed with: those of public keys.
var signatureAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// checkIssuer refuses an issuer whose keys someone on the way to it could replace.
func (i Issuer) checkIssuer() error {
	for _, a := range i.Algorithms {
		if !slices.Contains(signatureAlgorithms, a) {
			return fmt.Errorf("algorithm %q is none of %s", a, strings.Join(signatureAlgorithms, ", "))
		}
	}
	u, err := url.Parse(i.URL)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is not an address", i.URL)
	case u.Scheme == "http" && CheckLoopback(hostPort(u)) == nil:
		return nil
	case u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("%q does not begin with https://, or has more than a path", i.URL)
	}
	return nil
}

// hostPort returns the host and port of a URL, 80 when it has none.
func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}
