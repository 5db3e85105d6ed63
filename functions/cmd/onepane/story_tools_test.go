package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// together tells every incident that lives on by its alerts alone, so that a story says what belongs together and not
// how it is weighed.
func (s *stage) together() (string, error) {
	ctx := context.Background()
	tenants, err := s.one.Store.Tenants(ctx)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, tenant := range tenants {
		page, err := s.one.Store.Incidents(ctx, tenant, query.Query{Top: 1000})
		if err != nil {
			return "", err
		}
		for _, i := range page.Items {
			if i.RedirectTo != "" {
				continue
			}
			line, err := s.ids(i)
			if err != nil {
				return "", err
			}
			lines = append(lines, tenant+": "+line+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), nil
}

// ids are the alerts of an incident as their senders call them, in time order. More than eight are counted by their
// first word, for a drip has too many to list.
func (s *stage) ids(i incident.Incident) (string, error) {
	page, err := s.one.Store.IncidentAlerts(context.Background(), i.Tenant, i.ID, query.Query{Top: 1000})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, m := range page.Items {
		id := senderID(m)
		for _, g := range m.Alert.Sightings {
			if g.ReportID != m.Alert.ReportID || g.Reporter != m.Alert.Reporter {
				id += "[" + g.Reporter + "]"
			}
		}
		ids = append(ids, id)
	}
	const few = 8
	if len(ids) <= few {
		return strings.Join(ids, " "), nil
	}
	var counts []string
	n := map[string]int{}
	for _, id := range ids {
		word, _, _ := strings.Cut(id, "-")
		if n[word]++; n[word] == 1 {
			counts = append(counts, word)
		}
	}
	for k, word := range counts {
		counts[k] = fmt.Sprintf("%s x%d", word, n[word])
	}
	return strings.Join(counts, ", "), nil
}

func senderID(m incident.AlertRecord) string {
	if id := m.Alert.Extra["sender_id"]; id != "" {
		return id
	}
	return m.Alert.ReportID
}

func repeatCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: repeat FILE N EVERY")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	every, err := time.ParseDuration(args[2])
	ts.Check(err)
	var a map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &a))
	id, first := a["id"].(string), a["time"].(string)
	at, err := time.Parse(time.RFC3339, first)
	ts.Check(err)
	for i := range n {
		a["id"], a["time"] = fmt.Sprintf("%s-%04d", id, i), at.Add(time.Duration(i)*every).Format(time.RFC3339)
		b, err := json.Marshal(a, json.Deterministic(true))
		ts.Check(err)
		_, err = ts.Stdout().Write(append(b, '\n'))
		ts.Check(err)
	}
}

func backwardsCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: backwards FILE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	slices.Reverse(lines)
	_, err := fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
	ts.Check(err)
}

// resolveCommand writes as another process would: the correlate function finds the tenant moved on and loads it anew.
func resolveCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: resolve ALERT")
	}
	ctx, store := context.Background(), onStage(ts).one.Store
	tenants, err := store.Tenants(ctx)
	ts.Check(err)
	for _, tenant := range tenants {
		page, err := store.Alerts(ctx, tenant, query.Query{Top: 1000})
		ts.Check(err)
		for _, m := range page.Items {
			if senderID(m) != args[0] {
				continue
			}
			l, err := store.Load(ctx, tenant, incident.Refs{Incidents: []string{m.Incident}})
			ts.Check(err)
			l.Incidents[0].Status = incident.Resolved
			ts.Check(store.Commit(ctx, tenant, l.Version, incident.Changes{Incidents: l.Incidents, Sequence: l.Sequence}))
			return
		}
	}
	ts.Fatalf("no alert %s", args[0])
}
