// Package auth says who may come in, as the configuration has it: it gives the API and the ingest routes what they
// ask of a request.
//
//	config.Auth ──▶ Auth ─┬─ SetUpServer ─────▶ api.Server: who asks, how often; API keys; the audit log
//	config.Sources ───────┼─ IdentifySender ──▶ ingest.HTTP: whose delivery it is
//	                      └─ RequireAllTenants ▶ whatever else a host serves: metrics
//
// Nothing configured is open to whoever is on this machine.
package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/access"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/sender"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/store"
)

// Auth are all ways in.
type Auth struct {
	Open bool // nothing is configured: whoever is on this machine may do everything

	authenticate api.Authenticate
	limit        func(api.Principal) time.Duration
	keys         *access.Keys
	audit        access.AuditLog
	signed       *sender.Verifier
}

// Options are what a deployment chooses.
type Options struct {
	Documents store.Documents // keeps API keys
	AuditLog  store.AuditLog
	// CacheKeysFor is how long a key is believed without asking the store: see access.Keys.
	CacheKeysFor time.Duration
	Getenv       func(string) string // where references to secrets lead
	HTTP         *http.Client        // asks issuers; nil is one with a time limit
	Now          func() time.Time
	Log          *slog.Logger
}

// New reads the ways in. A reference that leads nowhere, or to what is no secret, is fault.Invalid.
func New(cfg config.Config, o Options) (*Auth, error) {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	sources, err := signedSources(cfg, o.Getenv)
	if err != nil {
		return nil, err
	}
	d := &Auth{
		Open: !cfg.Auth.IsConfigured(), authenticate: api.AllowLoopback,
		keys:   &access.Keys{Documents: o.Documents, Now: o.Now, Log: o.Log, CacheFor: o.CacheKeysFor},
		audit:  access.AuditLog{Log: o.AuditLog, Keep: time.Duration(cfg.Auth.AuditDays) * 24 * time.Hour},
		signed: &sender.Verifier{Sources: sources, Now: o.Now},
	}
	if d.Open {
		return d, nil
	}
	d.authenticate = (&access.Guard{Issuers: trustedIssuers(cfg, o), Keys: d.keys}).Authenticate
	if n := cfg.Auth.RequestsPerMinute; n > 0 {
		d.limit = (&access.Limiter{PerMinute: n, Now: o.Now}).Wait
	}
	return d, nil
}

// SetUpServer gives a server all of it that it needs.
func (d *Auth) SetUpServer(s *api.Server) {
	s.Authenticate, s.Limit, s.Keys, s.AuditLog = d.authenticate, d.limit, d.keys, d.audit
}

// RequireAllTenants serves h to those who may see all tenants, and refuses all others: for what counts all tenants
// together. Where nothing is configured, everyone may.
func (d *Auth) RequireAllTenants(h http.Handler, refuse func(w http.ResponseWriter, r *http.Request, status int, code, message string)) http.Handler {
	if d.Open {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := d.authenticate(r)
		switch {
		case err == nil && p.AllTenants && p.Can(api.Everything):
			h.ServeHTTP(w, r)
		case err == nil || fault.Of(err) == fault.Denied:
			refuse(w, r, http.StatusForbidden, "accessDenied", "This is for those who may see all tenants.")
		case fault.Of(err) == fault.Unavailable:
			w.Header().Set("Retry-After", "5")
			refuse(w, r, http.StatusServiceUnavailable, "serviceNotAvailable", "Whoever knows the sender does not answer. Try again.")
		default:
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, r, http.StatusUnauthorized, "unauthenticated", err.Error())
		}
	})
}

// IdentifySender is ingest.HTTP's: a signed delivery is its source's, any other the principal's who may deliver.
func (d *Auth) IdentifySender(r *http.Request, route string) (ingest.Sender, error) {
	if sender.IsSigned(r.Header) && len(d.signed.Sources) > 0 {
		return d.signed.Sender(r, route)
	}
	p, err := d.authenticate(r)
	if d.Open && err != nil {
		return ingest.Sender{}, fault.Errorf(fault.Invalid, "%w", err)
	}
	if err != nil {
		return ingest.Sender{}, err
	}
	if !p.Can(api.Ingest) {
		return ingest.Sender{}, fault.Errorf(fault.Denied, "You may not deliver alerts: it takes the role Onepane.Ingest.All.")
	}
	tenant, err := deliveryTenant(p, r)
	return ingest.Sender{Tenant: tenant, Source: p.Name}, err
}

// deliveryTenant is the tenant of a principal's delivery: its only one, or the one that it names of several. Whoever
// may meet all tenants and names none leaves it to the account mapping.
func deliveryTenant(p api.Principal, r *http.Request) (string, error) {
	named := r.Header.Values(api.TenantHeader)
	switch {
	case len(named) > 1:
		return "", fault.Errorf(fault.Denied, "Header %s was sent more than once.", api.TenantHeader)
	case len(named) == 1 && named[0] != "" && !p.CanReach(named[0]):
		return "", fault.Errorf(fault.Denied, "You may not deliver for this tenant.")
	case len(named) == 1 && named[0] != "":
		return named[0], nil
	case p.AllTenants:
		return "", nil
	case len(p.Tenants) == 1:
		return p.Tenants[0], nil
	}
	return "", fault.Errorf(fault.Denied, "Name one of your tenants in header %s.", api.TenantHeader)
}

// trustedIssuers are those of the configuration, and beside an Entra directory's of version 2 that of version 1.
func trustedIssuers(cfg config.Config, o Options) []*access.Issuer {
	var out []*access.Issuer
	for _, i := range cfg.Auth.Issuers {
		for _, url := range access.DirectoryIssuers(i.URL) {
			if slices.ContainsFunc(out, func(o *access.Issuer) bool { return o.URL == url }) {
				continue
			}
			out = append(out, &access.Issuer{URL: url, Audiences: i.Audiences, Algorithms: i.Algorithms, Tenants: tenantsOf(cfg, i), HTTP: o.HTTP, Now: o.Now})
		}
	}
	return out
}

// tenantsOf tells which tenants a token of the issuer opens.
func tenantsOf(cfg config.Config, i config.Issuer) func(access.Claims) ([]string, bool, error) {
	owner := map[string]string{}
	for _, name := range cfg.TenantNames() {
		for _, account := range cfg.Tenants[name].Accounts {
			owner[strings.ToLower(account)] = name
		}
	}
	claim := i.TenantClaim
	if claim == "" {
		claim = "tid"
	}
	return func(c access.Claims) ([]string, bool, error) {
		if slices.Contains(i.Tenants, "*") {
			return nil, true, nil
		}
		if len(i.Tenants) > 0 {
			return i.Tenants, false, nil
		}
		if len(cfg.Tenants) == 0 { // there is only one
			return []string{cfg.Tenant}, false, nil
		}
		if tenant := owner[strings.ToLower(c.StringClaim(claim))]; tenant != "" {
			return []string{tenant}, false, nil
		}
		return nil, false, fault.Errorf(fault.Denied, "No tenant is mapped to what your token says in '%s'.", claim)
	}
}

// signedSources are the signers of the configuration, with their secrets.
func signedSources(cfg config.Config, getenv func(string) string) (out []sender.Source, err error) {
	var mistakes []error
	for name, s := range cfg.Sources {
		source := sender.Source{Name: name, Tenant: s.Tenant, Routes: s.Routes}
		if len(source.Routes) == 0 {
			source.Routes = []string{"webhook"}
		}
		for _, r := range s.Secrets {
			text, err := r.Resolve(getenv)
			if err == nil {
				var secret sender.Secret
				secret, err = sender.ParseSecret(text)
				source.Secrets = append(source.Secrets, secret)
			}
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("sources: %s: %w", name, err))
			}
		}
		out = append(out, source)
	}
	if len(mistakes) > 0 {
		return nil, fault.Errorf(fault.Invalid, "configuration: %w", errors.Join(mistakes...))
	}
	return out, nil
}
