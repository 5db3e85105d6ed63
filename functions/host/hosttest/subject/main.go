// Command subject is what the host suite runs: the real hosts and the real ingest function around a provider that
// does as its findings say, and a bus that is the suite's recorder.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/onepane/onepane/functions/host/awslambda"
	"github.com/onepane/onepane/functions/host/azurefunc"
	"github.com/onepane/onepane/functions/host/cloudrun"
	"github.com/onepane/onepane/functions/host/standalone"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/eventbridge"
	"github.com/onepane/onepane/functions/ingest/eventhubs"
	"github.com/onepane/onepane/functions/ingest/pubsub"
	"github.com/onepane/onepane/functions/ingest/webhook"
	"github.com/onepane/onepane/shared/telemetry/logs"
)

func main() {
	log := logs.New(os.Stderr, slog.LevelInfo, true)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r := recorder{address: os.Getenv("HOSTTEST_RECORDER")}
	limit, err := time.ParseDuration(os.Getenv("HOSTTEST_LIMIT"))
	if err == nil {
		err = runHost(ctx, log, r, limit)
	}
	if err != nil {
		log.Error("stopped", "reason", err)
		os.Exit(1)
	}
}

func runHost(ctx context.Context, log *slog.Logger, r recorder, limit time.Duration) error {
	function := func(route string, e ingest.Envelope) *ingest.Function {
		return &ingest.Function{Route: route, Envelope: e, Providers: []ingest.Provider{probe{}}, Tenants: oneTenant{},
			Alerts: r.queueNamed("alerts"), Quarantine: r.queueNamed("quarantine"), Log: log}
	}
	requests := &ingest.HTTP{Functions: map[string]*ingest.Function{"webhook": function("webhook", webhook.Envelope{})}, Refuse: writeRefusal, Now: time.Now}
	switch os.Getenv("HOSTTEST_PLATFORM") {
	case "lambda":
		if err := r.waitForStart(ctx); err != nil {
			return err
		}
		awslambda.Start(&awslambda.Host{Ingest: function("aws", eventbridge.Envelope{}), HTTP: withRoute(requests), Log: log, Now: time.Now})
		return nil
	case "cloudrun":
		if err := r.waitForStart(ctx); err != nil {
			return err
		}
		sender := cloudrun.Sender{Audience: os.Getenv("HOSTTEST_AUDIENCE"), Email: os.Getenv("HOSTTEST_EMAIL"), Keys: os.Getenv("HOSTTEST_KEYS"), Now: time.Now}
		return cloudrun.Serve(ctx, os.Getenv, &cloudrun.Service{Ingest: function("gcp", pubsub.Envelope{}), Verify: sender.Verifier(),
			HTTP: withRoute(requests), Limit: limit, Log: log, Now: time.Now})
	case "standalone":
		return runStandalone(ctx, log, r, requests)
	}
	return azurefunc.Serve(ctx, os.Getenv, log, func(ctx context.Context) (*azurefunc.App, error) {
		if err := r.waitForStart(ctx); err != nil {
			return nil, err
		}
		return &azurefunc.App{HTTP: withRoute(requests), Limit: limit, Log: log, Functions: map[string]azurefunc.Function{
			"correlate": azurefunc.ServiceBus{Binding: "messages", Decode: decodeMessage, Handle: correlator{r.queueNamed("alerts")}.passOn,
				Quarantine: r.queueNamed("quarantine"), Log: log, Now: time.Now},
			"ingest-azure": azurefunc.EventHub{Binding: "events", Route: "azure", Ingest: function("azure", eventhubs.Envelope{}),
				Quarantine: r.queueNamed("quarantine"), Log: log, Now: time.Now},
			"export": azurefunc.Timer{Run: r.queueNamed("alerts").publishTick},
		}}, nil
	})
}

// runStandalone runs the standalone host over a bus that holds no event: its own suites cover that.
func runStandalone(ctx context.Context, log *slog.Logger, r recorder, requests *ingest.HTTP) error {
	if err := r.waitForStart(ctx); err != nil {
		return err
	}
	l, err := listenOnPort()
	if err != nil {
		return err
	}
	s := &standalone.Server{Ingest: requests, API: notFound{}, Metrics: notFound{}, Correlate: nil, Bus: emptyBus{}, Log: log}
	return s.Run(ctx, l, nil)
}
