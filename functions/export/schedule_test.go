package export

import (
	"testing"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

func TestSchedule(t *testing.T) {
	for _, tt := range []struct{ text, last, want string }{
		{"change", "2026-03-03T08:00:00Z", "2026-03-03T08:00:00Z"},
		{"*/15 * * * *", "2026-03-03T08:01:00Z", "2026-03-03T08:15:00Z"},
		{"@hourly", "2026-03-03T08:01:00Z", "2026-03-03T09:00:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-07-01T12:00:00Z", "2026-07-02T00:30:00Z"}, // summer time, UTC+2
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-01-01T12:00:00Z", "2026-01-02T01:30:00Z"},
	} {
		s, err := ParseSchedule(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		last, _ := time.Parse(time.RFC3339, tt.last)
		if got := s.next(last).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%s after %s: %s, want %s", tt.text, tt.last, got, tt.want)
		}
	}
	for _, text := range []string{"now and then", "* * * *", "61 * * * *", "CRON_TZ=Mars/Olympus 0 0 * * *", "0 0 30 2 *"} {
		if _, err := ParseSchedule(text); fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBackoffGrowsToItsCapAndDiffersByName(t *testing.T) {
	for n := 1; n < 60; n++ {
		d := backoff("a", n)
		full := lastTry
		if n < 10 {
			full = min(lastTry, firstTry<<(n-1))
		}
		if d <= full/2-1 || d > full {
			t.Errorf("failure %d: %v of %v", n, d, full)
		}
	}
	if backoff("a", 8) == backoff("b", 8) {
		t.Error("two exports come back together")
	}
}

func TestDeliveriesKeepWhatWasSetAsideLongest(t *testing.T) {
	ds := []Delivery{}
	for n := range 1000 {
		ds = append(ds, Delivery{Aside: n%10 == 0})
	}
	aside := 0
	for _, d := range trimmed(ds) {
		if d.Aside {
			aside++
		}
	}
	if got := len(trimmed(ds)); got != maxDeliveries || aside != 100 {
		t.Errorf("%d kept, %d of them set aside", got, aside)
	}
}
