// Package wire is the only place where configuration chooses a driver and functions meet their contracts.
package wire

import (
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/alertmanager"
	"github.com/onepane/onepane/functions/ingest/defender"
	"github.com/onepane/onepane/functions/ingest/eventbridge"
	"github.com/onepane/onepane/functions/ingest/eventhubs"
	"github.com/onepane/onepane/functions/ingest/falco"
	"github.com/onepane/onepane/functions/ingest/generic"
	"github.com/onepane/onepane/functions/ingest/guardduty"
	"github.com/onepane/onepane/functions/ingest/inspector"
	"github.com/onepane/onepane/functions/ingest/macie"
	"github.com/onepane/onepane/functions/ingest/mapping"
	"github.com/onepane/onepane/functions/ingest/ocsf"
	"github.com/onepane/onepane/functions/ingest/pubsub"
	"github.com/onepane/onepane/functions/ingest/scc"
	"github.com/onepane/onepane/functions/ingest/securityhub"
	"github.com/onepane/onepane/functions/ingest/sentinel"
	"github.com/onepane/onepane/functions/ingest/wazuh"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/functions/ingest/xdr"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/fault"
)

// routes are the ingest routes in the order in which replay tries them: each with its envelope and its providers, the first
// of which to recognize a record reads it. They publish nothing yet.
func routes(mappings string) ([]*ingest.Function, error) {
	mapped, err := loadMappings(mappings)
	if err != nil {
		return nil, err
	}
	outside := slices.Concat([]ingest.Provider{falco.Provider{}, wazuh.Provider{}, alertmanager.Provider{}, ocsf.Provider{}}, mapped,
		[]ingest.Provider{generic.Provider{}}) // the generic alert recognizes so much that it must come last
	return []*ingest.Function{
		{Route: "aws", Envelope: eventbridge.Envelope{}, Providers: []ingest.Provider{
			guardduty.Provider{}, securityhub.Provider{}, inspector.Provider{}, macie.Provider{}, ocsf.Provider{}}},
		{Route: "azure", Envelope: eventhubs.Envelope{}, Providers: []ingest.Provider{defender.Provider{}, sentinel.Provider{}, xdr.Provider{}}},
		{Route: "gcp", Envelope: pubsub.Envelope{}, Providers: append([]ingest.Provider{scc.Provider{}}, named(mapped, "cloud-monitoring")...)},
		{Route: "webhook", Envelope: webhook.Envelope{}, Providers: outside},
	}, nil
}

// loadMappings compiles the product mappings that come with Onepane and those in a directory of the user's, "" for none.
func loadMappings(dir string) ([]ingest.Provider, error) {
	folders := []fs.FS{mapping.Products()}
	if dir != "" {
		folders = append(folders, os.DirFS(dir))
	}
	ps, err := mapping.Load(folders...)
	if err != nil {
		return nil, fmt.Errorf("load product mappings: %w", err)
	}
	return ps, nil
}

func named(ps []ingest.Provider, name string) []ingest.Provider {
	return slices.DeleteFunc(slices.Clone(ps), func(p ingest.Provider) bool { return p.Name() != name })
}

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
	fn.Tenants = newTenants(cfg)
	fn.ExposuresAsAlerts = map[string]bool{}
	for _, name := range cfg.ExposuresAsAlerts {
		fn.ExposuresAsAlerts[name] = true
	}
}
