package ingest

import (
	"strings"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// AccountMapping finds the tenant of a cloud account by the configuration. It implements Tenants.
type AccountMapping struct {
	byAccount map[string]string // lower case account, organisation or directory → tenant
	known     map[string]bool
	fallback  string // for alerts that nothing assigns, while nothing is mapped
}

// MapAccounts maps each tenant's accounts, organisations and directories to it. fallback is the tenant of unassigned
// alerts while nothing is mapped.
func MapAccounts(fallback string, accounts map[string][]string) AccountMapping {
	m := AccountMapping{byAccount: map[string]string{}, known: map[string]bool{}, fallback: fallback}
	for name, list := range accounts {
		m.known[name] = true
		for _, a := range list {
			m.byAccount[strings.ToLower(a)] = name
		}
	}
	return m
}

// Tenant is the tenant that the account, its project's other name, or its organisation is mapped to. While nothing is
// mapped, it is the tenant that the alert claims, else the fallback. With a mapping, a claim counts only for a mapped
// tenant and an account of no other: an account of another is fault.Invalid, an alert that nothing assigns
// fault.Held.
func (m AccountMapping) Tenant(a alert.Account, claim string) (string, error) {
	if len(m.known) == 0 {
		if claim != "" {
			return claim, nil
		}
		return m.fallback, nil
	}
	owner := ""
	for _, name := range []string{a.ID, a.Name, a.Organization} {
		if owner = m.byAccount[strings.ToLower(name)]; owner != "" {
			break
		}
	}
	switch {
	case owner == "" && m.known[claim]:
		return claim, nil
	case owner == "":
		return "", fault.Errorf(fault.Held, "no tenant is mapped to %s: held until the account is mapped, then replay it", describeAccount(a, claim))
	case claim != "" && claim != owner:
		return "", fault.Errorf(fault.Invalid, "tenant: %q is claimed, but account %q is mapped to %q", claim, a.ID, owner)
	}
	return owner, nil
}

func describeAccount(a alert.Account, claim string) string {
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
