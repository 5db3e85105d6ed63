package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/bus"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/datadir"
	"github.com/onepane/onepane/shared/query"
)

// TestTheLogKeepsBodiesOnly delivers an alert, a repeat that says more, one that says nothing new, and an event that
// correlate refuses: what stays on the log is the body of the alert that nothing replaced, and all alerts are still
// whole after a restart.
func TestTheLogKeepsBodiesOnly(t *testing.T) {
	cfg := config.Default()
	cfg.Data = t.TempDir()
	run := func(do func(s *Standalone)) {
		s, err := NewStandalone(cfg, "test", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Bus.Subscribe(ctx, s.Correlate) }()
		do(s)
		if err := s.Bus.Drained(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		entries, err := s.dir.Log(bus.AlertsQueue).Read("default", 0, 100)
		if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].Event.Data), "stays") {
			t.Errorf("the log has %d entries, %v: %s", len(entries), err, idsOf(entries))
		}
		alerts, err := s.Store.Alerts(t.Context(), "default", query.Query{Top: 10})
		if err != nil || len(alerts.Items) != 2 {
			t.Errorf("%d alerts, %v", len(alerts.Items), err)
		}
		for _, m := range alerts.Items {
			if len(m.Alert.Evidence) != map[string]int{"stays": 1, "grows": 2}[m.Alert.Title] {
				t.Errorf("alert %s has no body: %+v", m.Alert.ID, m.Alert)
			}
		}
		if got := s.Bus.(trimmingBus).Stats(); got != (bus.Stats{DeadLettered: 1}) {
			t.Errorf("the bus counts %+v", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	run(func(s *Standalone) {
		deliver := func(id, title, hosts string) {
			var entities []string
			for _, host := range strings.Fields(hosts) {
				entities = append(entities, fmt.Sprintf(`{"kind":"host","value":%q}`, host))
			}
			body := fmt.Sprintf(`{"id":%q,"time":"2026-03-03T00:07:33Z","source":"edr","title":%q,"entities":[%s]}`, id, title, strings.Join(entities, ","))
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/api/ingest/webhook?", strings.NewReader(body)))
			if w.Code != http.StatusAccepted {
				t.Fatal(w.Code, w.Body)
			}
			if err := s.Bus.Drained(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		deliver("a1", "stays", "web-03")
		deliver("a2", "grows", "web-03")
		deliver("a2", "grows", "web-03 db-01")
		deliver("a2", "grows", "db-01")
		if err := s.Bus.(trimmingBus).Publish(t.Context(), cloudevent.Event{ID: "odd", Source: "/s", Type: "odd", Tenant: "default", Data: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	})
	run(func(*Standalone) {})
}

func idsOf(entries []datadir.Entry) (out []string) {
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%d %s", e.Position, e.Event.ID))
	}
	return out
}
