package cli_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

const tenant = "contoso"

var day = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// store is the little of a Reader that commands need: one incident with a few alerts, oldest first. What is not written
// here is not asked for.
type store struct {
	api.Reader
	incident incident.Incident
	alerts   []incident.AlertRecord
	merged   string // id of an incident that was merged into it
	exposed  []incident.AlertRecord
	order    []query.Order // of the last listing of incidents
}

// stored is an incident of n alerts, a minute apart.
func stored(n int) *store {
	s := &store{incident: incident.Incident{
		ID: "10001", Tenant: tenant, Name: "Incident 10001", Severity: alert.High, Status: incident.Active, Created: day, Updated: day, First: day,
	}}
	for i := range n {
		at := day.Add(time.Duration(i) * time.Minute)
		origin := alert.Origin{Provider: "guardduty", ID: fmt.Sprint(i)}
		s.alerts = append(s.alerts, incident.AlertRecord{Incident: "10001", Status: alert.StatusNew, Created: at, Updated: at, Alert: alert.Alert{
			ID: alert.MakeID(tenant, origin), Tenant: tenant, Origin: origin, Product: "Amazon GuardDuty", Title: fmt.Sprintf("Alert %d", i),
			Severity: alert.Medium, Tactics: []attack.Tactic{attack.Discovery}, First: at, Last: at, Account: alert.Account{Cloud: entity.Amazon},
		}})
	}
	return s
}

func (s *store) Tenants(context.Context) ([]string, error) { return []string{tenant}, nil }

func (s *store) Incident(_ context.Context, _, id string) (incident.Incident, error) {
	if id != s.incident.ID && id != s.merged {
		return incident.Incident{}, fault.Errorf(fault.NotFound, "no incident %s", id)
	}
	if id == s.merged {
		return incident.Incident{ID: id, Tenant: tenant, Status: incident.Redirected, RedirectTo: s.incident.ID}, nil
	}
	return s.incident, nil
}

func (s *store) Incidents(_ context.Context, _ string, q query.Query) (query.Page[incident.Incident], error) {
	s.order = q.Order
	return page([]incident.Incident{s.incident}, q), nil
}

func (s *store) Alert(_ context.Context, _, id string) (incident.AlertRecord, error) {
	for _, m := range s.exposed {
		if m.Alert.ID == id {
			return m, nil
		}
	}
	return incident.AlertRecord{}, fault.Errorf(fault.NotFound, "no alert %s", id)
}

func (s *store) IncidentAlerts(_ context.Context, _, _ string, q query.Query) (query.Page[incident.AlertRecord], error) {
	return page(s.alerts, q), nil
}

func (s *store) Alerts(_ context.Context, _ string, q query.Query) (query.Page[incident.AlertRecord], error) {
	newest := slices.Clone(s.alerts)
	slices.Reverse(newest)
	return page(newest, q), nil
}

func (s *store) Exposures(context.Context, string, query.Query) (query.Page[incident.AlertRecord], error) {
	return query.Page[incident.AlertRecord]{}, nil
}

func (s *store) Stats(context.Context) (query.Stats, error) {
	return query.Stats{Alerts: int64(len(s.alerts)), Incidents: 1}, nil
}

func page[T query.Row](rows []T, q query.Query) query.Page[T] {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r T) bool { return !query.Match(q.Where, r) })
	from := min(q.Skip, len(rows))
	to := min(from+q.Top, len(rows))
	return query.Page[T]{Items: rows[from:to], Total: int64(len(rows)), More: to < len(rows)}
}

// onePageQuarantine is a quarantine of one page.
type onePageQuarantine struct{ events []cloudevent.Event }

func (s *onePageQuarantine) List(context.Context, string, int) ([]cloudevent.Event, string, error) {
	return s.events, "", nil
}

func (s *onePageQuarantine) Remove(_ context.Context, ids ...string) error {
	s.events = slices.DeleteFunc(slices.Clone(s.events), func(e cloudevent.Event) bool { return slices.Contains(ids, e.ID) })
	return nil
}

// shelved is a quarantine of records with the given bodies, by id.
func shelved(t *testing.T, bodies ...string) *onePageQuarantine {
	t.Helper()
	s := &onePageQuarantine{}
	for _, body := range bodies {
		r := events.Rejection{Route: "aws", Kind: "invalid", Reason: "title: missing", Received: day}
		r.SetBody([]byte(body))
		e, err := events.NewRejection(r, "")
		if err != nil {
			t.Fatal(err)
		}
		s.events = append(s.events, e)
	}
	slices.SortFunc(s.events, func(a, b cloudevent.Event) int { return strings.Compare(a.ID, b.ID) })
	return s
}
