// Command ingest-aws carries the ingest function of AWS on Lambda: EventBridge and SQS deliver findings, the function
// URL takes what callers with lambda:InvokeFunctionUrl post to /api/ingest/{aws,webhook}.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/onepane/onepane/functions/cmd/internal/wire/producer"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/aws"
	"github.com/onepane/onepane/functions/cmd/internal/wire/route/webhook"
	"github.com/onepane/onepane/functions/host/awslambda"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

func main() {
	host, err := openHost(os.Getenv)
	if err != nil {
		logs.New(os.Stderr, slog.LevelInfo, true).Error("stopped", "reason", err)
		os.Exit(1)
	}
	awslambda.Start(host)
}

func openHost(getenv func(string) string) (*awslambda.Host, error) {
	settings, err := cloud.LoadAWS(getenv)
	if err != nil {
		return nil, err
	}
	log := logs.New(os.Stderr, settings.LogLevel, settings.LogJSON)
	role := identity.AWS{Region: settings.Region, Endpoint: settings.STS, Now: time.Now, Keys: func() identity.Keys {
		return identity.Keys{ID: getenv("AWS_ACCESS_KEY_ID"), Secret: getenv("AWS_SECRET_ACCESS_KEY"), Session: getenv("AWS_SESSION_TOKEN")}
	}}
	bus, err := producer.Open(settings.Common, producer.NewCredential(settings.Identity, role), log)
	if err != nil {
		return nil, err
	}
	findings := bus.ConnectFunction(aws.Function())
	requests := producer.RequestHandler(findings, bus.ConnectFunction(webhook.Function()))
	return &awslambda.Host{Ingest: findings, HTTP: requests, Log: log, Now: time.Now}, nil
}
