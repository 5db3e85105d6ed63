package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Limit is one place where the load could be too much.
type Limit struct {
	Name        string
	Peak, Limit float64
	Unit        string
	Seen        string // what gives way, and how that is seen
}

// UsedShare is how much of a limit is used at the peak; from 1 on something gives way.
func (l Limit) UsedShare() float64 { return l.Peak / l.Limit }

// LimitsOf are the places, the tightest first.
func LimitsOf(d Day, o Outcome) []Limit {
	out := []Limit{
		{"hot tenant's session", o.HotSession, sessionRate(), "alerts/s", "its own alerts wait, nobody else's: alarm backlog-age"},
		{"hot tenant's partition", o.HotUnits, partitionUnits, "RU/s", "429, tried again: alarm store-throttled"},
		{"account", o.AccountUnits, d.AccountUnits, "RU/s", "429 for everyone, all wait: alarm store-throttled; raise cosmos_max_throughput"},
		{"sessions at once", o.Sessions, instances * sessionsEach, "sessions", "tenants take turns: alarm backlog-age; raise maximum_instances"},
		{"namespace", o.Messages, messageLimit, "messages/s", "producers are throttled and keep what they have: alarm bus-throttled; Premium"},
		{"hot tenant's largest partition", o.HotStored / (1 << 20), partitionBytes / (1 << 20), "MB", "403/1014, its alerts wait and fill everyone's queue: alarms partition-size (at 75 %), function-failures, backlog-size"},
		{"queue", o.QueueBytes / (1 << 20), queueBytes / (1 << 20), "MB", "sends fail as exhausted, producers keep what they have: alarm backlog-size"},
	}
	slices.SortStableFunc(out, func(a, b Limit) int { return cmp.Compare(b.UsedShare(), a.UsedShare()) })
	return out
}

// WriteTable writes the peaks of a day against the limits as a table.
func WriteTable(w io.Writer, d Day, o Outcome) error {
	fmt.Fprintf(w, "%d tenants with %.0f alerts a day, and one with %.0f and %.0f times as many for %d minutes\n\n", d.Tenants, d.Alerts, d.Hot, d.Burst, burstLength)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PLACE\tPEAK\tLIMIT\t\tUSED\tBEYOND IT")
	for _, l := range LimitsOf(d, o) {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%s\t%.0f %%\t%s\n", l.Name, l.Peak, l.Limit, l.Unit, 100*l.UsedShare(), l.Seen)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `
longest wait      hot tenant %.0f min, others %.1f min; %.0f alerts wait at most, %.0f at midnight
bus operations    %.1f million a day
hot tenant        after %4.0f days in %3.0f partitions, an alert costs %.1f RU
                  after %4.0f days in %3.0f partitions, an alert costs %.1f RU
`, o.HotDelay, o.OtherDelay, o.Backlog, o.LeftAtTheEnd, o.OperationsADay/1e6,
		float64(storageDays), 1+volumeCount(d.Hot, storageDays), unitsAfter(d.Hot, storageDays), 365.0, 1+volumeCount(d.Hot, 365), unitsAfter(d.Hot, 365))
	return err
}
