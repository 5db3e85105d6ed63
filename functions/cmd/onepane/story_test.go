package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onepane/onepane/functions/cmd/internal/wire"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// TestStories plays testdata/scenarios/*.txtar on a whole standalone Onepane. The commands of a story:
//
//	deliver ROUTE FILE    posts a delivery and waits for correlation; ! for one that must be refused. The receipt is stdout
//	incidents             every tenant's incidents with their alerts and why each is there
//	together              every incident as one line: its alerts by the senders' ids in time order, who else reported one in brackets
//	repeat FILE N EVERY   prints the alert in FILE N times, each EVERY later, ids numbered: a drip or a burst
//	backwards FILE        prints the lines of FILE, the last first: the order of delivery turned round
//	resolve ALERT         resolves the incident of an alert, as an analyst would
//	exposures             posture findings
//	quarantine            what was set aside, and why
//	replay-quarantine     tries it again, and waits for correlation
//	tenants NAME=ACCOUNT… restarts with an account mapping, over the same data
//	onepane ARGUMENT…     the operator's command line: see onepaneCommand
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../../testdata/scenarios", UpdateScripts: ingesttest.IsUpdating(),
		Setup: func(env *testscript.Env) error {
			s := &stage{data: env.WorkDir + "/data"}
			env.Values["stage"] = s
			env.Defer(s.close)
			return s.open(nil)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"deliver": deliverCommand, "incidents": shown((*stage).incidents), "together": shown((*stage).together),
			"repeat": repeatCommand, "backwards": backwardsCommand, "resolve": resolveCommand, "exposures": shown((*stage).exposures),
			"quarantine": shown((*stage).quarantine), "replay-quarantine": shown((*stage).replay), "tenants": tenantsCommand, "onepane": onepaneCommand,
		},
	})
}

// stage is one running Onepane.
type stage struct {
	data string
	one  *wire.Standalone
	http *httptest.Server
	stop context.CancelFunc
	done chan error
}

func (s *stage) open(tenants map[string]config.Tenant) error {
	cfg := config.Default()
	cfg.Data, cfg.CacheMB, cfg.Tenants = s.data, 8, tenants
	var err error
	if s.one, err = wire.NewStandalone(cfg, "test", slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan error, 1)
	go func() { s.done <- s.one.Bus.Subscribe(ctx, s.one.Correlate) }()
	s.http = httptest.NewServer(s.one.Handler())
	return nil
}

func (s *stage) close() {
	s.http.Close()
	s.stop()
	<-s.done
	_ = s.one.Close()
}

func onStage(ts *testscript.TestScript) *stage { return ts.Value("stage").(*stage) }

func shown(tell func(*stage) (string, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		out, err := tell(onStage(ts))
		ts.Check(err)
		_, err = io.WriteString(ts.Stdout(), out)
		ts.Check(err)
	}
}

func deliverCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: deliver ROUTE FILE")
	}
	status, answer, err := post(onStage(ts).http.URL, args[0], []byte(ts.ReadFile(args[1])), true)
	ts.Check(err)
	_, err = ts.Stdout().Write(answer)
	ts.Check(err)
	var r ingest.Receipt
	refused := status != 202 || json.Unmarshal(answer, &r) != nil || len(r.Rejected) > 0
	if refused != neg {
		ts.Fatalf("deliver %s %s: %d %s", args[0], args[1], status, answer)
	}
}

func tenantsCommand(ts *testscript.TestScript, _ bool, args []string) {
	tenants := map[string]config.Tenant{}
	for _, a := range args {
		name, account, _ := strings.Cut(a, "=")
		t := tenants[name]
		t.Accounts = append(t.Accounts, account)
		tenants[name] = t
	}
	s := onStage(ts)
	s.close()
	ts.Check(s.open(tenants))
}

// incidents tells every incident that lives on, the oldest first, and of each alert the title and the reasons.
func (s *stage) incidents() (string, error) {
	ctx := context.Background()
	tenants, err := s.one.Store.Tenants(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, tenant := range tenants {
		page, err := s.one.Store.Incidents(ctx, tenant, query.Query{Top: 1000})
		if err != nil {
			return "", err
		}
		slices.Reverse(page.Items)
		for _, i := range page.Items {
			if i.RedirectTo == "" {
				if err := s.tell(&b, i); err != nil {
					return "", err
				}
			}
		}
	}
	return b.String(), nil
}

func (s *stage) tell(b *strings.Builder, i incident.Incident) error {
	fmt.Fprintf(b, "%s: %s, %s, %d alerts, %v\n", i.Tenant, i.Name, i.Severity, i.Alerts, i.Clouds)
	page, err := s.one.Store.IncidentAlerts(context.Background(), i.Tenant, i.ID, query.Query{Top: 1000})
	if err != nil {
		return err
	}
	for _, m := range page.Items {
		var why []string
		for _, r := range m.Reasons {
			why = append(why, fmt.Sprintf("%s %s", r.Rule, r.Name))
		}
		sightings := ""
		if n := len(m.Alert.Sightings); n > 1 {
			sightings = fmt.Sprintf(" [%d products]", n)
		}
		fmt.Fprintf(b, "  %s %s %s%s: %s\n", m.Alert.First.UTC().Format("15:04"), m.Alert.Severity, m.Alert.Title, sightings, strings.TrimSpace(strings.Join(why, "; ")))
	}
	return nil
}

func (s *stage) exposures() (string, error) {
	ctx := context.Background()
	tenants, err := s.one.Store.Tenants(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, tenant := range tenants {
		page, err := s.one.Store.Exposures(ctx, tenant, query.Query{Top: 1000})
		if err != nil {
			return "", err
		}
		for _, m := range page.Items {
			fmt.Fprintf(&b, "%s: %s, %s, %s\n", tenant, m.Alert.Title, m.Alert.Severity, m.Status)
		}
	}
	return b.String(), nil
}

func (s *stage) quarantine() (string, error) {
	var page struct {
		Value []struct{ Reason, Kind, Route string } `json:"value"`
	}
	body, err := fetch(s.http.URL + "/api/v1/quarantine")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &page, json.MatchCaseInsensitiveNames(true)); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, q := range page.Value {
		fmt.Fprintf(&b, "%s, %s: %s\n", q.Route, q.Kind, q.Reason)
	}
	return b.String(), nil
}

func (s *stage) replay() (string, error) {
	body, err := send(s.http.URL+"/api/v1/quarantine/replay", `{"all":true}`)
	if err != nil {
		return "", err
	}
	var page struct {
		Value []struct {
			Taken  bool   `json:"taken"`
			Reason string `json:"reason"`
		} `json:"value"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", err
	}
	if err := s.one.Bus.Drained(context.Background()); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range page.Value {
		fmt.Fprintf(&b, "taken %v %s\n", r.Taken, r.Reason)
	}
	return b.String(), nil
}
