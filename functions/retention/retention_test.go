package retention

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/localstore"
)

var start = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// Incidents are resolved one a day; those older than the days kept go once a day, and open ones never.
func TestRunOnce(t *testing.T) {
	dir := datadir.OpenMemory()
	t.Cleanup(func() { _ = dir.Close() })
	s, err := localstore.Open(dir, localstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var c incident.Changes
	for n := range 90 {
		i := incident.Incident{ID: fmt.Sprint(10_000 + n), Tenant: "contoso", Status: incident.Resolved, Created: start, Updated: start.Add(time.Duration(n) * 24 * time.Hour)}
		if n%10 == 9 {
			i.Status = incident.Active
		}
		c.Incidents = append(c.Incidents, i)
	}
	if err := s.Commit(t.Context(), "contoso", 0, c); err != nil {
		t.Fatal(err)
	}
	now := start.Add(110 * 24 * time.Hour)
	left := func(days int) int64 {
		t.Helper()
		f := &Function{Store: s, Days: days, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)} // a process of its own
		if err := f.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := s.Incidents(t.Context(), "contoso", query.Query{Top: 1, Count: true})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	for _, tt := range []struct {
		later time.Duration
		days  int
		want  int64
	}{
		{0, 0, 90},               // kept for ever
		{0, 50, 90 - 60 + 6},     // of the first sixty, six are open
		{time.Hour, 45, 36},      // not yet a day later
		{24 * time.Hour, 50, 34}, // two more, for it is 25 hours later
		{24 * time.Hour, 50, 33},
	} {
		now = now.Add(tt.later)
		if got := left(tt.days); got != tt.want {
			t.Errorf("after %v, keeping %d days: %d incidents, want %d", now.Sub(start), tt.days, got, tt.want)
		}
	}
}
