package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/api/client"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// reader has that many alerts and nothing else; what is not written here is not asked for.
type reader struct {
	api.Reader
	n int
}

func (r reader) Tenants(context.Context) ([]string, error) { return []string{"contoso"}, nil }

func (r reader) Stats(context.Context) (query.Stats, error) {
	return query.Stats{Alerts: int64(r.n)}, nil
}

func (r reader) Alerts(_ context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
	var p query.Page[incident.AlertRecord]
	for i := range r.n {
		m := incident.AlertRecord{Alert: alert.Alert{ID: fmt.Sprintf("gd%04d", i), Tenant: tenant}}
		switch {
		case !query.Match(q.Where, m):
		case len(p.Items) < q.Top:
			p.Items = append(p.Items, m)
		default:
			p.More = true
		}
	}
	return p, nil
}

func (r reader) Incident(_ context.Context, _, id string) (incident.Incident, error) {
	return incident.Incident{}, fault.Errorf(fault.NotFound, "no incident %s", id)
}

// connect starts the API over n alerts, with a token wanted unless it is empty, and gives a client that has the token
// "right".
func connect(t *testing.T, n int, adjust func(*api.Server)) *client.Client {
	t.Helper()
	s := &api.Server{Reader: reader{n: n}, Authenticate: api.AllowLoopback}
	if adjust != nil {
		adjust(s)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(ts.Close)
	c, err := client.New(ts.URL, "right")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPagesAreOneList(t *testing.T) {
	for name, adjust := range map[string]func(*api.Server){
		"as is": nil,
		"the server knows itself by another name": func(s *api.Server) { s.BaseURL = "https://elsewhere.example" },
	} {
		c := connect(t, 450, adjust)
		for top, want := range map[int]int{0: 450, 1: 1, 200: 200, 201: 201, 1000: 450} {
			seen := map[string]bool{}
			for a, err := range c.Alerts(context.Background(), client.Query{Top: top}) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				seen[a.Value.ID] = true
			}
			if len(seen) != want {
				t.Errorf("%s: top %d gives %d alerts", name, top, len(seen))
			}
		}
	}
}

func TestStoppingEarlyIsFine(t *testing.T) {
	for range connect(t, 450, nil).Alerts(context.Background(), client.Query{}) {
		break
	}
}

func TestErrorsSpeakTheServersWords(t *testing.T) {
	c := connect(t, 1, nil)
	_, err := c.Incident(context.Background(), "no/such?id", client.Query{})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != 404 || refused.Code != "itemNotFound" || refused.RequestID == "" || refused.Error() != "No incident with id 'no/such?id' was found." {
		t.Errorf("%#v", err)
	}
	for _, err := range c.Alerts(context.Background(), client.Query{Filter: "nonsense"}) {
		if !errors.As(err, &refused) || refused.Status != 400 {
			t.Errorf("%v", err)
		}
	}
}

func TestTokenIsSent(t *testing.T) {
	c := connect(t, 1, func(s *api.Server) {
		s.Authenticate = func(r *http.Request) (api.Principal, error) {
			if r.Header.Get("Authorization") != "Bearer right" {
				return api.Principal{}, errors.New("wrong token")
			}
			return api.Principal{AllTenants: true, Rights: api.Read}, nil
		}
	})
	if _, err := c.Status(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	var gone *client.Unreachable
	if _, err := c.Status(context.Background()); !errors.As(err, &gone) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"nonsense", "ftp://x", "http://", "://"} {
		if _, err := client.New(bad, ""); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestSomethingElseAnswers(t *testing.T) {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer ts.Close()
	c, _ := client.New(ts.URL, "")
	if _, err := c.Status(context.Background()); err == nil {
		t.Error("HTML was taken for an answer")
	}
}
