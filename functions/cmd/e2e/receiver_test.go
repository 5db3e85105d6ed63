package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/query"
)

// receiver is where the deployment's export goes: a webhook that keeps the last state of each thing that it was told
// of, and is out of order now and then.
type receiver struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	last    map[string]string // kind and thing → row id
	posts   int
	refused int
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t, last: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

// settings are the app's, with an export to the receiver.
func (r *receiver) settings() []string {
	return []string{
		"ONEPANE_CONFIG_YAML=exports: [{name: siem, tenant: " + tenant + ", target: webhook, options: {url: '" + r.URL + "'}, secrets: ['env:SIEM_KEY']}]",
		"SIEM_KEY=whsec_b25lcGFuZS10ZXN0LXdlYmhvb2stc2VjcmV0LWtleQ==",
	}
}

func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	var m struct {
		Data struct {
			ID       string
			Type     string
			Alert    *struct{ Alert struct{ ID string } }
			Incident *struct{ ID string }
		}
	}
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(body, &m, json.MatchCaseInsensitiveNames(true))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts++
	switch {
	case r.posts%997 == 0: // it takes minutes to get over more, at one failure a minute of the real timer
		r.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case err != nil || req.Header.Get("Webhook-Signature") == "" || req.Header.Get("Webhook-Id") != m.Data.ID:
		r.t.Errorf("message %s: %v", req.Header.Get("Webhook-Id"), err)
	case m.Data.Incident != nil:
		r.last["incident "+m.Data.Incident.ID] = m.Data.ID
	case m.Data.Alert != nil:
		r.last[m.Data.Type+" "+m.Data.Alert.Alert.ID] = m.Data.ID
	}
	w.WriteHeader(http.StatusNoContent)
}

// follow ticks the app's timer, as often as an invocation ends, until the test does.
func (r *receiver) follow(h *functionsHost) {
	ctx, stop := context.WithCancel(context.Background())
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for ctx.Err() == nil {
			h.tick() // what fails is due at the next
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	r.t.Cleanup(func() { stop(); ticking.Wait() })
}

// complete waits until the receiver was told the state of every alert and incident that is stored.
func (r *receiver) complete(d *deployment) {
	d.t.Helper()
	want := stored(d)
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		missing := r.missing(want)
		if len(missing) == 0 {
			break
		}
		if time.Now().After(end) {
			d.t.Errorf("%d of %d things were never exported as they are, such as %s", len(missing), len(want), missing[0])
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d.t.Logf("%d alerts and incidents exported in %d messages, %d of them refused", len(want), r.posts, r.refused)
}

func (r *receiver) missing(want map[string]string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for thing, id := range want {
		if r.last[thing] != id {
			out = append(out, fmt.Sprintf("%s: told %q, is %q", thing, r.last[thing], id))
		}
	}
	return out
}

// stored are the rows of all that is stored, incidents that were merged away included.
func stored(d *deployment) map[string]string {
	d.t.Helper()
	out := map[string]string{}
	s := d.store(d.t)
	note := func(row export.Row, err error) {
		if err != nil {
			d.t.Fatal(err)
		}
		out[string(row.Kind)+" "+row.Thing] = row.ID
	}
	for skip, more := 0, true; more; skip += 1000 {
		page, err := s.Incidents(d.t.Context(), tenant, query.Query{Skip: skip, Top: 1000})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, i := range page.Items {
			note(export.OfIncident(tenant, i))
		}
		more = page.More
	}
	for skip, more := 0, true; more; skip += 1000 {
		page, err := s.Alerts(d.t.Context(), tenant, query.Query{Skip: skip, Top: 1000})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, m := range page.Items {
			note(export.OfAlert(tenant, m))
		}
		more = page.More
	}
	return out
}
