// Command ingest-gcp carries the ingest function of Google Cloud on Cloud Run: Pub/Sub pushes findings of Security
// Command Center. It takes nothing else: the service is not reachable from outside.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/onepane/onepane/functions/cmd/internal/wire/producer"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/gcp"
	"github.com/onepane/onepane/functions/host/cloudrun"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

func main() {
	service, err := openService(os.Getenv)
	if err == nil {
		err = cloudrun.Serve(context.Background(), os.Getenv, service)
	}
	if err != nil {
		logs.New(os.Stderr, slog.LevelInfo, true).Error("stopped", "reason", err)
		os.Exit(1)
	}
}

func openService(getenv func(string) string) (*cloudrun.Service, error) {
	settings, err := cloud.LoadGCP(getenv)
	if err != nil {
		return nil, err
	}
	log := logs.New(os.Stderr, settings.LogLevel, settings.LogJSON)
	account := identity.Google{Host: settings.Metadata}
	bus, err := producer.Open(settings.Common, producer.NewCredential(settings.Identity, account), log)
	if err != nil {
		return nil, err
	}
	push := cloudrun.Sender{Audience: settings.Push.Audience, Email: settings.Push.Account, Keys: settings.Push.Keys, Now: time.Now}
	return &cloudrun.Service{Ingest: bus.ConnectFunction(gcp.Function()), Verify: push.Verifier(), Log: log, Now: time.Now}, nil
}
