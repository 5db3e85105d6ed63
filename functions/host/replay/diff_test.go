package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/fault"
)

// grouped is a run over alerts a, b, c… with the incident of each, "-" for an exposure.
func grouped(incidents string) Outcome {
	o := Outcome{incidents: map[string]Side{}}
	for n, in := range strings.Split(incidents, "") {
		o.ids = append(o.ids, string(rune('a'+n)))
		if in == "-" {
			in = ""
		} else {
			s := o.incidents[in]
			s.ID, s.Alerts = in, s.Alerts+1
			o.incidents[in] = s
		}
		o.of = append(o.of, in)
	}
	return o
}

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"the same under other numbers", "1123", "5567", ""},
		{"exposures are in none", "11-", "22-", ""},
		{"one in two", "1111", "1112", "split 1(4 -1) > 1(3 +0) 2(1 +1): 1>1 abc, 1>2 d"},
		{"two in one", "1122", "3333", "merged 1(2 -0) 2(2 -2) > 3(4 +2): 1>3 ab, 2>3 cd"},
		{"one alert goes over", "1112222", "1122222", "regrouped 2(4 -0) 1(3 -1) > 2(5 +1) 1(2 +0): 2>2 def, 1>1 ab, 1>2 c"},
		{"two changes, the larger first", "11222223", "12333445", "split 2(5 -2) > 3(3 +0) 4(2 +2): 2>3 cde, 2>4 fg; split 1(2 -1) > 1(1 +0) 2(1 +1): 1>1 a, 1>2 b"},
	} {
		changes, err := Diff(grouped(tt.before), grouped(tt.after))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for n, c := range changes {
			if n > 0 {
				b.WriteString("; ")
			}
			fmt.Fprint(&b, c.Kind)
			for _, s := range c.Before {
				fmt.Fprintf(&b, " %s(%d -%d)", s.ID, s.Alerts, s.Lost)
			}
			b.WriteString(" >")
			for _, s := range c.After {
				fmt.Fprintf(&b, " %s(%d +%d)", s.ID, s.Alerts, s.Gained)
			}
			for i, m := range c.Moves {
				fmt.Fprintf(&b, "%s %s>%s %s", map[bool]string{true: ":", false: ","}[i == 0], m.From, m.To, strings.Join(m.Examples, ""))
			}
		}
		if got := b.String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestDiffRefusesOtherAlerts(t *testing.T) {
	if _, err := Diff(grouped("12"), grouped("123")); fault.Of(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}
