package sentinel

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// workspace is a Logs Ingestion endpoint with one rule of two streams.
type workspace struct {
	url string

	mu      sync.Mutex
	down    int
	most    int // bytes of a call
	ids     []string
	calls   int
	refused int // for their size
}

func newWorkspace(t testing.TB) *workspace {
	w := &workspace{most: maxCall}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

const rulePath = "/dataCollectionRules/dcr-0011/streams/"

func (s *workspace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	body, _ := io.ReadAll(r.Body)
	stream, ok := strings.CutPrefix(r.URL.Path, rulePath)
	var rows []struct {
		ID   string    `json:"OnepaneRowId"`
		Time time.Time `json:"TimeGenerated"`
	}
	switch {
	case s.down != 0:
		w.Header().Set("Retry-After", "7")
		answer(w, s.down, "TooManyRequests")
	case r.Header.Get("Authorization") != "Bearer token":
		answer(w, 403, "OperationFailed")
	case !ok || r.URL.Query().Get("api-version") != "2023-01-01":
		answer(w, 404, "NotFound")
	case stream != "Custom-SecurityAlert" && stream != "Custom-SecurityIncident":
		answer(w, 400, "InvalidStream")
	case len(body) > s.most:
		s.refused++
		answer(w, 413, "ContentLengthLimitExceeded")
	case json.Unmarshal(body, &rows) != nil:
		answer(w, 400, "InvalidRequestPayload")
	default:
		for _, row := range rows {
			s.ids = append(s.ids, row.ID)
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func answer(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":{"code":"`+code+`","message":"refused"}}`)
}

func (s *workspace) Target() export.Target { return s.target() }
func (s *workspace) target() *Target {
	return &Target{
		Endpoint: s.url, Rule: "dcr-0011", PortalURL: "https://onepane.example", HTTP: export.NewHTTPClient(), Now: func() time.Time { return exporttest.Begin },
		Token: func(context.Context) (string, error) { return "token", nil },
	}
}

func (s *workspace) Taken(testing.TB) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

func (s *workspace) Refuse(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down = 0; down {
		s.down = http.StatusTooManyRequests
	}
}

func TestPromises(t *testing.T) {
	exporttest.Run(t, func(t testing.TB) exporttest.Receiver { return newWorkspace(t) })
}

func TestAThrottledCallIsTriedWhenTheServiceSays(t *testing.T) {
	s := newWorkspace(t)
	s.Refuse(true)
	_, err := s.Target().Send(t.Context(), []export.Record{{Kind: "alert", Data: []byte("{}")}})
	if fault.Of(err) != fault.Unavailable || export.RetryAfter(err) != 7*time.Second {
		t.Errorf("%v, after %v", err, export.RetryAfter(err))
	}
}

func TestATooLargeCallIsSplit(t *testing.T) {
	s := newWorkspace(t)
	s.most = 20_000
	w := exporttest.NewWorld(t)
	w.Report(0, 40)
	if err := w.Function(s.Target(), nil).Drain(t.Context(), exporttest.Name); err != nil {
		t.Fatal(err)
	}
	for thing, id := range w.States(t, s.Target()) {
		if !slices.Contains(s.ids, id) {
			t.Errorf("%s is missing", thing)
		}
	}
}

func TestOptions(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 9)
	for _, tt := range []struct {
		name              string
		change            func(*Target)
		alerts, incidents bool
	}{
		{"all", func(*Target) {}, true, true},
		{"no incidents", func(t *Target) { t.NoIncidents = true }, true, false},
		{"another subscription", func(t *Target) { t.Subscriptions = []string{"other"} }, false, true},
		{"alerts of listed subscriptions only", func(t *Target) { t.NoIncidents, t.Subscriptions = true, []string{"other"} }, false, false},
	} {
		target := newWorkspace(t).target()
		tt.change(target)
		for _, row := range w.Rows(t) {
			data, err := target.Encode(row)
			want := tt.alerts
			if row.Incident != nil {
				want = tt.incidents
			}
			if err != nil || (data != nil) != want {
				t.Errorf("%s: %s %s: %s, %v", tt.name, row.Kind, row.Thing, data, err)
			}
		}
	}
}

func TestAlertsOfListedSubscriptions(t *testing.T) {
	w := exporttest.NewWorld(t)
	w.Report(0, 9)
	target := &Target{Subscriptions: []string{"111122223333", "SHOP-PROD"}}
	sent := map[string]int{}
	for _, row := range w.Rows(t) {
		data, err := target.Encode(row)
		if err != nil {
			t.Fatal(err)
		}
		if row.Alert != nil && data != nil {
			sent[row.Alert.Alert.Account.ID]++
		}
	}
	if sent["111122223333"] == 0 || sent["shop-prod"] == 0 || len(sent) != 2 {
		t.Errorf("alerts by subscription: %v", sent)
	}
}

// TestRefusalsOfTheRule: they hold the export up, say what to do, and set no row aside.
func TestRefusalsOfTheRule(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*workspace, *Target)
		kind   fault.Kind
		words  string
	}{
		{"no role", func(_ *workspace, t *Target) {
			t.Token = func(context.Context) (string, error) { return "stranger", nil }
		}, fault.Denied, "Monitoring Metrics Publisher"},
		{"no such stream", func(_ *workspace, t *Target) { t.AlertStream = "Custom-Nothing" }, fault.Denied, "declares no such stream"},
		{"no such rule", func(_ *workspace, t *Target) { t.Rule = "dcr-9" }, fault.Denied, "no data collection rule dcr-9"},
		{"too many calls", func(s *workspace, _ *Target) { s.down = 429 }, fault.Unavailable, "429"},
		{"out of order", func(s *workspace, _ *Target) { s.down = 503 }, fault.Unavailable, "503"},
	} {
		s := newWorkspace(t)
		target := s.target()
		tt.change(s, target)
		w := exporttest.NewWorld(t)
		w.Report(0, 5)
		f := w.Function(target, nil)
		err := f.Drain(t.Context(), exporttest.Name)
		if fault.Of(err) != tt.kind || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if st, err := f.Status(t.Context(), func(string) bool { return true }); err != nil || st[0].DeadLettered != 0 || st[0].Backlog == 0 {
			t.Errorf("%s: %+v, %v", tt.name, st, err)
		}
	}
}

// TestCallsStayBelowTheLimit: a page of large rows is several calls, none of which the service refuses.
func TestCallsStayBelowTheLimit(t *testing.T) {
	s := newWorkspace(t)
	target := s.target()
	var records []export.Record
	for range 100 {
		records = append(records, export.Record{Kind: "alert", Data: []byte(`{"TimeGenerated":"2026-03-03T08:00:00Z","Description":"` + strings.Repeat("x", maxRow-100) + `"}`)})
	}
	w := exporttest.NewWorld(t)
	w.Report(0, 700)
	if err := w.Function(target, nil).Drain(t.Context(), exporttest.Name); err != nil || s.refused > 0 {
		t.Fatalf("%v, %d calls refused", err, s.refused)
	}
	limits := target.Limits()
	if limits.Bytes+len("[]") > maxCall || limits.Overhead < len(",") || limits.RecordBytes > maxRow {
		t.Errorf("limits %+v", limits)
	}
	if _, err := target.Send(t.Context(), records); fault.Of(err) != fault.TooLarge {
		t.Errorf("the stand-in takes more than %d bytes: %v", maxCall, err)
	}
}

func TestWordsOfIncidents(t *testing.T) {
	for _, tt := range []struct {
		status               incident.Status
		class                string
		want, wantC, wantWhy string
	}{
		{incident.Active, "truePositive", "New", "", ""},
		{incident.InProgress, "", "Active", "", ""},
		{incident.Resolved, "truePositive", "Closed", "TruePositive", "SuspiciousActivity"},
		{incident.Resolved, "falsePositive", "Closed", "FalsePositive", "InaccurateData"},
		{incident.Resolved, "informationalExpectedActivity", "Closed", "BenignPositive", "SuspiciousButExpected"},
		{incident.Redirected, "", "Closed", "Undetermined", ""},
	} {
		i := &incident.Incident{ID: "10001", Status: tt.status, Severity: alert.Critical, Work: incident.Work{Classification: tt.class}}
		row := (&Target{}).incidentRowOf(export.Row{Incident: i})
		if row.Status != tt.want || row.Classification != tt.wantC || row.ClassificationReason != tt.wantWhy || row.Severity != "High" || row.IncidentNumber != 10001 {
			t.Errorf("%s, %s: %+v", tt.status, tt.class, row)
		}
	}
}

func BenchmarkExport(b *testing.B) { exporttest.Bench(b, newWorkspace(b)) }
