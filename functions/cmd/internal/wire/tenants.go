package wire

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/fault"
)

// tenants finds whose an alert is, from the account mapping of the configuration.
type tenants struct {
	byAccount map[string]string // lower case account, organisation or directory → tenant
	known     map[string]bool
	fallback  string // for alerts that nothing assigns, while nothing is mapped
}

func newTenants(cfg config.Config) tenants {
	t := tenants{byAccount: map[string]string{}, known: map[string]bool{}, fallback: cfg.Tenant}
	for name, tenant := range cfg.Tenants {
		t.known[name] = true
		for _, a := range tenant.Accounts {
			t.byAccount[strings.ToLower(a)] = name
		}
	}
	return t
}

// Tenant is the tenant that the account, its project's other name, or its organisation is mapped to. While nothing is
// mapped at all, an alert is the tenant's that it claims, or the default tenant's. With a mapping, a claim counts only for a
// mapped tenant and an account that is not another's; what nothing assigns is fault.Held.
func (t tenants) Tenant(a alert.Account, claim string) (string, error) {
	if len(t.known) == 0 {
		if claim != "" {
			return claim, nil
		}
		return t.fallback, nil
	}
	owner := ""
	for _, name := range []string{a.ID, a.Name, a.Organization} {
		if owner = t.byAccount[strings.ToLower(name)]; owner != "" {
			break
		}
	}
	switch {
	case owner == "" && t.known[claim]:
		return claim, nil
	case owner == "":
		return "", fault.Errorf(fault.Held, "no tenant is mapped to %s: held until the account is mapped, then replay it", describe(a, claim))
	case claim != "" && claim != owner:
		return "", fault.Errorf(fault.Invalid, "tenant: %q is claimed, but account %q is mapped to %q", claim, a.ID, owner)
	}
	return owner, nil
}

func describe(a alert.Account, claim string) string {
	switch {
	case a.ID != "":
		return strings.TrimSpace(string(a.Cloud) + " account " + a.ID)
	case a.Organization != "":
		return "organisation or directory " + a.Organization
	case claim != "":
		return "the claimed tenant " + claim
	}
	return "an alert that names no account"
}
