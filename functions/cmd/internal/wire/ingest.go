// Package wire is the only place where configuration chooses a driver and functions meet their contracts: a packing
// list.
//
//	config.Config ─▶ drivers (bus, store) ─▶ functions (ingest, correlate, export, retention, api) ─▶ host
package wire

import (
	"slices"

	"github.com/onepane/onepane/functions/cmd/internal/wire/route"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/fault"
)

// Readers are the ingest functions as replay needs them: they normalize and publish nothing. provider is generic, or
// one of the routes aws, azure and gcp; "" is every route, for records to be recognized by their shape. Another one is
// fault.Invalid.
func Readers(cfg config.Config, provider string) ([]*ingest.Function, error) {
	functions, err := ingestFunctions(cfg)
	if err != nil {
		return nil, err
	}
	switch provider {
	case "":
	case "generic":
		functions = []*ingest.Function{{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}}}
		assignTenants(functions, cfg)
	case "aws", "azure", "gcp":
		functions = slices.DeleteFunc(functions, func(f *ingest.Function) bool { return f.Route != provider })
	default:
		return nil, fault.Errorf(fault.Invalid, "--provider: %q is none of generic, aws, azure, gcp", provider)
	}
	return functions, nil
}

// ingestFunctions are those of every route; they publish nothing yet.
func ingestFunctions(cfg config.Config) ([]*ingest.Function, error) {
	functions, err := route.All(cfg.Mappings)
	assignTenants(functions, cfg)
	return functions, err
}

func assignTenants(functions []*ingest.Function, cfg config.Config) {
	for _, fn := range functions {
		fn.Tenants, fn.ExposuresAsAlerts = ingest.MapAccounts(cfg.Tenant, cfg.Accounts()), cfg.ExposuresAsAlerts
	}
}
