package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// The case that the project is to carry: the hot tenant's session gives way for a while; nobody else notices.
func TestAThousandTenantsAndAHotOne(t *testing.T) {
	d := DefaultDay()
	o := SimulateDay(d)
	for _, l := range LimitsOf(d, o) {
		if l.UsedShare() >= 1 && l.Name != "hot tenant's session" {
			t.Errorf("%s: %.0f of %.0f %s", l.Name, l.Peak, l.Limit, l.Unit)
		}
	}
	if o.OtherDelay > 1 || o.HotDelay > 60 || o.LeftAtTheEnd > 1 {
		t.Errorf("others wait %.1f min, the hot tenant %.1f, %.0f alerts are left", o.OtherDelay, o.HotDelay, o.LeftAtTheEnd)
	}
	if math.Abs(o.served+o.LeftAtTheEnd-o.arrived) > 1 {
		t.Errorf("%.0f arrived, %.0f were served, %.0f are left", o.arrived, o.served, o.LeftAtTheEnd)
	}
}

// What gives way when one thing grows, and what must not.
func TestWhatGivesWay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grow  func(*Day)
		gives string
		holds []string
	}{
		{"an attack on one tenant", func(d *Day) { d.Burst = 40 }, "hot tenant's session", []string{"account", "namespace", "sessions at once", "queue"}},
		{"an account too small", func(d *Day) { d.AccountUnits, d.Burst = 1000, 1 }, "account", []string{"namespace", "sessions at once", "hot tenant's partition"}},
		{"a hundred times as many small tenants", func(d *Day) { d.Tenants *= 100; d.Alerts *= 10 }, "sessions at once", []string{"hot tenant's partition"}},
	} {
		d := DefaultDay()
		tt.grow(&d)
		share := map[string]float64{}
		for _, l := range LimitsOf(d, SimulateDay(d)) {
			share[l.Name] = l.UsedShare()
		}
		if share[tt.gives] < 0.999 {
			t.Errorf("%s: %s is used to %.2f, it should give way", tt.name, tt.gives, share[tt.gives])
		}
		for _, name := range tt.holds {
			if share[name] >= 1 {
				t.Errorf("%s: %s is used to %.2f, it should hold", tt.name, name, share[name])
			}
		}
	}
}

// No partition comes near its limit, whatever the years, and what an alert costs grows slowly.
func TestGrowth(t *testing.T) {
	for _, daily := range []float64{1e5, 1e6, 10e6} {
		for _, days := range []float64{1, 30, 365, 1000} {
			if got := largestPartition(daily, days); got > 0.75*partitionBytes {
				t.Errorf("%.0f a day: %.0f bytes after %.0f days", daily, got, days)
			}
		}
	}
	if n, units := volumeCount(1e5, 365), unitsAfter(10e6, 30); n != 1 || units > 0.12*63 {
		t.Errorf("%.0f volumes after a year of 100,000, %.2f RU after a month of 10 million", n, units)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := WriteTable(&b, DefaultDay(), SimulateDay(DefaultDay())); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"hot tenant's session", "partitions", "backlog-age", "1000 tenants"} {
		if !strings.Contains(b.String(), word) {
			t.Errorf("no %q in\n%s", word, b.String())
		}
	}
}
