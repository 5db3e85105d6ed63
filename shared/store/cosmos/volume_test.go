package cosmos_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"

	local "github.com/onepane/onepane/infra/local/cosmos"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
	"github.com/onepane/onepane/shared/store/cosmos"
	"github.com/onepane/onepane/testdata/attacks"
)

// everyFlush opens a volume.
var everyFlush = cosmos.Options{Fold: 1, VolumeAt: 1}

// TestAVolumeIsNotWrittenFromAnOldView holds a process back before it writes into a volume, first what is new there
// and then what it replaces, until another has put a later state of the same alert there: the later one stays.
func TestAVolumeIsNotWrittenFromAnOldView(t *testing.T) {
	for what, nth := range map[string]int{"new": 1, "replaced": 2} {
		t.Run(what, func(t *testing.T) {
			a := account(t, local.Options{})
			reached, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			flushes := 0
			slow := everyFlush
			slow.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
				if strings.Contains(r.Header.Get("x-ms-documentdb-partitionkey"), "!volume-0/") && r.Header.Get("x-ms-cosmos-is-batch-request") != "" {
					if flushes++; flushes == nth {
						close(reached)
						<-release
					}
				}
				return plain{}.Do(r)
			}))
			late, err := cosmos.Open(slow)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				defer close(done)
				for n := range nth {
					put(t, late, uint64(n), fmt.Sprint("late ", n))
				}
			}()
			<-reached
			other := open(t, a, everyFlush)
			const more = 12 // a log that is not new is folded after some commits
			for n := range more {
				put(t, other, uint64(nth+n), fmt.Sprint("other ", n))
			}
			close(release)
			<-done
			m, err := open(t, a, everyFlush).Alert(t.Context(), tenant, "da1")
			if want := fmt.Sprint("other ", more-1); err != nil || m.AssignedTo != want {
				t.Errorf("the alert is assigned to %q, want %q, %v", m.AssignedTo, want, err)
			}
		})
	}
}

// put commits an alert, always the same, as somebody's.
func put(t *testing.T, s *cosmos.Store, version uint64, assigned string) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, int(version), 0, time.UTC)
	m := incident.AlertRecord{Alert: alert.Alert{ID: "da1", Title: "one", Severity: alert.High, First: at, Last: at}, Created: at, Updated: at}
	m.AssignedTo = assigned
	if err := s.Commit(t.Context(), tenant, version, incident.Changes{Alerts: []incident.AlertRecord{m}, Sequence: int64(version) + 1}); err != nil {
		t.Error(err)
	}
}

// TestNobodyAsksAnEmptyVolume purges all that is in the first volume: neither a listing nor looking for an id goes
// there any more.
func TestNobodyAsksAnEmptyVolume(t *testing.T) {
	a := account(t, local.Options{})
	s := kept(t, a, everyFlush)
	save(t, s, oneIncident(40, incident.Active, 60))
	asked := func() int {
		var n atomic.Int64
		opts := everyFlush
		opts.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.Header.Get("x-ms-documentdb-partitionkey"), "!volume-0/") {
				n.Add(1)
			}
			return plain{}.Do(r)
		}))
		reader, err := cosmos.Open(opts)
		if err != nil {
			t.Fatal(err)
		}
		page, err := reader.Alerts(t.Context(), tenant, query.Query{Top: 10, Count: true})
		if err != nil || int64(len(page.Items)) != page.Total {
			t.Fatalf("%d alerts of %d, %v", len(page.Items), page.Total, err)
		}
		if _, err := reader.Alert(t.Context(), tenant, "nobody"); fault.Of(err) != fault.NotFound {
			t.Fatal(err)
		}
		return int(n.Load())
	}
	if asked() < 2 {
		t.Errorf("asked %d times for what is there", asked())
	}
	save(t, s, oneIncident(3, incident.Resolved, 60))
	if n, err := s.Purge(t.Context(), tenant, longAgo.Add(61*time.Hour), 10); err != nil || n != 3 {
		t.Fatalf("Purge = %d, %v", n, err)
	}
	for range 9 { // until a flush is due again
		save(t, s, incident.Changes{})
	}
	if n := asked(); n != 0 {
		t.Errorf("asked %d times for nothing", n)
	}
}

// TestABrokenOffFlushIsCounted lets a flush end before and after what it writes into a volume: the next one finds
// an incident there that nobody has counted, and which must be asked for all the same.
func TestABrokenOffFlushIsCounted(t *testing.T) {
	for _, broken := range []int{3, 4} { // of the batches: commit, claim, volume, manifest
		a := account(t, local.Options{})
		opts := cosmos.Options{Fold: 1, VolumeAt: 3000}
		numbered := func(n int) incident.Changes {
			c := oneIncident(n, incident.Active, n)
			c.Sequence = int64(n)
			return c
		}
		s := open(t, a, opts)
		for n := 1; countVolumes(a) < 2; n++ {
			save(t, s, numbered(n))
		}
		batches := 0
		a.Inject(func(op local.Operation) local.Fault {
			if op.Kind == local.Batch {
				if batches++; batches == broken {
					return local.Fault{Status: http.StatusBadRequest}
				}
			}
			return local.Fault{}
		})
		save(t, s, numbered(40))
		a.Inject(nil)
		for range 9 { // until a flush is due again
			save(t, s, incident.Changes{})
		}
		page, err := open(t, a, opts).Incidents(t.Context(), tenant, query.Query{Top: 100, Count: true})
		if err != nil || int64(len(page.Items)) != page.Total {
			t.Errorf("%d incidents of %d, %v", len(page.Items), page.Total, err)
		}
		if batches < broken {
			t.Errorf("%d batches: the flush was not broken off", batches)
		}
	}
}

// TestANewerFormIsRefused keeps an old process from working on what it does not understand.
func TestANewerFormIsRefused(t *testing.T) {
	a := account(t, local.Options{})
	s := kept(t, a, everyFlush)
	client, err := cosmos.ConnectWithKey(a.Endpoint, a.Key(), plain{})()
	if err != nil {
		t.Fatal(err)
	}
	state, err := client.NewContainer("onepane", "state")
	if err != nil {
		t.Fatal(err)
	}
	pk := azcosmos.NewPartitionKeyString(tenant)
	root, err := state.ReadItem(t.Context(), pk, "root", nil)
	if err != nil || !strings.Contains(string(root.Value), `"form":3`) {
		t.Fatalf("%s, %v", root.Value, err)
	}
	newer := strings.Replace(string(root.Value), `"form":3`, `"form":99`, 1)
	if _, err := state.ReplaceItem(t.Context(), pk, "root", []byte(newer), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Alerts(t.Context(), tenant, query.Query{Top: 1}); fault.Of(err) != fault.Unavailable || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("Alerts = %v", err)
	}
	if err := s.Commit(t.Context(), tenant, 2, incident.Changes{}); err == nil {
		t.Error("committed")
	}
}

// TestAReaderHasSeenWhatTheRootSaysOfVolumes: another process that has never been at a volume asks it for no less
// than what the flush wrote there, whichever copy of the partition answers.
func TestAReaderHasSeenWhatTheRootSaysOfVolumes(t *testing.T) {
	a := account(t, local.Options{})
	var wrote atomic.Value // the token of the last answer to a batch on the volume
	atVolume := func(r *http.Request) bool {
		return strings.Contains(r.Header.Get("x-ms-documentdb-partitionkey"), "!volume-0/")
	}
	opts := cosmos.Options{Fold: 1, VolumeAt: 1}
	opts.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
		resp, err := plain{}.Do(r)
		if err == nil && atVolume(r) && r.Header.Get("x-ms-cosmos-is-batch-request") != "" {
			wrote.Store(resp.Header.Get("x-ms-session-token"))
		}
		return resp, err
	}))
	writer, err := cosmos.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	put(t, writer, 0, "somebody")
	var asked []string
	opts.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
		if atVolume(r) {
			asked = append(asked, r.Header.Get("x-ms-session-token"))
		}
		return plain{}.Do(r)
	}))
	reader, err := cosmos.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := reader.Alert(t.Context(), tenant, "da1"); err != nil || m.AssignedTo != "somebody" {
		t.Errorf("%q, %v", m.AssignedTo, err)
	}
	if len(asked) == 0 || asked[0] == "" || asked[0] != wrote.Load() {
		t.Errorf("asked with the tokens %q, written with %q", asked, wrote.Load())
	}
}

// TestARestoredPartitionIsRead has every copy refuse the token of what it was before.
func TestARestoredPartitionIsRead(t *testing.T) {
	a := account(t, local.Options{})
	put(t, open(t, a, everyFlush), 0, "somebody")
	refused := 0
	opts := everyFlush
	opts.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	opts.Connect = cosmos.ConnectWithKey(a.Endpoint, a.Key(), transport(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("x-ms-session-token") == "" {
			return plain{}.Do(r)
		}
		refused++
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"X-Ms-Substatus": {"1002"}}, Body: http.NoBody, Request: r}, nil
	}))
	s, err := cosmos.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Alert(t.Context(), tenant, "da1"); err != nil || m.AssignedTo != "somebody" || refused == 0 {
		t.Errorf("%q, %v, %d refused", m.AssignedTo, err, refused)
	}
}

// TestReadsGoThroughVolumes asks what fits on no page, in every order and from every place, of one partition and of
// many.
func TestReadsGoThroughVolumes(t *testing.T) {
	evs := newTraffic(attacks.High).take(t, 600)
	one, many := newRig(t, cosmos.Options{Fold: 4}), newRig(t, cosmos.Options{Fold: 4, VolumeAt: 1})
	one.feed(t, evs)
	many.feed(t, evs)
	if n := countVolumes(many.account); n < 2 {
		t.Fatalf("%d volumes", n)
	}
	for _, order := range []query.Field{query.Created, query.Updated, query.FirstActivity, query.Severity} {
		for _, desc := range []bool{false, true} {
			q := query.Query{Top: 7, Count: true, Order: []query.Order{{Field: order, Desc: desc}}}
			for ; q.Skip < 300; q.Skip += 97 {
				a, err := one.store.Alerts(t.Context(), tenant, q)
				b, err2 := many.store.Alerts(t.Context(), tenant, q)
				i, err3 := one.store.Incidents(t.Context(), tenant, q)
				j, err4 := many.store.Incidents(t.Context(), tenant, q)
				if err != nil || err2 != nil || err3 != nil || err4 != nil {
					t.Fatal(err, err2, err3, err4)
				}
				if jsonOf(t, a) != jsonOf(t, b) || jsonOf(t, i) != jsonOf(t, j) {
					t.Errorf("by %s, descending %v, after %d: another page", order, desc, q.Skip)
				}
			}
		}
	}
	cursor, cursor2 := "", ""
	for {
		a, next, err := one.store.Changes(t.Context(), tenant, cursor, 50)
		b, next2, err2 := many.store.Changes(t.Context(), tenant, cursor2, 50)
		if err != nil || err2 != nil || jsonOf(t, a) != jsonOf(t, b) {
			t.Fatalf("feed after %q: %v, %v, or another page", cursor, err, err2)
		}
		if len(a) == 0 {
			break
		}
		cursor, cursor2 = next, next2
	}
}
