package export

import (
	"strings"
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
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"}, // 02:30 is left out: 03:30
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"}, // 02:30, for the first time
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}, // and once more
		{"0 0 1 * MON", "2026-03-03T08:00:00Z", "2026-03-09T00:00:00Z"},                      // the first, and every Monday
	} {
		s, err := ParseSchedule(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		last, _ := time.Parse(time.RFC3339, tt.last)
		if got := s.nextRun(last).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%s after %s: %s, want %s", tt.text, tt.last, got, tt.want)
		}
	}
	for _, text := range []string{"now and then", "* * * *", "61 * * * *", "CRON_TZ=Mars/Olympus 0 0 * * *", "0 0 30 2 *",
		"CRON_TZ=Europe/Berlin", "CRON_TZ=Europe/Berlin  ", "TZ=UTC", "CRON_TZ=", "TZ=\t* * * * *", "*/60 * * * *", "@every 500ms"} {
		if _, err := ParseSchedule(text); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "when: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A schedule comes from a user's configuration: whatever is written there is a schedule that is due some day, or
// fault.Invalid.
func FuzzParseSchedule(f *testing.F) {
	for _, text := range []string{"change", "*/15 * * * *", "@hourly", "@every 1h", "CRON_TZ=Europe/Berlin 30 2 * * *", "CRON_TZ=Europe/Berlin", "TZ=", "0 0 30 2 *"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if s.cron != nil && !s.nextRun(now).After(now) {
			t.Errorf("%q after %v: %v", text, now, s.nextRun(now))
		}
	})
}

func TestBackoffGrowsToItsCapAndDiffersByName(t *testing.T) {
	for n := 1; n < 60; n++ {
		d := retryBackoff("a", n)
		full := longestRetry
		if n < 10 {
			full = min(longestRetry, firstRetry<<(n-1))
		}
		if d <= full/2-1 || d > full {
			t.Errorf("failure %d: %v of %v", n, d, full)
		}
	}
	if retryBackoff("a", 8) == retryBackoff("b", 8) {
		t.Error("two exports come back together")
	}
}

func TestDeliveriesKeepDeadLettersLongest(t *testing.T) {
	ds := []Delivery{}
	for n := range 1000 {
		ds = append(ds, Delivery{DeadLettered: n%10 == 0})
	}
	dead := 0
	for _, d := range newestDeliveries(ds) {
		if d.DeadLettered {
			dead++
		}
	}
	if got := len(newestDeliveries(ds)); got != maxDeliveries || dead != 100 {
		t.Errorf("%d kept, %d of them set dead", got, dead)
	}
}
