// Command score is the scoreboard of correlation: it invents labelled scenarios, runs them through the real pipeline
// in memory and prints how well the attacks came out, with simple baselines beside it. Exit code 1 means that a
// promise of the project was missed.
//
//	testdata/attacks ─▶ host/replay ─▶ figures ─▶ table
//	      AIT set ────────────┘
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onepane/onepane/testdata/attacks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	seeds        int
	from         uint64
	noise        []string
	write, ait   string
	perAttack    bool
	copies       bool
	set          []string
	volumeAlerts int
	replayAlerts int
}

func newCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "score", Short: "Measure correlation on labelled scenarios", SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case s.volumeAlerts > 0:
				return writeVolume(cmd.OutOrStdout(), s.from, s.volumeAlerts)
			case s.replayAlerts > 0:
				return replayVolume(cmd.Context(), cmd.OutOrStdout(), s.from, s.replayAlerts)
			}
			return runScoreboard(cmd.Context(), cmd.OutOrStdout(), s)
		},
	}
	f := cmd.Flags()
	f.IntVar(&s.seeds, "seeds", 5, "number of scenarios for each noise level")
	f.Uint64Var(&s.from, "from", 1, "first seed")
	f.StringSliceVar(&s.noise, "noise", []string{"low", "medium", "high"}, "noise levels")
	f.StringVar(&s.write, "write", "", "write alerts.ndjson and truth.tsv of each scenario below this directory")
	f.StringVar(&s.ait, "ait", "", "directory of the AIT set (default: below $ONEPANE_EVALUATION, else ../shared/evaluation; none: skip)")
	f.BoolVar(&s.perAttack, "per-attack", false, "for the first seed: list each attack with what it lost and what does not belong")
	f.BoolVar(&s.copies, "copies", false, "for the first seed: list copies that were missed and claims that are none")
	f.IntVar(&s.volumeAlerts, "volume", 0, "write this many alerts to standard output instead, for a replay to be measured with")
	f.IntVar(&s.replayAlerts, "endure", 0, "replay this many alerts instead, and print what it took")
	f.StringArrayVar(&s.set, "set", nil, "change a constant of correlation: name=value, repeatable")
	return cmd
}

func runScoreboard(ctx context.Context, out io.Writer, s settings) error {
	for _, a := range s.set {
		if err := tuning.Set(a); err != nil {
			return err
		}
	}
	b := newBoard(out)
	for _, level := range s.noise {
		if err := addScenarioRows(ctx, out, b, s, attacks.Noise(level)); err != nil {
			return err
		}
	}
	skipped, err := addAITRow(ctx, b, s.ait)
	if err != nil {
		return err
	}
	b.w.Flush()
	if skipped != "" {
		fmt.Fprintln(out, skipped)
	}
	if v := b.missedPromises(); v != "" {
		return fmt.Errorf("%s", v)
	}
	return nil
}

// addScenarioRows adds the rows of one noise level.
func addScenarioRows(ctx context.Context, out io.Writer, b *board, s settings, level attacks.Noise) error {
	if !isLevel(level) {
		return fmt.Errorf("--noise: %q is none of %v", level, attacks.Levels)
	}
	runs := make([][]figures, len(systems))
	for i := range s.seeds {
		sc := attacks.Generate(attacks.Options{Seed: s.from + uint64(i), Noise: level})
		if s.write != "" {
			if err := sc.Write(filepath.Join(s.write, fmt.Sprintf("%s-%d", level, sc.Options.Seed))); err != nil {
				return err
			}
		}
		facts := truthOf(sc)
		for j, sys := range systems {
			p, err := sys.run(ctx, sc)
			if err != nil {
				return err
			}
			runs[j] = append(runs[j], scorePrediction(facts, p))
			if i == 0 && j == 0 {
				printDetails(out, s, sc, p)
			}
		}
	}
	for j, sys := range systems {
		b.addRow(string(level), sys.name, runs[j], thresholds, j == 0)
	}
	return nil
}

func printDetails(out io.Writer, s settings, sc attacks.Scenario, p prediction) {
	if s.perAttack || s.copies {
		fmt.Fprintln(out, strings.ToUpper(sc.Options.String()))
	}
	if s.perAttack {
		listAttacks(out, sc, p)
	}
	if s.copies {
		listCopyMistakes(out, sc, p)
	}
}

func isLevel(level attacks.Noise) bool {
	for _, l := range attacks.Levels {
		if l == level {
			return true
		}
	}
	return false
}
