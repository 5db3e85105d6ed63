package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// The case that the project is to carry: the hot tenant's session gives way, for a while, and its storage, for good, after a
// number of days; nobody else notices.
func TestAThousandTenantsAndAHotOne(t *testing.T) {
	d := Default()
	o := Simulate(d)
	for _, l := range Limits(d, o) {
		if l.Share() >= 1 && l.Name != "hot tenant's session" && l.Name != "hot tenant's storage" {
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
		d := Default()
		tt.grow(&d)
		share := map[string]float64{}
		for _, l := range Limits(d, Simulate(d)) {
			share[l.Name] = l.Share()
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

// A partition holds what the store's package comment says: ten million a day for ten days, a million for a hundred.
func TestGrowth(t *testing.T) {
	for daily, days := range map[float64][2]float64{10e6: {9, 11}, 1e6: {90, 110}, 1e5: {900, 1200}} {
		if got := fullAfter(daily); got < days[0] || got > days[1] {
			t.Errorf("%.0f a day: full after %.0f days, want %v", daily, got, days)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, Default(), Simulate(Default())); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"hot tenant's session", "full after", "backlog-age", "1000 tenants"} {
		if !strings.Contains(b.String(), word) {
			t.Errorf("no %q in\n%s", word, b.String())
		}
	}
}
