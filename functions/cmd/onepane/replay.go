package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/incident"
)

// replayOptions are the flags of `onepane replay`.
type replayOptions struct {
	provider, format, duplicates string
	set                          []string
	stdin                        io.Reader
	stdout, stderr               io.Writer
	terminal                     bool // stderr is one: progress may be drawn
}

func newReplayCommand() *cobra.Command {
	o := replayOptions{}
	cmd := &cobra.Command{
		Use:   "replay FILE…",
		Short: "Run recorded alerts through the pipeline in memory and show the incidents",
		Long: `Replay is a backtest: it reads deliveries (JSON, NDJSON, .gz, "-" for stdin), runs them through the same
ingest and correlation as the server, in memory and in virtual time, and shows the incidents that come out.

Records may come from any provider; each is recognized by its shape unless --provider names one.`,
		Example: `  onepane replay alerts.ndjson.gz
  onepane replay --format tsv --duplicates dups.tsv alerts.ndjson > incidents.tsv
  aws s3 cp s3://findings/today.jsonl.gz - | onepane replay --provider aws -`,
		Args: misuse(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			o.stdin, o.stdout, o.stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			o.terminal = isTerminal(os.Stderr)
			return runReplay(cmd.Context(), o, files)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.provider, "provider", "", "generic, aws, azure or gcp (default: detect per record)")
	f.StringVar(&o.format, "format", "table", "table, json, or tsv (alert_id<TAB>incident_id)")
	f.StringArrayVar(&o.set, "set", nil, "try a constant of correlation: name=value, repeatable (see go doc ./shared/incident Tuning)")
	f.StringVar(&o.duplicates, "duplicates", "", "write alert_id<TAB>canonical_id of folded alerts to this file")
	return cmd
}

func runReplay(ctx context.Context, o replayOptions, files []string) error {
	write, ok := map[string]func(io.Writer, *replay.Replay) error{"table": writeTable, "json": writeJSON, "tsv": writeTSV}[o.format]
	if !ok {
		return cli.Usage("--format %q: expected table, json or tsv", o.format)
	}
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	functions, err := wire.Readers(cfg, o.provider)
	if err != nil {
		return err
	}
	debug.SetGCPercent(60) // millions of alerts stay in memory: room matters more than time
	tuning := incident.Default()
	for _, a := range o.set {
		if err := tuning.Set(a); err != nil {
			return cli.Usage("--set: %w", err)
		}
	}
	shown := 0
	r := &replay.Replay{Functions: functions, Tuning: tuning, Problem: func(file string, n int, reason string) {
		if shown++; shown <= 20 {
			fmt.Fprintf(o.stderr, "%s: record %d: %s\n", file, n, reason)
		}
	}}
	if o.terminal {
		r.Progress = func(n int) { fmt.Fprintf(o.stderr, "\r%d records", n) }
	}
	for _, name := range files {
		if err := replayFile(ctx, r, o, name); err != nil {
			return err
		}
	}
	if err := writeDuplicates(o.duplicates, r); err != nil {
		return err
	}
	if err := write(o.stdout, r); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	c := r.Result()
	fmt.Fprintf(o.stderr, "%s%d records: %d alerts, %d exposures, %d folded, %d repeats, %d ignored, %d rejected; %d incidents merged\n",
		map[bool]string{true: "\r"}[o.terminal], c.Records, c.Alerts, c.Exposures, c.Folded, c.Repeats, c.Ignored, c.Rejected, c.Merged)
	return nil
}

func replayFile(ctx context.Context, r *replay.Replay, o replayOptions, name string) error {
	if name == "-" {
		return r.Read(ctx, "stdin", o.stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.Read(ctx, name, f)
}

func writeTSV(w io.Writer, r *replay.Replay) error {
	b := bufio.NewWriter(w)
	for _, a := range r.Assignments() {
		fmt.Fprintf(b, "%s\t%s\n", field(a.AlertID), field(a.Incident))
	}
	return b.Flush()
}

func writeDuplicates(file string, r *replay.Replay) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	for _, a := range r.Assignments() {
		if a.Canonical != "" {
			fmt.Fprintf(b, "%s\t%s\n", field(a.AlertID), field(a.Canonical))
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// field keeps an id from breaking the table's shape.
func field(s string) string { return strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(s) }

func writeJSON(w io.Writer, r *replay.Replay) error {
	return json.MarshalWrite(w, map[string]any{"incidents": r.Incidents(), "result": r.Result()}, json.Deterministic(true))
}

func writeTable(w io.Writer, r *replay.Replay) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TENANT\tINCIDENT\tSEVERITY\tALERTS\tASSETS\tFIRST\tLAST\tNAME")
	for _, i := range r.Incidents() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", i.Tenant, i.ID, i.Severity, i.Alerts, i.AssetCount,
			i.First.Format("2006-01-02 15:04:05"), i.Last.Format("2006-01-02 15:04:05"), i.Name)
	}
	return t.Flush()
}

func isTerminal(f *os.File) bool {
	s, err := f.Stat()
	return err == nil && s.Mode()&os.ModeCharDevice != 0
}
