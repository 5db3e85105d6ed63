// Package route is every ingest route with its envelope, its providers and the product mappings. Each route is a
// package below, which a function that starts cold takes alone, without the mappings.
//
//	aws      EventBridge, SQS, SNS ─▶ GuardDuty, Security Hub, Inspector, Macie, OCSF
//	azure    Event Hubs, Graph     ─▶ Defender for Cloud, Sentinel, Defender XDR
//	gcp      Pub/Sub               ─▶ Security Command Center, Cloud Monitoring
//	webhook  anyone                ─▶ Falco, Wazuh, Alertmanager, OCSF, mapped products, the generic alert
package route

import (
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/onepane/onepane/functions/cmd/internal/wire/route/aws"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/azure"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/gcp"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/webhook"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/mapping"
)

// All are the routes aws, azure, gcp and webhook, in the order in which replay tries them. The first provider of a
// route to recognize a record reads it. They publish nothing yet. mappings is a directory of further product
// mappings, "" for none.
func All(mappings string) ([]*ingest.Function, error) {
	mapped, err := loadMappings(mappings)
	if err != nil {
		return nil, err
	}
	google := gcp.Function()
	google.Providers = append(google.Providers, withName(mapped, "cloud-monitoring")...)
	return []*ingest.Function{aws.Function(), azure.Function(), google, webhook.Function(mapped...)}, nil
}

// loadMappings compiles the product mappings that come with Onepane and those in a directory of the user's.
func loadMappings(dir string) ([]ingest.Provider, error) {
	folders := []fs.FS{mapping.BuiltinProducts()}
	if dir != "" {
		folders = append(folders, os.DirFS(dir))
	}
	ps, err := mapping.Load(folders...)
	if err != nil {
		return nil, fmt.Errorf("load product mappings: %w", err)
	}
	return ps, nil
}

// withName are the providers of that name.
func withName(ps []ingest.Provider, name string) []ingest.Provider {
	return slices.DeleteFunc(slices.Clone(ps), func(p ingest.Provider) bool { return p.Name() != name })
}
