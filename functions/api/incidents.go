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

func (c *call) listIncidents() error {
	o, err := c.options(incidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	q, err := incidentLimits.page(o)
	if err != nil {
		return err
	}
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	p, err := ask(q, o.Token, newestFirst, func(q query.Query, after *mark) (query.Page[incident.Incident], error) {
		return Service{c.reader(), after}.Incidents(c.Context(), tenants, q)
	})
	if err != nil {
		return err
	}
	budget := maxExpandedPage
	return answerPage(c, c.context("incidents", o), orderOf(q, newestFirst), o, p, func(i incident.Incident) (jsontext.Value, error) {
		return c.showIncident(i, o, &budget)
	})
}

func (c *call) countIncidents() error {
	o, err := c.options(incidentSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	p, err := c.service().Incidents(c.Context(), tenants, query.Query{Where: o.Filter, Top: 1, Count: true})
	if err != nil {
		return err
	}
	return c.answerCount(p.Total)
}

func (c *call) getIncident() error {
	o, err := c.options(incidentSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	i, err := c.service().Incident(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	c.tagged(i.Tag())
	budget := maxExpanded
	v, err := c.showIncident(i, o, &budget)
	if err != nil {
		return err
	}
	return c.answerItem(c.context("incidents/$entity", odata.Options{}), v)
}

// showIncident encodes i, with its alerts when they are asked for and as far as the budget goes.
func (c *call) showIncident(i incident.Incident, o odata.Options, budget *int) (jsontext.Value, error) {
	g := c.view.incident(i)
	if slices.Contains(o.Expand, "alerts") {
		var err error
		if g.expansion, err = c.expand(i, min(*budget, maxExpanded)); err != nil {
			return nil, err
		}
		*budget -= len(g.Alerts)
	}
	return selected(g, o.Select)
}

// expand lists up to most alerts of an incident, by first activity. What was merged into another has given its alerts away:
// listed here too, whoever polls would count each twice, and see it change where lastUpdateDateTime stands still.
func (c *call) expand(i incident.Incident, most int) (*expansion, error) {
	if i.RedirectTo != "" {
		return &expansion{Alerts: []jsontext.Value{}}, nil
	}
	p, err := c.listerOf(i).page(query.Query{Top: max(most, 1), Count: true}, nil)
	if err != nil {
		return nil, err
	}
	x := &expansion{AlertsCount: p.Total, Alerts: []jsontext.Value{}}
	for _, m := range p.Items[:min(most, len(p.Items))] {
		v, err := selected(c.view.alert(m), nil)
		if err != nil {
			return nil, err
		}
		x.Alerts = append(x.Alerts, v)
	}
	if int64(len(x.Alerts)) < p.Total {
		rest := url.Values{"$skip": {strconv.Itoa(len(x.Alerts))}, "tid": {i.Tenant}}
		x.Next = c.base() + "/v1.0/security/incidents/" + i.ID + "/alerts?" + readable(rest)
	}
	return x, nil
}
