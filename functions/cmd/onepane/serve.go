package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/telemetry"
	"github.com/onepane/onepane/testdata/demo"
)

func newServeCommand() *cobra.Command {
	var listen, data string
	var play bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run Onepane standalone: ingest, correlation, store and API in one process",
		Long: `Serve runs every function in one process over an embedded bus and store. Alerts that were answered 202 are
on disk and survive a crash. SIGTERM and Ctrl-C drain and exit 0.

Settings come from ONEPANE_* variables and the YAML file named by ONEPANE_CONFIG; flags win over both. Without
authentication configured it listens on loopback only.`,
		Example: `  onepane serve
  onepane serve --listen 127.0.0.1:8080 --data /var/lib/onepane
  ONEPANE_CONFIG=onepane.yaml onepane serve`,
		Args: asMisuse(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(os.Getenv)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("listen") {
				cfg.Listen = listen
			}
			if cmd.Flags().Changed("data") {
				cfg.Data = data
			}
			if err := cfg.Validate(); err != nil {
				return err
			}
			return serveStandalone(cmd.Context(), cfg, play, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:7071", "address of the API; loopback unless authentication is configured")
	cmd.Flags().StringVar(&data, "data", ".onepane", "data directory")
	cmd.Flags().BoolVar(&play, "demo", false, "play the demo story if the store is empty")
	return cmd
}

// serveStandalone runs until SIGTERM, Ctrl-C or the end of ctx.
func serveStandalone(ctx context.Context, cfg config.Config, play bool, out, errOut io.Writer) (err error) {
	if play && cfg.Auth.IsConfigured() {
		return cli.Usage("--demo plays to an open server only: leave authentication out for it")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	level, err := cfg.SlogLevel()
	if err != nil {
		return err
	}
	log := telemetry.NewLog(errOut, level, cfg.LogJSON)
	stopTracing, err := telemetry.StartTracing(ctx, cfg.TraceEndpoint, version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flushTraces(stopTracing)) }()
	s, err := wire.NewStandalone(cfg, version, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (is another onepane running? use --listen): %w", cfg.Listen, err)
	}
	base := "http://" + l.Addr().String()
	return s.Run(ctx, l, func() {
		log.Info("serving", "api", base, "data", cfg.Data, "version", version, "access", admissionWords(cfg.Auth))
		go func() {
			if err := printWelcome(ctx, s, cfg.Auth, base, play, out); err != nil && ctx.Err() == nil {
				log.Error("demo failed", "reason", err)
			}
		}()
	})
}

// flushTraces sends the last traces; a collector that is gone must not hold up the end.
func flushTraces(stopTracing func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return stopTracing(ctx)
}

// admissionWords says who is let in.
func admissionWords(auth config.Auth) string {
	switch {
	case len(auth.Issuers) > 0:
		return "tokens and API keys"
	case auth.Keys:
		return "API keys"
	}
	return "open on loopback, no authentication: whoever is on this machine may do everything"
}

// printWelcome says what is served where, and plays the demo first if asked to.
func printWelcome(ctx context.Context, s *wire.Standalone, auth config.Auth, base string, play bool, out io.Writer) error {
	if !play {
		fmt.Fprintf(out, "Onepane serves %s (%s)\n", base, admissionWords(auth))
		return nil
	}
	stats, err := s.Store.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Alerts+stats.Exposures == 0 {
		if err := playStory(ctx, base); err != nil {
			return err
		}
	}
	if err := printIncidents(ctx, s, out); err != nil {
		return err
	}
	fmt.Fprintf(out, `
API      %[1]s/v1.0/security/incidents?$expand=alerts
         %[1]s/v1.0/security/alerts_v2
Metrics  %[1]s/metrics
Try      bin/onepane explain INCIDENT      why its alerts belong together
         bin/onepane exposures             posture findings, kept apart
Ctrl-C ends it; the data stays in its directory.
`, base)
	return nil
}

// playStory posts the demo deliveries, as their senders would.
func playStory(ctx context.Context, base string) error {
	for _, d := range demo.StoryDeliveries() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/ingest/"+d.Route, bytes.NewReader(d.Body))
		if err != nil {
			return err
		}
		req.Header.Set("Prefer", "wait=10")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("play %s: %w", d.Name, err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return fmt.Errorf("play %s: %w", d.Name, err)
		}
		var receipt ingest.Receipt
		if err := json.Unmarshal(answer, &receipt); err != nil || resp.StatusCode != http.StatusAccepted || len(receipt.Accepted) == 0 {
			return fmt.Errorf("play %s: %s: %s", d.Name, resp.Status, answer)
		}
	}
	return nil
}

// printIncidents shows the tenants' incidents as a table.
func printIncidents(ctx context.Context, s *wire.Standalone, out io.Writer) error {
	tenants, err := s.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INCIDENT\tSEVERITY\tALERTS\tASSETS\tCLOUDS\tNAME")
	for _, tenant := range tenants {
		page, err := s.Store.Incidents(ctx, tenant, query.Query{Top: 50})
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			if i.RedirectTo == "" {
				fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\n", i.ID, i.Severity, i.Alerts, i.AssetCount, cloudList(i.Clouds), i.Name)
			}
		}
	}
	return t.Flush()
}

func cloudList[T ~string](cs []T) string {
	text := ""
	for i, c := range cs {
		if i > 0 {
			text += ", "
		}
		text += string(c)
	}
	if text == "" {
		return "-"
	}
	return text
}
