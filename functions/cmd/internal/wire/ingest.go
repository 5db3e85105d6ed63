// Package wire is the only place where configuration chooses a driver and functions meet their contracts.
package wire

import (
	"github.com/onepane/onepane/functions/cmd/internal/wire/route"
	"github.com/onepane/onepane/functions/cmd/internal/wire/tenants"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/fault"
)

// routes are all ingest routes; they publish nothing yet.
func routes(mappings string) ([]*ingest.Function, error) { return route.All(mappings) }

// Readers are the ingest functions as replay needs them: they normalize and publish nothing. provider names one of
// generic, aws, azure, gcp; "" is all, for records to be recognized by their shape.
func Readers(cfg config.Config, provider string) ([]*ingest.Function, error) {
	all, err := routes(cfg.Mappings)
	if err != nil {
		return nil, err
	}
	simple := &ingest.Function{Route: "webhook", Envelope: webhook.Envelope{}, Providers: []ingest.Provider{generic.Provider{}}}
	chosen := map[string][]*ingest.Function{"": all, "generic": {simple}, "aws": all[:1], "azure": all[1:2], "gcp": all[2:3]}[provider]
	if chosen == nil {
		return nil, fault.Errorf(fault.Invalid, "--provider: %q is none of generic, aws, azure, gcp", provider)
	}
	for _, fn := range chosen {
		prepare(fn, cfg)
	}
	return chosen, nil
}

// prepare gives a function what the configuration says.
func prepare(fn *ingest.Function, cfg config.Config) {
	fn.Tenants = tenants.New(cfg.Tenant, cfg.Accounts())
	fn.ExposuresAsAlerts = map[string]bool{}
	for _, name := range cfg.ExposuresAsAlerts {
		fn.ExposuresAsAlerts[name] = true
	}
}
