package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// onepaneCommand runs the operator's command line on the stage; ! for a run that must fail. In a story things have no
// ids yet, so that an argument may say instead
//
//	alert:TITLE     the id of the alert with that title
//	incident:TITLE  the id of that alert's incident
//	copy:TITLE      the id of the report that was folded into that alert last
func onepaneCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := onStage(ts)
	given := make([]string, len(args))
	for i, a := range args {
		var err error
		given[i], err = s.meant(a)
		ts.Check(err)
	}
	code := cli.Run(context.Background(), cli.Options{Version: "test", Out: ts.Stdout(), Err: ts.Stderr(), Getenv: func(name string) string {
		return map[string]string{"ONEPANE_URL": s.http.URL}[name]
	}}, given)
	if (code != 0) != neg {
		ts.Fatalf("onepane %s: exit code %d", strings.Join(args, " "), code)
	}
}

func (s *stage) meant(arg string) (string, error) {
	kind, title, ok := strings.Cut(arg, ":")
	if !ok || kind != "alert" && kind != "incident" && kind != "copy" {
		return arg, nil
	}
	m, err := s.titled(title)
	if err != nil {
		return "", err
	}
	switch n := len(m.Alert.Sightings); {
	case kind == "incident":
		return m.Incident, nil
	case kind == "copy" && n > 1:
		return m.Alert.Sightings[n-1].AlertID, nil
	case kind == "copy":
		return "", fmt.Errorf("nothing was folded into %q", title)
	}
	return m.Alert.ID, nil
}

// titled is the one alert with a title.
func (s *stage) titled(title string) (incident.AlertRecord, error) {
	ctx := context.Background()
	tenants, err := s.one.Store.Tenants(ctx)
	if err != nil {
		return incident.AlertRecord{}, err
	}
	var found []incident.AlertRecord
	for _, tenant := range tenants {
		page, err := s.one.Store.Alerts(ctx, tenant, query.Query{Top: 2, Where: query.Compare{Field: query.Title, Op: query.Eq, Text: title}})
		if err != nil {
			return incident.AlertRecord{}, err
		}
		found = append(found, page.Items...)
	}
	if len(found) != 1 {
		return incident.AlertRecord{}, fmt.Errorf("%d alerts are called %q, want one", len(found), title)
	}
	return found[0], nil
}
