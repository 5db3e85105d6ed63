package export_test

import (
	"slices"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/fault"
)

// Each call is a process of its own: a timer wakes whichever instance there is.
func TestRunOnceByManyProcesses(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 700) // in one moment: more than a page
	s := &memory{limits: export.Limits{Records: 50}}
	w.Function(s, nil).RunOnce(t.Context())
	if missing := without(w.States(t, s), s.taken); len(missing) > 0 {
		t.Fatalf("a call left out %v", missing)
	}
	w.Report(700, 710)
	w.Function(s, nil).RunOnce(t.Context())
	if missing := without(w.States(t, s), s.taken); len(missing) > 0 {
		t.Errorf("the next call left out %v", missing)
	}
}

func TestABackfillOutlivesProcesses(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 700)
	s := &memory{limits: export.Limits{Records: 50}}
	w.Function(s, nil).RunOnce(t.Context())
	s.taken = nil
	from, until := exporttest.Begin.Add(-time.Hour), exporttest.Begin.Add(time.Hour)
	if _, err := w.Function(s, nil).StartBackfill(t.Context(), exporttest.Name, until, from); fault.Of(err) != fault.Invalid {
		t.Errorf("a range that ends before it begins: %v", err)
	}
	if _, err := w.Function(s, nil).StartBackfill(t.Context(), exporttest.Name, from, until); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Function(s, nil).StartBackfill(t.Context(), exporttest.Name, from, until); fault.Of(err) != fault.Conflict {
		t.Errorf("a second range meanwhile: %v", err)
	}
	s.Refuse(true)
	w.Function(s, nil).RunOnce(t.Context())
	if j := backfillOf(t, w, s); j.State != export.Running || j.Error == "" || j.Total == 0 {
		t.Errorf("with the receiver down: %+v", j)
	}
	s.Refuse(false)
	w.Function(s, nil).RunOnce(t.Context())
	states := w.States(t, s)
	j := backfillOf(t, w, s)
	if j.State != export.Done || j.Error != "" || j.Read != j.Total || int(j.Sent) != len(states) || len(s.taken) != len(states) || len(without(states, s.taken)) > 0 {
		t.Errorf("%+v, %d records of %d, missing %v", j, len(s.taken), len(states), without(states, s.taken))
	}
}

// backfillOf is the backfill as another process shows it.
func backfillOf(t *testing.T, w *exporttest.World, s *memory) export.Backfill {
	t.Helper()
	st, err := w.Function(s, nil).Status(t.Context(), func(string) bool { return true })
	if err != nil || st[0].Backfill == nil {
		t.Fatalf("status: %+v, %v", st, err)
	}
	return *st[0].Backfill
}

// without are the states that are not among those taken.
func without(states map[string]string, taken []string) (missing []string) {
	for _, id := range states {
		if !slices.Contains(taken, id) {
			missing = append(missing, id)
		}
	}
	return missing
}
