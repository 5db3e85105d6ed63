// Package apitest is what the API and those who speak to it are tested against: a Reader and a quarantine in memory, which
// answer by query.Match and keep nothing.
package apitest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// Memory is a Reader over slices, answering by query.Match.
type Memory struct {
	Members []incident.Member // alerts and exposures
	Known   []incident.Incident
	Err     error // of every call
}

// Tenants lists whoever has an alert or an incident.
func (m *Memory) Tenants(context.Context) ([]string, error) {
	var out []string
	for _, a := range m.Members {
		out = append(out, a.Alert.Tenant)
	}
	for _, i := range m.Known {
		out = append(out, i.Tenant)
	}
	slices.Sort(out)
	return slices.Compact(out), m.Err
}

// Alert finds one alert or exposure.
func (m *Memory) Alert(_ context.Context, tenant, id string) (incident.Member, error) {
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant && a.Alert.ID == id {
			return a, m.Err
		}
	}
	return incident.Member{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func (m *Memory) members(tenant string, q query.Query, keep func(incident.Member) bool) (query.Page[incident.Member], error) {
	var rows []incident.Member
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant && keep(a) {
			rows = append(rows, a)
		}
	}
	return pageOf(rows, q), m.Err
}

// Alerts lists alerts.
func (m *Memory) Alerts(_ context.Context, tenant string, q query.Query) (query.Page[incident.Member], error) {
	return m.members(tenant, q, func(a incident.Member) bool { return a.Alert.Class == alert.Threat })
}

// Exposures lists exposures.
func (m *Memory) Exposures(_ context.Context, tenant string, q query.Query) (query.Page[incident.Member], error) {
	return m.members(tenant, q, func(a incident.Member) bool { return a.Alert.Class == alert.Exposure })
}

// Incident finds one incident.
func (m *Memory) Incident(_ context.Context, tenant, id string) (incident.Incident, error) {
	for _, i := range m.Known {
		if i.Tenant == tenant && i.ID == id {
			return i, m.Err
		}
	}
	return incident.Incident{}, fault.Errorf(fault.NotFound, "no incident %s", id)
}

// Incidents lists incidents.
func (m *Memory) Incidents(_ context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error) {
	var rows []incident.Incident
	for _, i := range m.Known {
		if i.Tenant == tenant {
			rows = append(rows, i)
		}
	}
	return pageOf(rows, q), m.Err
}

// IncidentAlerts lists an incident's alerts, by first activity unless q orders otherwise.
func (m *Memory) IncidentAlerts(_ context.Context, tenant, id string, q query.Query) (query.Page[incident.Member], error) {
	if q.Order == nil {
		q.Order = []query.Order{{Field: query.FirstActivity}}
	}
	return m.members(tenant, q, func(a incident.Member) bool { return a.Incident == id && a.Alert.Class == alert.Threat })
}

// Stats counts.
func (m *Memory) Stats(context.Context) (query.Stats, error) {
	return query.Stats{Alerts: int64(len(m.Members)), Incidents: int64(len(m.Known))}, m.Err
}

func pageOf[T query.Row](rows []T, q query.Query) query.Page[T] {
	rows = slices.DeleteFunc(rows, func(r T) bool { return !query.Match(q.Where, r) })
	slices.SortFunc(rows, func(a, b T) int { return order(a, b, q.Order) })
	p := query.Page[T]{Total: -1}
	if q.Count {
		p.Total = int64(len(rows))
	}
	from := min(q.Skip, len(rows))
	to := min(from+q.Top, len(rows))
	p.Items, p.More = rows[from:to], to < len(rows)
	return p
}

// Day is when everything begins.
var Day = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// Member is alert n of a tenant, n minutes into the day, in incident 10001.
func Member(tenant string, n int) incident.Member {
	at := Day.Add(time.Duration(n) * time.Minute)
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

// Incident is an active incident, created n minutes into the day.
func Incident(tenant, id string, n int) incident.Incident {
	at := Day.Add(time.Duration(n) * time.Minute)
	return incident.Incident{
		ID: id, Tenant: tenant, Name: "Incident " + id, Severity: alert.High, Status: incident.Active,
		Created: at, Updated: at, First: at, Last: at, Alerts: 1,
	}
}

// Crowd is a memory with n alerts of contoso in one incident.
func Crowd(n int) *Memory {
	m := &Memory{Known: []incident.Incident{Incident("contoso", "10001", 0)}}
	for i := range n {
		m.Members = append(m.Members, Member("contoso", i))
	}
	return m
}

// Shelf is a quarantine in memory.
type Shelf struct{ Events []cloudevent.Event }

// List pages by id.
func (s *Shelf) List(_ context.Context, cursor string, limit int) ([]cloudevent.Event, string, error) {
	rest := s.Events
	for len(rest) > 0 && rest[0].ID <= cursor {
		rest = rest[1:]
	}
	if len(rest) <= limit {
		return rest, "", nil
	}
	return rest[:limit], rest[limit-1].ID, nil
}

// Remove drops events.
func (s *Shelf) Remove(_ context.Context, ids ...string) error {
	s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(e cloudevent.Event) bool { return slices.Contains(ids, e.ID) })
	return nil
}

// ShelfOf is a quarantine holding rejections.
func ShelfOf(t testing.TB, rs ...events.Rejection) *Shelf {
	s := &Shelf{}
	for _, r := range rs {
		e, err := events.NewRejection(r, "")
		if err != nil {
			t.Fatal(err)
		}
		s.Events = append(s.Events, e)
	}
	slices.SortFunc(s.Events, func(a, b cloudevent.Event) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return s
}

// order compares two rows as a store does: newest created first unless stated, severities by rank, ties by id.
func order(a, b query.Row, by []query.Order) int {
	if by == nil {
		by = []query.Order{{Field: query.Created, Desc: true}}
	}
	for _, o := range by {
		c := strings.Compare(strings.ToLower(a.Text(o.Field)), strings.ToLower(b.Text(o.Field)))
		if o.Field == query.Severity {
			c = cmp.Compare(alert.Severity(a.Text(o.Field)).Rank(), alert.Severity(b.Text(o.Field)).Rank())
		}
		if o.Field.IsTime() {
			c = a.Time(o.Field).Compare(b.Time(o.Field))
		}
		if c != 0 && o.Desc {
			return -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.Text(query.ID), b.Text(query.ID))
}
