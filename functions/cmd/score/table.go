package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// threshold is a promise of the project about a figure.
type threshold struct {
	name  string
	value func(figures) float64
	bound float64
	least bool // the bound is the least allowed, else the most
}

func (t threshold) isMissedBy(v float64) bool {
	return t.least && v < t.bound || !t.least && v > t.bound
}

var thresholds = []threshold{
	{"mB3-F1", func(f figures) float64 { return f.MB3 }, 0.90, true},
	{"recov", func(f figures) float64 { return f.Recovered }, 0.75, true},
	{"overmrg", func(f figures) float64 { return f.OverMerged }, 0.03, false},
	{"noise-in", func(f figures) float64 { return f.NoiseIn }, 0.01, false},
	{"dup-F1", func(f figures) float64 { return f.Dup }, 0.93, true},
	{"cross", func(f figures) float64 { return float64(f.CrossTenant) }, 0, false},
	{"missing", func(f figures) float64 { return float64(f.Missing) }, 0, false},
}

// intrusion are the promises on the AIT set, which has no copies and no tenants to confuse.
var intrusion = []threshold{
	{"mB3-F1", thresholds[0].value, 0.84, true}, {"recov", thresholds[1].value, 0, true}, {"overmrg", thresholds[2].value, 1, false},
	{"noise-in", thresholds[3].value, 0.005, false}, {"dup-F1", thresholds[4].value, 0, true}, thresholds[5], thresholds[6],
}

// board is the table in the making.
type board struct {
	w      *tabwriter.Writer
	missed []string
}

func newBoard(out io.Writer) *board {
	b := &board{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	fmt.Fprint(b.w, "data\tsystem")
	for _, t := range thresholds {
		fmt.Fprintf(b.w, "\t%s", t.name)
	}
	fmt.Fprintln(b.w)
	return b
}

// addRow prints mean and worst of the runs. Runs of a judged system that miss a promise in the mean are remembered.
func (b *board) addRow(data, system string, runs []figures, promises []threshold, judged bool) {
	fmt.Fprintf(b.w, "%s\t%s", data, system)
	for _, t := range promises {
		mean, worst := meanAndWorst(runs, t)
		mark := ""
		if judged && t.isMissedBy(mean) {
			mark = "!"
			b.missed = append(b.missed, fmt.Sprintf("%s %s %.4f", data, t.name, mean))
		}
		fmt.Fprintf(b.w, "\t%.4f%s", mean, mark)
		if len(runs) > 1 {
			fmt.Fprintf(b.w, " (%.4f)", worst)
		}
	}
	fmt.Fprintln(b.w)
}

func meanAndWorst(runs []figures, t threshold) (mean, worst float64) {
	for i, f := range runs {
		v := t.value(f)
		mean += v / float64(len(runs))
		if i == 0 || (v < worst) == t.least {
			worst = v
		}
	}
	return mean, worst
}

// missedPromises is empty when every promise was kept.
func (b *board) missedPromises() string {
	if len(b.missed) == 0 {
		return ""
	}
	return "missed: " + strings.Join(b.missed, "; ")
}
