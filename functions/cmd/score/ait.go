package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
)

// ait adds the row of the AIT set, or says why there is none.
func ait(ctx context.Context, b *board, dir string) (skipped string, err error) {
	if dir == "none" {
		return "", nil
	}
	if dir = find(dir); dir == "" {
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
	p, err := replayed(ctx, in.Name(), in)
	if err != nil {
		return "", err
	}
	b.row("AIT intrusion", systems[0].name, []figures{score(only(facts, regexp.MustCompile("intrusion")), p)}, intrusion, true)
	return "", nil
}

// find looks for the AIT set in the usual places; "" is nowhere. A directory that was named is taken at its word.
func find(named string) string {
	if named != "" {
		if exists(filepath.Join(named, "ait-dev", "truth.tsv.gz")) {
			return filepath.Join(named, "ait-dev")
		}
		return named
	}
	for _, dir := range []string{os.Getenv("ONEPANE_EVALUATION"), filepath.Join("..", "shared", "evaluation")} {
		for _, d := range []string{filepath.Join(dir, "ait-dev"), dir} {
			if dir != "" && exists(filepath.Join(d, "truth.tsv.gz")) {
				return d
			}
		}
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
