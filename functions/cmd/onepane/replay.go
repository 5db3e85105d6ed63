package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/correlation"
)

// replayOptions are the flags of `onepane replay`.
type replayOptions struct {
	provider, format, duplicates string
	constants                    []string
	diff                         bool
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

Records may come from any provider; each is recognized by its shape unless --provider names one.

Correlation's constants are those of the configuration (tenants.NAME.tuning in the YAML file). --set replaces one for every
tenant; 'go doc ./shared/correlation Params' says what each does. --diff answers "what would change?" before a constant
goes into the configuration: it replays the files twice, once with each of two sets of constants, and shows which incidents
differ. A set is name=value,name=value…, the name of a file with one name=value a line, or "default" for none. Exit code 0
says that both give the same incidents, 3 that some differ.`,
		Example: `  onepane replay alerts.ndjson.gz
  onepane replay --format tsv --duplicates dups.tsv alerts.ndjson > incidents.tsv
  aws s3 cp s3://findings/today.jsonl.gz - | onepane replay --provider aws -
  onepane replay --set JoinAt=0.6 --set StepFade=45m alerts.ndjson.gz
  onepane replay --diff default JoinAt=0.6,Step=0.001 alerts.ndjson.gz
  onepane replay --diff --format json tuning.old tuning.new last-month/*.gz`,
		Args: asMisuse(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			o.stdin, o.stdout, o.stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			o.terminal = isTerminal(os.Stderr)
			if o.diff {
				return runDiff(cmd.Context(), o, files)
			}
			return runReplay(cmd.Context(), o, files)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.provider, "provider", "", "generic, aws, azure or gcp (default: detect per record)")
	f.StringVar(&o.format, "format", "table", "table, json, or tsv (alert_id<TAB>incident_id)")
	f.StringArrayVar(&o.constants, "set", nil, "try a constant of correlation: name=value, repeatable (see go doc ./shared/correlation Params)")
	f.BoolVar(&o.diff, "diff", false, "compare two sets of constants, the first two arguments: replay --diff A B FILE…")
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
	r, err := replayFiles(ctx, cfg, o, o.constants, files)
	if err != nil {
		return err
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

// replayFiles runs the files with constants of correlation set over the configured ones.
func replayFiles(ctx context.Context, cfg config.Config, o replayOptions, set, files []string) (*replay.Replay, error) {
	functions, err := wire.Readers(cfg, o.provider)
	if err != nil {
		return nil, err
	}
	tuning, err := paramsOf(cfg, set)
	if err != nil {
		return nil, err
	}
	replay.LimitMemory()
	shown := 0
	r := &replay.Replay{Functions: functions, ParamsOf: tuning, Problem: func(file string, n int, reason string) {
		if shown++; shown <= 20 {
			fmt.Fprintf(o.stderr, "%s: record %d: %s\n", file, n, reason)
		}
	}}
	if o.terminal {
		r.Progress = func(n int) { fmt.Fprintf(o.stderr, "\r%d records", n) }
	}
	for _, name := range files {
		if err := replayFile(ctx, r, o, name); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// paramsOf gives each tenant the constants of the configuration, with those of set, "name=value", over them.
func paramsOf(cfg config.Config, set []string) (func(tenant string) *correlation.Params, error) {
	configured, err := correlation.ParamsByTenant(cfg.Tunings())
	if err != nil {
		return nil, err
	}
	others := correlation.DefaultParams()
	if err := setConstants(others, set); err != nil {
		return nil, err
	}
	own := map[string]*correlation.Params{}
	for tenant := range cfg.Tunings() {
		own[tenant] = configured(tenant)
		if err := setConstants(own[tenant], set); err != nil {
			return nil, err
		}
	}
	return func(tenant string) *correlation.Params {
		if t := own[tenant]; t != nil {
			return t
		}
		return others
	}, nil
}

// setConstants sets constants and checks that they are of use together.
func setConstants(t *correlation.Params, set []string) error {
	var mistakes []error
	for _, a := range set {
		if err := t.Set(a); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if len(mistakes) == 0 {
		mistakes = append(mistakes, t.Validate())
	}
	if err := errors.Join(mistakes...); err != nil {
		return cli.Usage("--set: %w", err)
	}
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
	for a := range r.Assignments() {
		fmt.Fprintf(b, "%s\t%s\n", tsvField(a.AlertID), tsvField(a.Incident))
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
	for a := range r.Assignments() {
		if a.Canonical != "" {
			fmt.Fprintf(b, "%s\t%s\n", tsvField(a.AlertID), tsvField(a.Canonical))
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// tsvField keeps an id from breaking the table's shape.
func tsvField(s string) string {
	return strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(s)
}

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
