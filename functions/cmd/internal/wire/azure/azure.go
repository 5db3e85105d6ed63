// Package azure puts the function app together: every function that works in the tenant's subscription, on Service Bus
// and Cosmos DB, as its managed identity. What standalone answers, it answers too.
//
//	Event Hubs ─▶ ingest-azure ─┐                                                  ┌─▶ api ─▶ HTTP
//	HTTP ─▶ ingest-webhook ─────┴▶ Service Bus ─▶ correlate ─▶ Cosmos DB ─(feed)───┴─▶ export ◀─ timer
//	                                                 ▲ what people decide ── api
package azure

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/onepane/onepane/functions/api"
	tenantset "github.com/onepane/onepane/functions/api/settings"
	"github.com/onepane/onepane/functions/cmd/internal/wire/exports"
	"github.com/onepane/onepane/functions/cmd/internal/wire/replay"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route"
	"github.com/onepane/onepane/functions/correlate"
	"github.com/onepane/onepane/functions/host/azurefunc"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/retention"
	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
	"github.com/onepane/onepane/shared/store/cosmos"
)

// drivers are what the functions stand on.
type drivers struct {
	credential *identity.Credential
	claims     *blob.Container
	queue      *servicebus.Bus
	store      *cosmos.Store
}

// Open opens bus and store and gives every function what it needs. Nothing connects before the first event.
func Open(general config.Config, s cloud.Azure, version string, log *slog.Logger) (*azurefunc.App, error) {
	d, err := openDrivers(s, log)
	if err != nil {
		return nil, err
	}
	return newApp(general, s, d, version, log)
}

func newApp(general config.Config, s cloud.Azure, d drivers, version string, log *slog.Logger) (*azurefunc.App, error) {
	functions, err := ingestFunctions(general, d.queue, log)
	if err != nil {
		return nil, err
	}
	kept := &tenantset.Keeper{Documents: d.store, Configured: general.Tunings(), Now: time.Now, Log: log}
	correlation := &correlate.Function{Store: d.store, Alerts: d.store, Tuning: kept.Tuning, Now: time.Now, Log: log}
	for _, e := range general.Exports {
		if e.Target == "file" {
			return nil, fault.Errorf(fault.Invalid, "exports: %s: a function app has no disk that lasts; use target blob", e.Name)
		}
	}
	out, err := exports.New(general, exports.Options{Version: version, PortalURL: s.BaseURL(), Getenv: os.Getenv, Store: d.store, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	expiry := &retention.Function{Store: d.store, Days: general.RetentionDays, Now: time.Now, Log: log}
	requests, err := newHandler(withDirectory(general, s), s, d, functions, &api.Server{
		Reader: d.store, Actions: correlation, Settings: kept, Quarantine: d.queue.Quarantine(), Exports: exports.API{Function: out},
		Replayer: replay.API{Replayer: ingest.Replayer{Functions: functions, Alerts: d.queue, Now: time.Now}}, BaseURL: s.BaseURL(), Version: version, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &azurefunc.App{
		Log: log, HTTP: requests,
		Functions: map[string]azurefunc.Function{
			"ingest-azure": azurefunc.EventHub{Binding: "events", Route: "azure", Ingest: functions["azure"], Quarantine: d.queue.Quarantine(), Log: log, Now: time.Now},
			"correlate": azurefunc.ServiceBus{Binding: "messages", Handle: correlation.Handle, Quarantine: d.queue.Quarantine(), Log: log, Now: time.Now,
				Decode: func(ctx context.Context, body []byte) ([]cloudevent.Event, error) {
					return pack.Decode(ctx, body, d.claims)
				}},
			"export": azurefunc.Timer{Run: func(ctx context.Context) error {
				out.RunOnce(ctx)
				return expiry.RunOnce(ctx)
			}},
		},
	}, nil
}

func openDrivers(s cloud.Azure, log *slog.Logger) (d drivers, err error) {
	d.credential = &identity.Credential{Now: time.Now, Source: identity.Managed{
		Endpoint: s.Managed.Endpoint, Header: s.Managed.Header, Client: s.Identity.Client, Now: time.Now}}
	credential := azuresdk.Credential(d.credential)
	if d.claims, err = blob.Open(s.Claims.Account, s.Claims.Container, credential, nil); err != nil {
		return d, err
	}
	if d.queue, err = servicebus.Open(servicebus.Options{
		Namespace: s.Bus.Namespace, Endpoint: s.Bus.Endpoint, Queue: s.Bus.Queue, Quarantine: s.Bus.Quarantine,
		Credential: credential, Blobs: d.claims, Log: log,
	}); err != nil {
		return d, err
	}
	d.store, err = cosmos.Open(cosmos.Options{Connect: cosmos.Connect(s.Cosmos.Endpoint, credential, nil), Database: s.Cosmos.Database, Log: log})
	return d, err
}

// ingestFunctions are the routes, publishing on the queue.
func ingestFunctions(general config.Config, queue *servicebus.Bus, log *slog.Logger) (map[string]*ingest.Function, error) {
	all, err := route.All(general.Mappings)
	if err != nil {
		return nil, err
	}
	tenants := ingest.MapAccounts(general.Tenant, general.Accounts())
	out := map[string]*ingest.Function{}
	for _, fn := range all {
		fn.Tenants, fn.ExposuresAsAlerts, fn.Log = tenants, general.ExposuresAsAlerts, log
		fn.Alerts, fn.Quarantine = queue, queue.Quarantine()
		out[fn.Route] = fn
	}
	return out, nil
}

var _ api.Quarantine = (*servicebus.Quarantine)(nil)
