package api

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/onepane/onepane/shared/fault"
)

// Principal is who asks, and what it may.
type Principal struct {
	ID         string // never two principals' at once: what limits count by and the audit log keeps
	Name       string // as people know it
	AllTenants bool
	Tenants    []string // those it may meet, unless AllTenants
	Rights     Right
}

// Can reports whether p has any of the rights.
func (p Principal) Can(any Right) bool { return p.Rights&any != 0 }

// CanReach reports whether p may read the tenant. What belongs to no tenant yet is for those who may read all.
func (p Principal) CanReach(tenant string) bool {
	return p.AllTenants || slices.Contains(p.Tenants, tenant) && tenant != ""
}

// Authenticate tells who sent a request. An error of fault.Denied means that it is known who asks, and that it may not,
// fault.Unavailable that whoever could tell does not answer; any other means that the request does not say.
type Authenticate func(*http.Request) (Principal, error)

type principalKey struct{}

// PrincipalOf is the principal of a request that the API is answering.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// AllowLoopback lets everyone on this machine read and do everything: the mode of a standalone Onepane on loopback.
// So that no web page in a browser on this machine can use it, the request must name a loopback host and come from no
// other site.
func AllowLoopback(r *http.Request) (Principal, error) {
	if !isLoopback(r.Host) {
		return Principal{}, fault.Errorf(fault.Denied, "Without authentication configured, only loopback names such as 'localhost' are served, not '%s'.", clipText(r.Host))
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return Principal{}, fault.Errorf(fault.Denied, "Another site's page may not send requests here.")
	}
	return Principal{ID: "local", Name: "local", AllTenants: true, Rights: Everything}, nil
}

func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// TenantHeader narrows a request to one tenant, like the parameter "tid".
const TenantHeader = "X-Onepane-Tenant"

// requestedTenant is the tenant that a request narrows itself to, "" for all that its principal may read.
func requestedTenant(r *http.Request) (string, error) {
	header, params := r.Header.Get(TenantHeader), r.URL.Query()["tid"]
	if len(r.Header.Values(TenantHeader)) > 1 {
		return "", fault.Errorf(fault.Invalid, "Header %s was sent more than once.", TenantHeader)
	}
	if len(params) > 1 {
		return "", fault.Errorf(fault.Invalid, "Parameter 'tid' was specified more than once.")
	}
	if len(params) == 0 || params[0] == "" {
		return header, nil
	}
	if header != "" && header != params[0] {
		return "", fault.Errorf(fault.Invalid, "Parameter 'tid' says '%s' and header %s says '%s'.", clipText(params[0]), TenantHeader, clipText(header))
	}
	return params[0], nil
}
