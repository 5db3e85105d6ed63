package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// memory is a Reader over slices, answering by query.Match.
type memory struct {
	alerts    []incident.Member
	incidents []incident.Incident
	err       error
}

func (m *memory) Tenants(context.Context) ([]string, error) {
	var out []string
	for _, a := range m.alerts {
		out = append(out, a.Alert.Tenant)
	}
	for _, i := range m.incidents {
		out = append(out, i.Tenant)
	}
	slices.Sort(out)
	return slices.Compact(out), m.err
}

func (m *memory) Alert(_ context.Context, tenant, id string) (incident.Member, error) {
	for _, a := range m.alerts {
		if a.Alert.Tenant == tenant && a.Alert.ID == id {
			return a, m.err
		}
	}
	return incident.Member{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func (m *memory) members(tenant string, q query.Query, keep func(incident.Member) bool) (query.Page[incident.Member], error) {
	var rows []incident.Member
	for _, a := range m.alerts {
		if a.Alert.Tenant == tenant && keep(a) {
			rows = append(rows, a)
		}
	}
	return pageOf(rows, q), m.err
}

func (m *memory) Alerts(_ context.Context, tenant string, q query.Query) (query.Page[incident.Member], error) {
	return m.members(tenant, q, func(a incident.Member) bool { return a.Alert.Class == alert.Threat })
}

func (m *memory) Exposures(_ context.Context, tenant string, q query.Query) (query.Page[incident.Member], error) {
	return m.members(tenant, q, func(a incident.Member) bool { return a.Alert.Class == alert.Exposure })
}

func (m *memory) Incident(_ context.Context, tenant, id string) (incident.Incident, error) {
	for _, i := range m.incidents {
		if i.Tenant == tenant && i.ID == id {
			return i, m.err
		}
	}
	return incident.Incident{}, fault.Errorf(fault.NotFound, "no incident %s", id)
}

func (m *memory) Incidents(_ context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error) {
	var rows []incident.Incident
	for _, i := range m.incidents {
		if i.Tenant == tenant {
			rows = append(rows, i)
		}
	}
	return pageOf(rows, q), m.err
}

func (m *memory) IncidentAlerts(_ context.Context, tenant, id string, q query.Query) (query.Page[incident.Member], error) {
	if q.Order == nil {
		q.Order = []query.Order{{Field: query.FirstActivity}}
	}
	return m.members(tenant, q, func(a incident.Member) bool { return a.Incident == id && a.Alert.Class == alert.Threat })
}

func (m *memory) Stats(context.Context) (query.Stats, error) {
	return query.Stats{Alerts: int64(len(m.alerts)), Incidents: int64(len(m.incidents))}, m.err
}

func pageOf[T query.Row](rows []T, q query.Query) query.Page[T] {
	rows = slices.DeleteFunc(rows, func(r T) bool { return !query.Match(q.Where, r) })
	slices.SortFunc(rows, func(a, b T) int { return compare(a, b, q.Order) })
	p := query.Page[T]{Total: -1}
	if q.Count {
		p.Total = int64(len(rows))
	}
	from := min(q.Skip, len(rows))
	to := min(from+q.Top, len(rows))
	p.Items, p.More = rows[from:to], to < len(rows)
	return p
}

var day = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// member is alert n of a tenant, n minutes into the day, in incident 10001.
func member(tenant string, n int) incident.Member {
	at := day.Add(time.Duration(n) * time.Minute)
	origin := alert.Origin{Provider: "guardduty", ID: fmt.Sprintf("finding-%d", n)}
	return incident.Member{
		Alert: alert.Alert{
			ID: alert.MakeID(tenant, origin), Tenant: tenant, Origin: origin, Reporter: "guardduty", ReportID: origin.ID,
			Product: "Amazon GuardDuty", Type: "Recon:EC2/PortProbeUnprotectedPort", Title: fmt.Sprintf("Alert %d", n),
			Severity: alert.Medium, Status: alert.StatusNew, First: at, Last: at, Updated: at,
			Tactics: []attack.Tactic{attack.Discovery}, Account: alert.Account{Cloud: entity.Amazon, ID: "111122223333"},
		},
		Incident: "10001", Status: alert.StatusNew, Created: at, Updated: at,
	}
}

func someIncident(tenant, id string, n int) incident.Incident {
	at := day.Add(time.Duration(n) * time.Minute)
	return incident.Incident{
		ID: id, Tenant: tenant, Name: "Incident " + id, Severity: alert.High, Status: incident.Active,
		Created: at, Updated: at, First: at, Last: at, Alerts: 1,
	}
}

// crowd is a memory with n alerts of contoso in one incident.
func crowd(n int) *memory {
	m := &memory{incidents: []incident.Incident{someIncident("contoso", "10001", 0)}}
	for i := range n {
		m.alerts = append(m.alerts, member("contoso", i))
	}
	return m
}

// shelf is a quarantine in memory.
type shelf struct{ evs []cloudevent.Event }

func (s *shelf) List(_ context.Context, cursor string, limit int) ([]cloudevent.Event, string, error) {
	rest := s.evs
	for len(rest) > 0 && rest[0].ID <= cursor {
		rest = rest[1:]
	}
	if len(rest) <= limit {
		return rest, "", nil
	}
	return rest[:limit], rest[limit-1].ID, nil
}

func (s *shelf) Remove(_ context.Context, ids ...string) error {
	s.evs = slices.DeleteFunc(slices.Clone(s.evs), func(e cloudevent.Event) bool { return slices.Contains(ids, e.ID) })
	return nil
}

func shelfOf(t *testing.T, rs ...events.Rejection) *shelf {
	s := &shelf{}
	for _, r := range rs {
		e, err := events.NewRejection(r, "")
		if err != nil {
			t.Fatal(err)
		}
		s.evs = append(s.evs, e)
	}
	slices.SortFunc(s.evs, func(a, b cloudevent.Event) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return s
}

// serve starts the API over a reader; adjust changes the server first.
func serve(t *testing.T, r Reader, adjust ...func(*Server)) string {
	t.Helper()
	s := &Server{Reader: r, Authenticate: Open, Version: "test", Now: func() time.Time { return day }}
	for _, a := range adjust {
		a(s)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(ts.Close)
	return ts.URL
}

// answer is one reply, its body unpacked.
type answer struct {
	*http.Response
	body []byte
}

// get sends a GET with the given "Name: value" pairs as headers.
func get(t *testing.T, url string, headers ...string) answer {
	t.Helper()
	return send(t, http.MethodGet, url, "", headers...)
}

func send(t *testing.T, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, b}
}

// into decodes the body and fails unless the status is as wanted.
func (a answer) into(t *testing.T, status int, v any) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// object is the body as a free object.
func (a answer) object(t *testing.T, status int) map[string]any {
	t.Helper()
	var m map[string]any
	a.into(t, status, &m)
	return m
}

// titles are the titles of a page's items.
func (a answer) titles(t *testing.T) []string {
	t.Helper()
	var p struct {
		Value []struct {
			Title string `json:"title"`
		} `json:"value"`
	}
	a.into(t, http.StatusOK, &p)
	out := []string{}
	for _, v := range p.Value {
		out = append(out, v.Title)
	}
	return out
}
