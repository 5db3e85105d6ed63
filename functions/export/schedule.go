package export

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/netresearch/go-cron"

	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/fault"
)

// Schedule says when an export sends what has changed. The zero value sends on change.
type Schedule struct{ cron cron.Schedule }

// OnChange is the word for sending on change.
const OnChange = "change"

// grammar is that of crontab: an expression that restricts both the day of the month and the day of the week is due on
// either.
var grammar = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)

// ParseSchedule reads "change", or a cron expression of five fields or one of its words ("@hourly"), in UTC unless it
// begins with CRON_TZ=Europe/Berlin. A time of day that the change to summer time leaves out is due an hour later on
// that day; one that the change back repeats is due twice. Anything else is fault.Invalid.
func ParseSchedule(text string) (Schedule, error) {
	if text == "" || text == OnChange {
		return Schedule{}, nil
	}
	if zone, fields, _ := strings.Cut(text, " "); strings.HasPrefix(zone, "CRON_TZ=") || strings.HasPrefix(zone, "TZ=") {
		if strings.TrimSpace(fields) == "" {
			return Schedule{}, fault.Errorf(fault.Invalid, "when: %q names a time zone without fields after it: write CRON_TZ=Europe/Berlin */15 * * * *", text)
		}
	}
	s, err := grammar.Parse(text)
	if err != nil {
		return Schedule{}, fault.Errorf(fault.Invalid, "when: %q: %w: write change, @hourly, or five fields as */15 * * * *, with CRON_TZ=Europe/Berlin before them where UTC is not meant", text, err)
	}
	// An expression for a day that never comes ("30 February") would silently send nothing.
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, fault.Errorf(fault.Invalid, "when: %q is never due: there is no such day", text)
	}
	return Schedule{s}, nil
}

// nextRun is when the export is due after it last ran.
func (s Schedule) nextRun(last time.Time) time.Time {
	if s.cron == nil {
		return last
	}
	return s.cron.Next(last.UTC())
}

// The waits of a runner. Retries double from firstRetry to longestRetry.
const (
	pollInterval = time.Second // between looks at the feed, the schedule and the backfill
	firstRetry   = time.Second
	longestRetry = 5 * time.Minute
)

// retryBackoff is how long to wait after the n-th failure in a row (from 1): twice as long each time up to
// longestRetry, less up to half of it by the export's name, so that exports to one receiver do not come back
// together.
func retryBackoff(name string, n int) time.Duration {
	d := backoff.Delay(n, firstRetry, longestRetry)
	h := fnv.New32a()
	h.Write([]byte(name + "/" + strconv.Itoa(n))) // never fails
	return d - time.Duration(float64(d)/2*float64(h.Sum32())/(1<<32))
}
