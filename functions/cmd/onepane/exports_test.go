package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// moody is a webhook's receiver that answers as it is told, and remembers what it took.
type moody struct {
	mu     sync.Mutex
	status func(body string) int
	taken  []string // webhook-id
}

func (m *moody) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	status := http.StatusBadRequest
	if err == nil {
		status = m.status(string(body))
	}
	if status < 300 {
		m.taken = append(m.taken, r.Header.Get("webhook-id"))
	}
	w.WriteHeader(status)
	if status >= 300 {
		_, _ = io.WriteString(w, "not in this mood")
	}
}

func (m *moody) answer(status func(body string) int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = status
}

func (m *moody) times(id string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.taken {
		if t == id {
			n++
		}
	}
	return n
}

// withExports starts a server with a file and a webhook to send to.
func withExports(t *testing.T, m *moody) *server {
	t.Helper()
	settings := filepath.Join(t.TempDir(), "onepane.yaml")
	text := fmt.Sprintf(`exports:
- {name: lake, tenant: default, target: file, options: {directory: %s}}
- {name: siem, tenant: default, target: webhook, what: [alerts], options: {url: '%s'}, secrets: ['env:HOOK']}
`, t.TempDir(), listen(t, m.serve))
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, t.TempDir(), "ONEPANE_CONFIG="+settings, "HOOK="+hookSecret)
}

// export waits until an export is as wanted, and gives it.
func (s *server) export(id string, wanted func(map[string]any) bool) map[string]any {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var e map[string]any
		if code := s.get("/api/v1/exports/"+id, &e); code != http.StatusOK {
			s.t.Fatalf("export %s: %d", id, code)
		}
		if wanted(e) {
			return e
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("export %s stays %v", id, e)
		}
	}
}

func alertTitled(id, title string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"time":"2026-03-03T00:00:00Z","source":"edr","title":%q,"entities":[{"kind":"host","value":"%s.example"}]}`, id, title, id)
}

// TestDeliveryLogAndReplay: what a receiver refuses for good is in the log with the reason, counted everywhere, and is
// sent again by hand when the receiver has been put right.
func TestDeliveryLogAndReplay(t *testing.T) {
	m := &moody{status: func(body string) int {
		if strings.Contains(body, "poison") {
			return http.StatusUnprocessableEntity
		}
		return http.StatusNoContent
	}}
	s := withExports(t, m)
	defer s.stop()
	s.deliver("webhook", alertTitled("a1", "fine"))
	s.deliver("webhook", alertTitled("a2", "poison"))
	s.export("siem", func(e map[string]any) bool { return e["sent"] == 1.0 && e["setAside"] == 1.0 && e["backlog"] == 0.0 })
	log := s.all("/api/v1/exports/siem/deliveries")
	if len(log) != 2 {
		t.Fatalf("log: %v", log)
	}
	bad, good := log[0], log[1]
	if bad["setAside"] == nil {
		bad, good = good, bad
	}
	if bad["setAside"] != true || !strings.Contains(fmt.Sprint(bad["reason"]), "422: not in this mood") || bad["kind"] != "alert" || bad["thingId"] == "" || good["setAside"] != nil {
		t.Errorf("log: %v", log)
	}
	id := bad["id"].(string)
	replay := func(id string) (int, string) {
		resp, err := http.Post(s.base+"/api/v1/exports/siem/deliveries/"+id+"/replay", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for _, tt := range []struct {
		receiver int
		id       string
		want     int
		words    string
	}{
		{http.StatusUnprocessableEntity, id, http.StatusBadGateway, "answers 422: not in this mood"},
		{http.StatusUnauthorized, id, http.StatusBadGateway, "answers 401"}, // the receiver's, not the caller's
		{http.StatusServiceUnavailable, id, http.StatusBadGateway, "answers 503"},
		{http.StatusNoContent, "unknown-1", http.StatusNotFound, "No delivery with id 'unknown-1'"},
		{http.StatusNoContent, id, http.StatusOK, id},
		{http.StatusNoContent, good["id"].(string), http.StatusOK, good["id"].(string)},
	} {
		m.answer(func(string) int { return tt.receiver })
		if code, body := replay(tt.id); code != tt.want || !strings.Contains(body, tt.words) {
			t.Errorf("replay of %s to a receiver that answers %d: %d %s", tt.id, tt.receiver, code, body)
		}
	}
	if m.times(id) != 1 || m.times(good["id"].(string)) != 2 {
		t.Errorf("%s was taken %d times, %s %d times", id, m.times(id), good["id"], m.times(good["id"].(string)))
	}
	if log = s.all("/api/v1/exports/siem/deliveries"); len(log) != 4 || log[0]["id"] != good["id"] || log[1]["id"] != id || log[1]["setAside"] != nil {
		t.Errorf("log after replay: %v", log)
	}
	replays := map[any]int{}
	for _, row := range s.all("/api/v1/audit") {
		if strings.Contains(fmt.Sprint(row), "of export siem") {
			replays[row["outcome"]]++
		}
	}
	if replays["begun"] != 5 || replays["done"] != 2 || replays["failed"] != 3 {
		t.Errorf("the audit log has of replays %v", replays)
	}
	if code := s.get("/api/v1/exports/nobody/deliveries", nil); code != http.StatusNotFound {
		t.Errorf("the log of no export: %d", code)
	}
}

// TestABackfillOutlivesTheServer: killed between the alerts and the incidents of a range, the next process over the
// data directory goes on with the incidents and repeats no alert.
func TestABackfillOutlivesTheServer(t *testing.T) {
	everything := func(string) int { return http.StatusNoContent }
	m := &moody{status: everything}
	settings := filepath.Join(t.TempDir(), "onepane.yaml")
	text := fmt.Sprintf("exports:\n- {name: siem, tenant: default, target: webhook, options: {url: '%s'}, secrets: ['env:HOOK']}\n", listen(t, m.serve))
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	data, env := t.TempDir(), []string{"ONEPANE_CONFIG=" + settings, "HOOK=" + hookSecret}
	s := start(t, data, env...)
	s.deliver("webhook", alertTitled("a1", "one"))
	s.deliver("webhook", alertTitled("a2", "two"))
	s.export("siem", func(e map[string]any) bool { return e["sent"].(float64) >= 4 && e["backlog"] == 0.0 })
	sent := map[string]int{} // by the feed
	for _, d := range s.all("/api/v1/exports/siem/deliveries") {
		sent[d["id"].(string)] = m.times(d["id"].(string))
	}
	m.answer(func(body string) int {
		if strings.Contains(body, `"type":"incident"`) {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	body := fmt.Sprintf(`{"since":%q}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	resp, err := http.Post(s.base+"/api/v1/exports/siem/run", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("a range: %d", resp.StatusCode)
	}
	run := func(e map[string]any) map[string]any { r, _ := e["run"].(map[string]any); return r }
	s.export("siem", func(e map[string]any) bool {
		return run(e)["read"] == 2.0 && run(e)["state"] == "running" && run(e)["lastError"] != nil
	})
	s.kill()
	m.answer(everything)
	s = start(t, data, env...)
	defer s.stop()
	e := s.export("siem", func(e map[string]any) bool { return run(e)["state"] == "done" })
	if r := run(e); r["read"] != r["total"] || r["sent"] != r["total"] || r["lastError"] != nil {
		t.Errorf("the range is done with %v", r)
	}
	again := 0
	for _, d := range s.all("/api/v1/exports/siem/deliveries") {
		id := d["id"].(string)
		if sent[id] == 0 {
			t.Errorf("%v came in the range under an id of its own", d)
		}
		again += m.times(id) - sent[id]
		sent[id] = m.times(id)
	}
	if again != int(run(e)["total"].(float64)) {
		t.Errorf("the range of %v came as %d records", run(e)["total"], again)
	}
}

// TestExportFigures: backlog, lag, failures and counts of each export are the same at /metrics, in the API and on the
// command line.
func TestExportFigures(t *testing.T) {
	m := &moody{status: func(string) int { return http.StatusServiceUnavailable }}
	s := withExports(t, m)
	defer s.stop()
	s.deliver("webhook", alertTitled("a1", "fine"))
	s.export("lake", func(e map[string]any) bool { return e["sent"].(float64) >= 2 && e["backlog"] == 0.0 })
	dead := s.export("siem", func(e map[string]any) bool { return e["failures"].(float64) > 0 })
	if dead["backlog"] == 0.0 || dead["lagSeconds"] == 0.0 || !strings.Contains(fmt.Sprint(dead["lastError"]), "answers 503: not in this mood") || dead["nextAttempt"] == nil {
		t.Errorf("a dead export shows as %v", dead)
	}
	lake := `{export="lake",target="file",tenant="default"} `
	siem := `{export="siem",target="webhook",tenant="default"} `
	figures := s.figures(t)
	for name, want := range map[string]func(float64) bool{
		"onepane_export_backlog" + lake: none, "onepane_export_backlog" + siem: some,
		"onepane_export_lag_seconds" + lake: none, "onepane_export_lag_seconds" + siem: some,
		"onepane_export_failures" + lake: none, "onepane_export_failures" + siem: some,
		"onepane_export_sent_total" + lake: some, "onepane_export_sent_total" + siem: none,
		"onepane_export_set_aside_total" + lake: none, "onepane_export_set_aside_total" + siem: none,
		"onepane_export_last_sent_timestamp_seconds" + lake: some, "onepane_export_last_sent_timestamp_seconds" + siem: none,
		"onepane_export_last_error_timestamp_seconds" + lake: none, "onepane_export_last_error_timestamp_seconds" + siem: some,
	} {
		if v, ok := figures[name]; !ok || !want(v) {
			t.Errorf("/metrics: %s%v", name, v)
		}
	}
	r := operate(t, s.base, "exports")
	for _, want := range []string{"BACKLOG", "LAG", "SET ASIDE", "LAST ERROR", "answers 503: not in this mood"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("onepane exports lacks %q: %+v", want, r)
		}
	}
	m.answer(func(string) int { return http.StatusNoContent })
	well := s.export("siem", func(e map[string]any) bool { return e["failures"] == 0.0 && e["sent"] == 1.0 && e["backlog"] == 0.0 })
	if well["lastError"] != nil || well["nextAttempt"] != nil {
		t.Errorf("an export that is well again shows as %v", well)
	}
	if figures = s.figures(t); figures["onepane_export_sent_total"+siem] != 1 || figures["onepane_export_backlog"+siem] != 0 || figures["onepane_export_last_error_timestamp_seconds"+siem] != 0 {
		t.Errorf("/metrics still shows the failure: %v", figures)
	}
}

func none(v float64) bool { return v == 0 }
func some(v float64) bool { return v > 0 }

// figures are the samples at /metrics by name and labels, with a space behind.
func (s *server) figures(t *testing.T) map[string]float64 {
	t.Helper()
	body, err := fetch(s.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			var v float64
			if json.Unmarshal([]byte(strings.TrimSpace(line[at:])), &v) == nil {
				out[line[:at+1]] = v
			}
		}
	}
	return out
}
