package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/functions/host/replay"
	"github.com/onepane/onepane/shared/config"
)

// runDiff replays files with two sets of constants, the first two arguments, and shows which incidents differ.
func runDiff(ctx context.Context, o replayOptions, args []string) error {
	if err := o.checkDiff(args); err != nil {
		return err
	}
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	var runs [2]replay.Outcome
	for n := range runs {
		set, err := readSet(args[n])
		if err != nil {
			return err
		}
		r, err := replayFiles(ctx, cfg, o, append(slices.Clone(o.constants), set...), args[2:])
		if err != nil {
			return err
		}
		runs[n] = r.Outcome() // the run's memory goes before the next one comes
		o.stderr, o.terminal = io.Discard, false
	}
	changes, err := replay.Diff(runs[0], runs[1])
	if err != nil {
		return err
	}
	write := writeChanges
	if o.format == "json" {
		write = writeChangesJSON
	}
	if err := write(o.stdout, runs, changes); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if len(changes) > 0 {
		return cli.ErrDifferent
	}
	return nil
}

// checkDiff refuses what a comparison has no use for.
func (o replayOptions) checkDiff(args []string) error {
	switch {
	case len(args) < 3:
		return cli.Usage("--diff: expected two sets of constants and at least one file, as in: onepane replay --diff default JoinAt=0.6 FILE")
	case slices.Contains(args[2:], "-"):
		return cli.Usage("--diff: the files are read twice, which stdin cannot be")
	case o.duplicates != "":
		return cli.Usage("--diff and --duplicates do not go together")
	case o.format != "table" && o.format != "json":
		return cli.Usage("--format %q: a comparison is shown as table or json", o.format)
	}
	return nil
}

// readSet reads a set of constants: "default", assignments with commas, or a file of them.
func readSet(text string) ([]string, error) {
	if text == "default" || text == "" {
		return nil, nil
	}
	if strings.Contains(text, "=") {
		return strings.Split(text, ","), nil
	}
	f, err := os.Open(text)
	if err != nil {
		return nil, cli.Usage("--diff %q is no set of constants: expected name=value,…, default, or a file with one name=value a line: %w", text, err)
	}
	defer f.Close()
	var set []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if name, value, ok := strings.Cut(line, "="); ok {
			line = strings.TrimSpace(name) + "=" + strings.TrimSpace(value)
		}
		if line = strings.TrimSpace(line); line != "" {
			set = append(set, line)
		}
	}
	return set, lines.Err()
}

// writeChanges shows each change as the moves it is made of: which alerts of what became part of what.
func writeChanges(w io.Writer, runs [2]replay.Outcome, changes []replay.Change) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(changes) > 0 {
		fmt.Fprintln(t, "CHANGE\tBEFORE\tALERTS\tAFTER\tALERTS\tMOVED\tEXAMPLES\tNAME BEFORE\tNAME AFTER")
	}
	for _, c := range changes {
		before, after := byID(c.Before), byID(c.After)
		for n, m := range c.Moves {
			kind := ""
			if n == 0 {
				kind = string(c.Kind)
			}
			examples := strings.Join(m.Examples, " ")
			if m.Alerts > len(m.Examples) {
				examples += " …"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", kind, m.From, countChange(before[m.From].Alerts, -before[m.From].Lost),
				m.To, countChange(after[m.To].Alerts, after[m.To].Gained), m.Alerts, tsvField(examples), tsvField(before[m.From].Name), tsvField(after[m.To].Name))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, diffSummary(runs, changes))
	return err
}

// countChange is a number of alerts with how many came or went.
func countChange(alerts, by int) string {
	if by == 0 {
		return fmt.Sprint(alerts)
	}
	return fmt.Sprintf("%d (%+d)", alerts, by)
}

func byID(sides []replay.Side) map[string]replay.Side {
	out := map[string]replay.Side{}
	for _, s := range sides {
		out[s.ID] = s
	}
	return out
}

// diffSummary counts what changed.
func diffSummary(runs [2]replay.Outcome, changes []replay.Change) string {
	if len(changes) == 0 {
		return fmt.Sprintf("The same %d incidents; %s.", runs[0].Incidents(), foldCounts(runs))
	}
	kinds := map[replay.Kind]int{}
	for _, c := range changes {
		kinds[c.Kind]++
	}
	return fmt.Sprintf("%d incidents became %d: %d split, %d merged, %d regrouped; %s.", runs[0].Incidents(), runs[1].Incidents(),
		kinds[replay.Split], kinds[replay.Merged], kinds[replay.Regrouped], foldCounts(runs))
}

func foldCounts(runs [2]replay.Outcome) string {
	if runs[0].Folded == runs[1].Folded {
		return fmt.Sprintf("%d alerts folded in both", runs[0].Folded)
	}
	return fmt.Sprintf("%d alerts folded before, %d after", runs[0].Folded, runs[1].Folded)
}

// diffReport is the comparison as JSON.
type diffReport struct {
	Before  diffSide        `json:"before"`
	After   diffSide        `json:"after"`
	Changes []replay.Change `json:"changes"`
}

type diffSide struct {
	Incidents int `json:"incidents"`
	Folded    int `json:"folded"`
}

func writeChangesJSON(w io.Writer, runs [2]replay.Outcome, changes []replay.Change) error {
	side := func(o replay.Outcome) diffSide { return diffSide{o.Incidents(), o.Folded} }
	report := diffReport{side(runs[0]), side(runs[1]), slices.Clip(changes)}
	if report.Changes == nil {
		report.Changes = []replay.Change{}
	}
	return json.MarshalWrite(w, report)
}
