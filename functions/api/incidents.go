package api

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// The bounds of $expand=alerts. What lies beyond them is one nextLink away.
const (
	maxExpanded     = 1000 // alerts of one incident
	maxExpandedPage = 2000 // alerts of all incidents of one answer
)

func (c *request) listIncidents() error {
	o, err := c.parseOptions(IncidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	q, err := incidentLimits.pageQuery(o)
	if err != nil {
		return err
	}
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.Incident], error) {
		return Queries{c.scopedReader(), after}.Incidents(c.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	budget := maxExpandedPage
	return writePage(c, c.contextURL("incidents", o), effectiveOrder(q, newestFirst), o, p, func(i incident.Incident) (jsontext.Value, error) {
		return c.encodeIncident(i, o, &budget)
	})
}

func (c *request) countIncidents() error {
	o, err := c.parseOptions(IncidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	p, err := c.scopedQueries().Incidents(c.Context(), tenants, query.Query{Where: o.Filter, Top: 1, Count: true})
	if err != nil {
		return err
	}
	return c.writeCount(p.Total)
}

func (c *request) getIncident() error {
	o, err := c.parseOptions(IncidentSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	i, err := c.scopedQueries().Incident(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	c.setETag(i.Tag())
	budget := maxExpanded
	v, err := c.encodeIncident(i, o, &budget)
	if err != nil {
		return err
	}
	return c.writeItem(c.contextURL("incidents/$entity", odata.Options{}), v)
}

// encodeIncident encodes i, with its alerts when they are asked for and as far as the budget goes.
func (c *request) encodeIncident(i incident.Incident, o odata.Options, budget *int) (jsontext.Value, error) {
	g := c.view.Incident(i)
	if slices.Contains(o.Expand, "alerts") {
		var err error
		if g.ExpandedAlerts, err = c.expandAlerts(i, min(*budget, maxExpanded)); err != nil {
			return nil, err
		}
		*budget -= len(g.Alerts)
	}
	return EncodeSelected(g, o.Select)
}

// expandAlerts lists up to most alerts of an incident, by first activity. What was merged into another has given its alerts away:
// listed here too, whoever polls would count each twice, and see it change where lastUpdateDateTime stands still.
func (c *request) expandAlerts(i incident.Incident, most int) (*ExpandedAlerts, error) {
	if i.RedirectTo != "" {
		return &ExpandedAlerts{Alerts: []jsontext.Value{}}, nil
	}
	p, err := c.alertsOfIncident(i).page(query.Query{Top: max(most, 1), Count: true}, nil)
	if err != nil {
		return nil, err
	}
	x := &ExpandedAlerts{AlertsCount: p.Total, Alerts: []jsontext.Value{}}
	for _, m := range p.Items[:min(most, len(p.Items))] {
		v, err := EncodeSelected(c.view.Alert(m), nil)
		if err != nil {
			return nil, err
		}
		x.Alerts = append(x.Alerts, v)
	}
	if int64(len(x.Alerts)) < p.Total {
		rest := url.Values{"$skip": {strconv.Itoa(len(x.Alerts))}, "tid": {i.Tenant}}
		x.Next = c.baseURL() + "/v1.0/security/incidents/" + i.ID + "/alerts?" + encodeParams(rest)
	}
	return x, nil
}
