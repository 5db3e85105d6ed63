package api

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
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

// memoryReader is a Reader over slices, answering by query.Match.
type memoryReader struct {
	Members []incident.AlertRecord // alerts and exposures
	Known   []incident.Incident
	Err     error // of every call
	// Identities is what correlation remembers, by name.
	Identities map[string]incident.Identity
}

func (m *memoryReader) Tenants(context.Context) ([]string, error) {
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

func (m *memoryReader) Alert(_ context.Context, tenant, id string) (incident.AlertRecord, error) {
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant && a.Alert.ID == id {
			return a, m.Err
		}
	}
	return incident.AlertRecord{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func (m *memoryReader) members(tenant string, q query.Query, keep func(incident.AlertRecord) bool) (query.Page[incident.AlertRecord], error) {
	var rows []incident.AlertRecord
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant && keep(a) {
			rows = append(rows, a)
		}
	}
	return pageOf(rows, q), m.Err
}

func (m *memoryReader) Alerts(_ context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return m.members(tenant, q, func(a incident.AlertRecord) bool { return a.Alert.Class == alert.Threat })
}

func (m *memoryReader) Exposures(_ context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return m.members(tenant, q, func(a incident.AlertRecord) bool { return a.Alert.Class == alert.Exposure })
}

func (m *memoryReader) Incident(_ context.Context, tenant, id string) (incident.Incident, error) {
	for _, i := range m.Known {
		if i.Tenant == tenant && i.ID == id {
			return i, m.Err
		}
	}
	return incident.Incident{}, fault.Errorf(fault.NotFound, "no incident %s", id)
}

func (m *memoryReader) Incidents(_ context.Context, tenant string, q query.Query) (query.Page[incident.Incident], error) {
	var rows []incident.Incident
	for _, i := range m.Known {
		if i.Tenant == tenant {
			rows = append(rows, i)
		}
	}
	return pageOf(rows, q), m.Err
}

func (m *memoryReader) IncidentAlerts(_ context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error) {
	if q.Order == nil {
		q.Order = []query.Order{{Field: query.FirstActivity}}
	}
	return m.members(tenant, q, func(a incident.AlertRecord) bool { return a.Incident == id && a.Alert.Class == alert.Threat })
}

func (m *memoryReader) Stats(context.Context) (query.Stats, error) {
	return query.Stats{Alerts: int64(len(m.Members)), Incidents: int64(len(m.Known))}, m.Err
}

func (m *memoryReader) Mentions(_ context.Context, tenant string, q incident.MentionQuery) ([]incident.Mention, error) {
	var out []incident.Mention
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant && slices.ContainsFunc(incident.MentionedNames(a.Alert), func(n string) bool { return slices.Contains(q.Names, n) }) {
			out = append(out, incident.Mention{
				ID: a.Alert.ID, Class: a.Alert.Class, Incident: a.Incident, Severity: a.Alert.Severity, Status: a.Status, Title: a.Alert.Title,
				Created: a.Created, First: a.Alert.First, Last: a.Alert.Last,
			})
		}
	}
	order := func(a, b incident.Mention) int {
		c := b.Created.Compare(a.Created)
		if q.Oldest {
			c = -c
		}
		return cmp.Or(c, strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(out, order)
	if q.After != (incident.ListPosition{}) {
		out = slices.DeleteFunc(out, func(a incident.Mention) bool {
			return order(a, incident.Mention{Created: q.After.Created, ID: q.After.ID}) <= 0
		})
	}
	return out[:min(q.Limit, len(out))], m.Err
}

func (m *memoryReader) Identity(_ context.Context, _, name string) (incident.Identity, error) {
	if i, ok := m.Identities[name]; ok {
		return i, m.Err
	}
	return incident.Identity{Key: name}, m.Err
}

func (m *memoryReader) Sources(_ context.Context, tenant string) ([]incident.Source, error) {
	by := map[string]incident.Source{}
	for _, a := range m.Members {
		if a.Alert.Tenant == tenant {
			s := by[a.Alert.Origin.Provider]
			s.Provider, s.Alerts = a.Alert.Origin.Provider, s.Alerts+1
			by[s.Provider] = s
		}
	}
	return slices.Collect(maps.Values(by)), m.Err
}

func pageOf[T query.Row](rows []T, q query.Query) query.Page[T] {
	rows = slices.DeleteFunc(rows, func(r T) bool { return !query.Match(q.Where, r) })
	slices.SortFunc(rows, func(a, b T) int { return compareBy(a, b, q.Order) })
	p := query.Page[T]{Total: -1}
	if q.Count {
		p.Total = int64(len(rows))
	}
	from := min(q.Skip, len(rows))
	to := min(from+q.Top, len(rows))
	p.Items, p.More = rows[from:to], to < len(rows)
	return p
}

// day is when everything begins.
var day = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// alertRecord is alert n of a tenant, n minutes into the day, in incident 10001.
func alertRecord(tenant string, n int) incident.AlertRecord {
	at := day.Add(time.Duration(n) * time.Minute)
	origin := alert.Origin{Provider: "guardduty", ID: fmt.Sprintf("finding-%d", n)}
	return incident.AlertRecord{
		Alert: alert.Alert{
			ID: alert.MakeID(tenant, origin), Tenant: tenant, Origin: origin, Reporter: "guardduty", ReportID: origin.ID,
			Product: "Amazon GuardDuty", Type: "Recon:EC2/PortProbeUnprotectedPort", Title: fmt.Sprintf("Alert %d", n),
			Severity: alert.Medium, Status: alert.StatusNew, First: at, Last: at, Updated: at,
			Tactics: []attack.Tactic{attack.Discovery}, Account: alert.Account{Cloud: entity.Amazon, ID: "111122223333"},
		},
		Incident: "10001", Status: alert.StatusNew, Created: at, Updated: at,
	}
}

// someIncident is an active incident, created n minutes into the day.
func someIncident(tenant, id string, n int) incident.Incident {
	at := day.Add(time.Duration(n) * time.Minute)
	return incident.Incident{
		ID: id, Tenant: tenant, Name: "Incident " + id, Severity: alert.High, Status: incident.Active,
		Created: at, Updated: at, First: at, Last: at, Alerts: 1,
	}
}

// numberedAlerts is a memory with n alerts of contoso in one incident.
func numberedAlerts(n int) *memoryReader {
	m := &memoryReader{Known: []incident.Incident{someIncident("contoso", "10001", 0)}}
	for i := range n {
		m.Members = append(m.Members, alertRecord("contoso", i))
	}
	return m
}

// memoryQuarantine is a quarantine in memory.
type memoryQuarantine struct{ Events []cloudevent.Event }

func (s *memoryQuarantine) List(_ context.Context, cursor string, limit int) ([]cloudevent.Event, string, error) {
	rest := s.Events
	for len(rest) > 0 && rest[0].ID <= cursor {
		rest = rest[1:]
	}
	if len(rest) <= limit {
		return rest, "", nil
	}
	return rest[:limit], rest[limit-1].ID, nil
}

func (s *memoryQuarantine) Remove(_ context.Context, ids ...string) error {
	s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(e cloudevent.Event) bool { return slices.Contains(ids, e.ID) })
	return nil
}

// quarantineOf is a quarantine holding rejections.
func quarantineOf(t testing.TB, rs ...events.Rejection) *memoryQuarantine {
	s := &memoryQuarantine{}
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

// compareBy compares two rows as a store does: newest created first unless stated, severities by rank, ties by id.
func compareBy(a, b query.Row, by []query.Order) int {
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
