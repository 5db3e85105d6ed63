package cosmos_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	local "github.com/onepane/onepane/infra/local/cosmos"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/store/cosmos"
)

var longAgo = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// kept is a tenant with alerts a, b, c of incidents 1, 2, 3 in one commit, whose bodies lie together, and later
// states of them.
func kept(t *testing.T, a local.Account, opts cosmos.Options) *cosmos.Store {
	t.Helper()
	s := open(t, a, opts)
	save(t, s, oneIncident(1, incident.Active, 0), oneIncident(2, incident.Active, 0), oneIncident(3, incident.Active, 0))
	save(t, s, oneIncident(1, incident.Resolved, 1), oneIncident(2, incident.Resolved, 50))
	return s
}

// oneIncident is an incident with its one alert.
func oneIncident(n int, status incident.Status, hours int) incident.Changes {
	at := longAgo.Add(time.Duration(hours) * time.Hour)
	id := fmt.Sprint(10_000 * n)
	a := alert.Alert{ID: string(rune('a' + n - 1)), Tenant: tenant, Title: "T", Severity: alert.High, First: longAgo, Last: longAgo}
	return incident.Changes{
		Alerts:    []incident.AlertRecord{{Alert: a, Incident: id, Status: alert.StatusNew, Created: longAgo, Updated: at}},
		Incidents: []incident.Incident{{ID: id, Tenant: tenant, Name: id, Status: status, Created: longAgo, Updated: at, Alerts: 1}},
	}
}

func save(t *testing.T, s *cosmos.Store, all ...incident.Changes) {
	t.Helper()
	var c incident.Changes
	for _, one := range all {
		c.Alerts, c.Incidents = append(c.Alerts, one.Alerts...), append(c.Incidents, one.Incidents...)
		c.Sequence = max(c.Sequence, one.Sequence)
	}
	l, err := s.Load(t.Context(), tenant, incident.Refs{Incidents: []string{"1"}})
	if err == nil {
		err = s.Commit(t.Context(), tenant, l.Version, c)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func bodies(a local.Account) (n int) {
	for _, p := range a.Partitions("onepane", "blobs") {
		n += p.Items
	}
	return n
}

func TestBodiesGoWithTheLastOfTheirs(t *testing.T) {
	a := account(t, local.Options{})
	s := kept(t, a, cosmos.Options{Fold: 1})
	if n := bodies(a); n != 1 {
		t.Fatalf("%d blobs hold the bodies of one commit", n)
	}
	purge := func(hours, want int) {
		t.Helper()
		if n, err := s.Purge(t.Context(), tenant, longAgo.Add(time.Duration(hours)*time.Hour), 10); err != nil || n != want {
			t.Fatalf("Purge = %d, %v; want %d", n, err, want)
		}
	}
	purge(2, 1)
	if m, err := s.Alert(t.Context(), tenant, "b"); err != nil || m.Alert.Title != "T" || bodies(a) != 1 {
		t.Errorf("beside a purged one: %+v, %v, %d blobs", m, err, bodies(a))
	}
	purge(51, 1)
	save(t, s, oneIncident(3, incident.Resolved, 60))
	purge(61, 1)
	if n := bodies(a); n != 0 {
		t.Errorf("%d blobs are left of nothing", n)
	}
}

// A process that dies at any request while it purges leaves what another finishes.
func TestPurgingThatBrokeOff(t *testing.T) {
	for name, opts := range map[string]cosmos.Options{"log": {}, "one volume": {Fold: 1}, "many volumes": everyFlush} {
		t.Run(name, func(t *testing.T) {
			for cut := 0; ; cut++ {
				a := account(t, local.Options{})
				s := kept(t, a, opts)
				left, over := cut, false
				a.Inject(func(local.Operation) local.Fault {
					if left--; left < 0 {
						over = true
						return local.Fault{Status: http.StatusServiceUnavailable}
					}
					return local.Fault{}
				})
				_, _ = s.Purge(t.Context(), tenant, longAgo.Add(51*time.Hour), 10)
				a.Inject(nil)
				s = open(t, a, opts)
				if _, err := s.Purge(t.Context(), tenant, longAgo.Add(51*time.Hour), 10); err != nil {
					t.Fatalf("cut after %d requests: %v", cut, err)
				}
				save(t, s, oneIncident(3, incident.Resolved, 60))
				if _, err := s.Purge(t.Context(), tenant, longAgo.Add(61*time.Hour), 10); err != nil {
					t.Fatalf("cut after %d requests: %v", cut, err)
				}
				for range 9 { // until what housekeeping put off is due again
					save(t, s, incident.Changes{})
				}
				st, err := s.Stats(t.Context())
				if err != nil || st.Alerts+st.Incidents != 0 {
					t.Errorf("cut after %d requests: %+v, %v", cut, st, err)
				}
				if n := bodies(a); name != "log" && n != 0 {
					t.Errorf("cut after %d requests: %d blobs are left", cut, n)
				}
				if !over {
					t.Logf("cut at each of %d requests", cut)
					break
				}
			}
		})
	}
}
