package api

import (
	"context"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// Settings keeps what a tenant can set while Onepane runs, over what its configuration says.
type Settings interface {
	// Settings are a tenant's, version 0 when nothing was ever set.
	Settings(ctx context.Context, tenant string) (Setting, error)
	// Set puts a tenant's tuning in the place of what was set at that version; fault.Conflict when it is at another.
	// What note says of it is written with it, or neither; note may be nil, and say nothing.
	Set(ctx context.Context, tenant string, version uint64, tuning map[string]string, note func(after Setting) (*AuditLine, error)) (Setting, error)
}

// Setting is one tenant's settings on the wire.
type Setting struct {
	Tenant  string `json:"tenantId"`
	Version uint64 `json:"version"`
	// Tuning replaces constants of correlation by name, as `tuning` in the configuration does. Configured is what
	// that says; what is set here goes before it.
	Tuning     map[string]string `json:"tuning"`
	Configured map[string]string `json:"configured"`
}

func getSettings(req *request) error {
	s, err := readSettings(req)
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, s)
}

// readSettings are those of the one tenant that the request is about.
func readSettings(req *request) (Setting, error) {
	tenants, err := req.requestedTenants()
	if err != nil {
		return Setting{}, err
	}
	if len(tenants) != 1 {
		return Setting{}, fault.Errorf(fault.Invalid, "Settings are one tenant's: name it with 'tid'.")
	}
	return req.tenantScope().tenantSettings(req.Context(), tenants[0])
}

// patchSettings changes single constants: a null takes one back to what the configuration says.
func patchSettings(req *request) error {
	before, err := readSettings(req)
	if err != nil {
		return err
	}
	body, err := req.readDocument()
	if err != nil {
		return err
	}
	var in struct {
		Version *uint64            `json:"version"`
		Tuning  map[string]*string `json:"tuning"`
	}
	if err := json.Unmarshal(body, &in, json.RejectUnknownMembers(true)); err != nil || in.Tuning == nil {
		return fault.Errorf(fault.Invalid, `The body must be {"tuning":{"JoinAt":"0.6"}}; null takes a constant back, "version" refuses to change newer settings.`)
	}
	if in.Version != nil && *in.Version != before.Version {
		return fault.Errorf(fault.Conflict, "The settings are at version %d, not %d.", before.Version, *in.Version)
	}
	tuning := maps.Clone(before.Tuning)
	if tuning == nil {
		tuning = map[string]string{}
	}
	for name, v := range in.Tuning {
		if v == nil {
			delete(tuning, name)
		} else {
			tuning[name] = *v
		}
	}
	if err := checkTuning(before, tuning); err != nil {
		return err
	}
	after, err := req.tenantScope().replaceSettings(req.Context(), before, tuning, func(after Setting) (*AuditLine, error) {
		return req.newAuditLine(before.Tenant, "settings", before, after)
	})
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, after)
}

// checkTuning refuses constants that are of no use with those that the configuration sets.
func checkTuning(s Setting, tuning map[string]string) error {
	all := maps.Clone(s.Configured)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tuning)
	_, err := correlation.ParamsByTenant(map[string]map[string]string{s.Tenant: all})
	return err
}
