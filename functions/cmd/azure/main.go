// Command azure is the handler of the Azure function app: ingest-azure, ingest-webhook, correlate, export and the API
// in one binary, as infra/azure/app names them.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/onepane/onepane/functions/cmd/internal/wire/azure"
	"github.com/onepane/onepane/functions/host/azurefunc"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

// version is set when the binary is linked.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serveApp(ctx, os.Getenv); err != nil {
		logs.New(os.Stderr, slog.LevelInfo, true).Error("stopped", "reason", err)
		os.Exit(1)
	}
}

func serveApp(ctx context.Context, getenv func(string) string) error {
	general, wrong := config.Load(getenv)
	settings, wrongToo := cloud.LoadAzure(getenv)
	if err := errors.Join(wrong, wrongToo); err != nil {
		return err
	}
	log := logs.New(os.Stderr, settings.LogLevel, settings.LogJSON)
	return azurefunc.Serve(ctx, getenv, log, func(context.Context) (*azurefunc.App, error) {
		return azure.Open(general, settings, version, log)
	})
}
