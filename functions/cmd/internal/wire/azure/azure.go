// Package azure puts the function app together: every function that works in the tenant's subscription, on Service Bus and
// Cosmos DB, as its managed identity.
//
//	Event Hubs ─▶ ingest-azure ─┐
//	HTTP ─▶ ingest-webhook ─────┴▶ Service Bus ─▶ correlate ─▶ Cosmos DB ─▶ api ─▶ HTTP
package azure

import (
	"context"
	"log/slog"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route"
	"github.com/onepane/onepane/functions/cmd/internal/wire/tenants"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/host/azurefunc"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// Open opens bus and store and gives every function what it needs. Nothing connects before the first event.
func Open(general config.Config, s cloud.Azure, version string, log *slog.Logger) (*azurefunc.App, error) {
	credential := azuresdk.Credential(&identity.Credential{Now: time.Now, Source: identity.Managed{
		Endpoint: s.Managed.Endpoint, Header: s.Managed.Header, Client: s.Identity.Client, Now: time.Now}})
	claims, err := blob.Open(s.Claims.Account, s.Claims.Container, credential, nil)
	if err != nil {
		return nil, err
	}
	queue, err := servicebus.Open(servicebus.Options{
		Namespace: s.Bus.Namespace, Endpoint: s.Bus.Endpoint, Queue: s.Bus.Queue, Quarantine: s.Bus.Quarantine,
		Credential: credential, Blobs: claims, Log: log,
	})
	if err != nil {
		return nil, err
	}
	store, err := cosmos.Open(cosmos.Options{Connect: cosmos.Connect(s.Cosmos.Endpoint, credential, nil), Database: s.Cosmos.Database, Log: log})
	if err != nil {
		return nil, err
	}
	functions, err := ingestFunctions(general, queue, log)
	if err != nil {
		return nil, err
	}
	requests, err := requests(withDirectory(general, s), functions, &api.Server{Reader: store, Shelf: queue.Shelf(), Version: version, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	tuning, err := incident.Tunings(general.Tunings())
	if err != nil {
		return nil, err
	}
	correlation := &correlate.Function{Store: store, Tuning: tuning, Now: time.Now, Log: log}
	return &azurefunc.App{
		Log: log, HTTP: requests,
		Functions: map[string]azurefunc.Function{
			"ingest-azure": azurefunc.EventHub{Binding: "events", Route: "azure", Ingest: functions["azure"], Quarantine: queue.Shelf(), Log: log, Now: time.Now},
			"correlate": azurefunc.ServiceBus{Binding: "messages", Handle: correlation.Handle, Quarantine: queue.Shelf(), Log: log, Now: time.Now,
				Decode: func(ctx context.Context, body []byte) ([]cloudevent.Event, error) {
					return servicebus.Decode(ctx, body, claims)
				}},
			"export": azurefunc.Timer{Run: export},
		},
	}, nil
}

// ingestFunctions are the routes, publishing on the queue.
func ingestFunctions(general config.Config, queue *servicebus.Bus, log *slog.Logger) (map[string]*ingest.Function, error) {
	all, err := route.All(general.Mappings)
	if err != nil {
		return nil, err
	}
	asAlerts := map[string]bool{}
	for _, name := range general.ExposuresAsAlerts {
		asAlerts[name] = true
	}
	whose := tenants.New(general.Tenant, general.Accounts())
	out := map[string]*ingest.Function{}
	for _, fn := range all {
		fn.Tenants, fn.ExposuresAsAlerts, fn.Log = whose, asAlerts, log
		fn.Alerts, fn.Quarantine = queue, queue.Shelf()
		out[fn.Route] = fn
	}
	return out, nil
}

// export stands where the export function goes; its timer finds nothing to do.
func export(context.Context) error { return nil }

var _ api.Shelf = (*servicebus.Shelf)(nil)
var _ = events.NewAlert
