// Package exporttest is what every export target promises, as one suite: a target and the receiver it speaks to, over a
// real store with real incidents, through failures, restarts and death between any two steps.
package exporttest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/export"
)

// Receiver is where a target sends, as a test sees it.
type Receiver interface {
	// Target speaks to the receiver; each is as new as after a restart.
	Target() export.Target
	// Taken lists the ids of all records that the receiver has taken, in order, repeats included.
	Taken(t testing.TB) []string
	// Refuse makes it fail from now on in a way that passes, or work again.
	Refuse(down bool)
}

// Run checks every promise against fresh receivers.
func Run(t *testing.T, fresh func(t testing.TB) Receiver) {
	t.Run("everything arrives once and in order", func(t *testing.T) { testEverything(t, fresh(t)) })
	t.Run("death between any two steps loses nothing", func(t *testing.T) { testDeath(t, fresh) })
	t.Run("an hour of failure is caught up in order, and delays nobody else", func(t *testing.T) { testHour(t, fresh(t)) })
	t.Run("a range is sent on demand", func(t *testing.T) { testBackfill(t, fresh(t)) })
	t.Run("death between any two steps ends no backfill", func(t *testing.T) { testBackfillDeath(t, fresh(t)) })
}

func testEverything(t *testing.T, r Receiver) {
	w := NewWorld(t)
	w.Report(0, 40)
	f := w.Function(r.Target(), nil)
	if err := f.Drain(t.Context(), Name); err != nil {
		t.Fatal(err)
	}
	got := r.Taken(t)
	w.Check(t, got)
	if again := countRepeats(got); again > 0 {
		t.Errorf("%d records came twice without any failure", again)
	}
	if want := len(w.States(t, r.Target())); len(got) != want {
		t.Errorf("%d records arrived, the store has %d things", len(got), want)
	}
	s, err := f.Status(t.Context(), func(string) bool { return true })
	if err != nil || s[0].Backlog != 0 || s[0].Sent != int64(len(got)) || s[0].DeadLettered != 0 {
		t.Errorf("status %+v, %v after %d records", s, err, len(got))
	}
}

// testDeath ends the process at step 1, 2, 3 … of a run: before or after anything the function asks of the store, the
// documents or the target. What was asked for after a step's end has happened, and nobody heard the answer.
func testDeath(t *testing.T, fresh func(t testing.TB) Receiver) {
	const deaths = 24
	r := fresh(t)
	w := NewWorld(t)
	for n := range deaths {
		w.Report(n*6, n*6+6)
		ctx, cancel := context.WithCancel(t.Context())
		fuse := &fuse{left: n/2 + 1, after: n%2 == 1, kill: cancel}
		f := w.Function(dyingTarget{r.Target(), fuse}, fuse)
		if err := f.Drain(ctx, Name); err == nil && fuse.left < 0 {
			t.Errorf("death %d: the run ended as if nothing had happened", n)
		}
		cancel()
	}
	if err := w.Function(r.Target(), nil).Drain(t.Context(), Name); err != nil {
		t.Fatal(err)
	}
	w.Check(t, r.Taken(t))
	if countRepeats(r.Taken(t)) == 0 {
		t.Error("nobody died after sending: the test tests nothing")
	}
}

// testHour lets the receiver fail for an hour of virtual time while alerts go on arriving, one a minute. Another export
// stands beside it, and must not notice.
func testHour(t *testing.T, r Receiver) {
	w := NewWorld(t)
	w.Report(0, 10)
	r.Refuse(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := w.Now().Add(time.Hour)
	well := &takingTarget{}
	f := w.newFunction(nil, export.Export{Name: Name, Tenant: Tenant, Target: r.Target()}, export.Export{Name: "well", Tenant: Tenant, Target: well})
	next, attempts, lag := 10, 0, 0.0
	w.OnWait = func() {
		now := w.Now()
		s, err := f.Status(t.Context(), func(string) bool { return true })
		if err != nil {
			t.Error(err)
			cancel()
			return
		}
		attempts, lag = max(attempts, s[0].Failures), max(lag, s[1].Lag)
		for ; now.Before(end) && next < 10+int(now.Sub(Begin).Minutes()); next++ {
			w.Report(next, next+1)
		}
		if !now.Before(end) {
			r.Refuse(false)
		}
		if now.After(end.Add(10 * time.Minute)) {
			cancel()
		}
	}
	f.Run(ctx)
	if attempts < 5 || attempts > 40 {
		t.Errorf("a dead receiver was asked %d times in an hour", attempts)
	}
	if lag > 2 { // the feed is looked at each second
		t.Errorf("the export beside it was %v s behind", lag)
	}
	w.Check(t, r.Taken(t))
	w.Check(t, well.taken)
}

// takingTarget is a target that takes everything at once.
type takingTarget struct{ taken []string }

func (s *takingTarget) Encode(r export.Row) ([]byte, error) { return r.JSON() }
func (s *takingTarget) Limits() export.Limits               { return export.Limits{} }
func (s *takingTarget) Send(_ context.Context, rs []export.Record) (int, error) {
	for _, r := range rs {
		s.taken = append(s.taken, r.ID)
	}
	return len(rs), nil
}

func testBackfill(t *testing.T, r Receiver) {
	w := NewWorld(t)
	w.Report(0, 30)
	w.SkipFeed(t)
	f := w.Function(r.Target(), nil)
	if _, err := f.StartBackfill(t.Context(), Name, Begin.Add(-time.Hour), w.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.RunOnce(t.Context())
	b := backfillOf(t, f)
	if b.State != export.Done || b.Sent != int64(len(r.Taken(t))) || b.Read != b.Total || b.Sent == 0 {
		t.Fatalf("backfill %+v, %d records arrived", b, len(r.Taken(t)))
	}
	w.Check(t, r.Taken(t))
}

// testBackfillDeath ends the process at step 1, 2, 3 … of a backfill that is begun once, as testDeath does for the
// feed. Each process resumes what the last one left; what comes twice comes under the id that it had.
func testBackfillDeath(t *testing.T, r Receiver) {
	const deaths = 24
	w := NewWorld(t)
	w.Report(0, 60)
	w.SkipFeed(t)
	if _, err := w.Function(r.Target(), nil).StartBackfill(t.Context(), Name, Begin.Add(-time.Hour), w.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for n := range deaths {
		ctx, cancel := context.WithCancel(t.Context())
		fuse := &fuse{left: n/2 + 1, after: n%2 == 1, kill: cancel}
		w.Function(dyingTarget{r.Target(), fuse}, fuse).RunOnce(ctx)
		cancel()
	}
	f := w.Function(r.Target(), nil)
	f.RunOnce(t.Context())
	if b := backfillOf(t, f); b.State != export.Done || b.Error != "" || b.Sent < int64(len(w.States(t, r.Target()))) {
		t.Errorf("after %d deaths: %+v", deaths, b)
	}
	w.Check(t, r.Taken(t))
	states := map[string]bool{}
	for _, id := range w.States(t, r.Target()) {
		states[id] = true
	}
	for _, id := range r.Taken(t) {
		if !states[id] {
			t.Errorf("%s is the id of no state that the store holds", id)
		}
	}
}

func backfillOf(t *testing.T, f *export.Function) export.Backfill {
	t.Helper()
	s, err := f.Status(t.Context(), func(string) bool { return true })
	if err != nil || s[0].Backfill == nil {
		t.Fatalf("status %+v, %v", s, err)
	}
	return *s[0].Backfill
}

// Lines are the lines of what a receiver took, without empty ones.
func Lines(data []byte) [][]byte {
	return slices.DeleteFunc(bytes.Split(data, []byte("\n")), func(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 })
}

func countRepeats(ids []string) int {
	seen := map[string]bool{}
	n := 0
	for _, id := range ids {
		if seen[id] {
			n++
		}
		seen[id] = true
	}
	return n
}

// thingOf is what a record's id is about.
func thingOf(id string) string {
	at := strings.LastIndex(id, "-")
	return id[:max(at, 0)]
}

// errProcessDead is what a dead process would have heard.
var errProcessDead = errors.New("dead")
