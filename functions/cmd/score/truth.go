package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/onepane/onepane/testdata/attacks"
)

// fact is what is true of one alert.
type fact struct{ id, tenant, incident, stage, dupOf string }

// truthOf takes the facts from a generated scenario: one an alert id, in order of first delivery.
func truthOf(s attacks.Scenario) []fact {
	var out []fact
	known := map[string]bool{}
	for _, a := range s.Alerts {
		if !known[a.Alert.ID] {
			known[a.Alert.ID] = true
			out = append(out, fact{a.Alert.ID, a.Alert.Tenant, a.Label.Incident, a.Label.Stage, a.Label.DupOf})
		}
	}
	return out
}

// readTruth reads a truth.tsv with its header: alert_id, tenant, incident, stage, dup_of.
func readTruth(name string) ([]fact, error) {
	var out []fact
	err := eachLine(name, func(n int, c []string) error {
		if n == 0 {
			return nil
		}
		if len(c) < 3 {
			return fmt.Errorf("line %d has %d columns", n+1, len(c))
		}
		c = append(c, "", "")
		out = append(out, fact{c[0], c[1], c[2], c[3], c[4]})
		return nil
	})
	return out, err
}

// onlyAttacks sets facts aside ("?") whose attack does not match.
func onlyAttacks(facts []fact, match *regexp.Regexp) []fact {
	out := make([]fact, len(facts))
	for i, f := range facts {
		if f.incident != attacks.IsNoise && !match.MatchString(f.incident) {
			f.incident = attacks.IsUnknown
		}
		out[i] = f
	}
	return out
}

// eachLine hands the columns of each line to do, with the line's number from 0; .gz is read as what it holds.
func eachLine(name string, do func(n int, columns []string) error) error {
	in, err := openMaybeZipped(name)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	for n := 0; lines.Scan(); n++ {
		if err := do(n, strings.Split(lines.Text(), "\t")); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return lines.Err()
}

type unzipped struct {
	io.Reader
	io.Closer
}

func openMaybeZipped(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil || !strings.HasSuffix(name, ".gz") {
		return f, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return unzipped{z, f}, nil
}
