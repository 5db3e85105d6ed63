package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
)

// addAITRow adds the row of the AIT set, or says why there is none.
func addAITRow(ctx context.Context, b *board, dir string) (skipped string, err error) {
	if dir == "none" {
		return "", nil
	}
	if dir = findAITSet(dir); dir == "" {
		return "AIT set: not here (give --ait or ONEPANE_EVALUATION)", nil
	}
	facts, err := readTruth(filepath.Join(dir, "truth.tsv.gz"))
	if err != nil {
		return "", err
	}
	in, err := os.Open(filepath.Join(dir, "alerts.ndjson.gz"))
	if err != nil {
		return "", err
	}
	defer in.Close()
	p, err := replayReader(ctx, in.Name(), in)
	if err != nil {
		return "", err
	}
	b.addRow("AIT intrusion", systems[0].name, []figures{scorePrediction(onlyAttacks(facts, regexp.MustCompile("intrusion")), p)}, intrusion, true)
	return "", nil
}

// findAITSet looks for the AIT set in the usual places; "" is nowhere. A directory that was named is taken at its word.
func findAITSet(named string) string {
	if named != "" {
		if fileExists(filepath.Join(named, "ait-dev", "truth.tsv.gz")) {
			return filepath.Join(named, "ait-dev")
		}
		return named
	}
	for _, dir := range []string{os.Getenv("ONEPANE_EVALUATION"), filepath.Join("..", "shared", "evaluation")} {
		for _, d := range []string{filepath.Join(dir, "ait-dev"), dir} {
			if dir != "" && fileExists(filepath.Join(d, "truth.tsv.gz")) {
				return d
			}
		}
	}
	return ""
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
