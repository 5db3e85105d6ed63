package api

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// The bounds of $expand=alerts. What lies beyond them is one nextLink away.
const (
	maxExpanded     = 1000 // alerts of one incident
	maxExpandedPage = 2000 // alerts of all incidents of one answer
)

func listIncidents(req *request) error {
	o, err := req.parseOptions(graph.IncidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	q, err := incidentLimits.pageQuery(o)
	if err != nil {
		return err
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.Incident], error) {
		return Queries{req.scopedReader(), after}.Incidents(req.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	budget := maxExpandedPage
	return writePage(req, req.contextURL("incidents", o), effectiveOrder(q, newestFirst), o, p, func(i incident.Incident) (jsontext.Value, error) {
		return encodeIncident(req, i, o, &budget)
	})
}

func countIncidents(req *request) error {
	o, err := req.parseOptions(graph.IncidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	p, err := req.scopedQueries().Incidents(req.Context(), tenants, query.Query{Where: o.Filter, Top: 1, Count: true})
	if err != nil {
		return err
	}
	return req.writeCount(p.Total)
}

func getIncident(req *request) error {
	o, err := req.parseOptions(graph.IncidentSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	i, err := req.scopedQueries().Incident(req.Context(), tenants, req.PathValue("id"))
	if err != nil {
		return err
	}
	req.setETag(i.Tag())
	budget := maxExpanded
	v, err := encodeIncident(req, i, o, &budget)
	if err != nil {
		return err
	}
	return req.writeItem(req.contextURL("incidents/$entity", odata.Options{}), v)
}

// encodeIncident encodes i, with its alerts when they are asked for and as far as the budget goes.
func encodeIncident(req *request, i incident.Incident, o odata.Options, budget *int) (jsontext.Value, error) {
	g := req.view.Incident(i)
	if slices.Contains(o.Expand, "alerts") {
		var err error
		if g.ExpandedAlerts, err = expandAlerts(req, i, min(*budget, maxExpanded)); err != nil {
			return nil, err
		}
		*budget -= len(g.Alerts)
	}
	return graph.EncodeSelected(g, o.Select)
}

// expandAlerts lists up to most alerts of an incident, by first activity. What was merged into another has given its
// alerts away: listed here too, whoever polls would count each twice, and see it change where lastUpdateDateTime
// stands still.
func expandAlerts(req *request, i incident.Incident, most int) (*graph.ExpandedAlerts, error) {
	if i.RedirectTo != "" {
		return &graph.ExpandedAlerts{Alerts: []jsontext.Value{}}, nil
	}
	p, err := alertsOfIncident(req, i).page(query.Query{Top: max(most, 1), Count: true}, nil)
	if err != nil {
		return nil, err
	}
	x := &graph.ExpandedAlerts{AlertsCount: p.Total, Alerts: []jsontext.Value{}}
	for _, m := range p.Items[:min(most, len(p.Items))] {
		v, err := graph.EncodeSelected(req.view.Alert(m), nil)
		if err != nil {
			return nil, err
		}
		x.Alerts = append(x.Alerts, v)
	}
	if int64(len(x.Alerts)) < p.Total {
		rest := url.Values{"$skip": {strconv.Itoa(len(x.Alerts))}, "tid": {i.Tenant}}
		x.Next = req.baseURL() + "/v1.0/security/incidents/" + i.ID + "/alerts?" + encodeParams(rest)
	}
	return x, nil
}
