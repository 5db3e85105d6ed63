package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// alertList lists alerts, all of them or those of one incident, in the order that it has unless a query asks for another.
type alertList struct {
	order []query.Order
	page  pageLister[incident.AlertRecord]
}

// alertsOfTenants lists the alerts of tenants.
func (c *request) alertsOfTenants(tenants []string) alertList {
	return alertList{newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		return Queries{c.scopedReader(), after}.Alerts(c.Context(), tenants, q)
	}}
}

func (c *request) listAlerts() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	return c.writeAlertPage("alerts_v2", c.alertsOfTenants(tenants))
}

func (c *request) countAlerts() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	return c.writeAlertCount(c.alertsOfTenants(tenants))
}

func (c *request) getAlert() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	return c.writeAlertItem("alerts_v2/$entity", func() (incident.AlertRecord, error) {
		return c.scopedQueries().Alert(c.Context(), tenants, c.PathValue("id"))
	})
}

func (c *request) listIncidentAlerts() error {
	list, i, err := c.alertsOfPath()
	if err != nil {
		return err
	}
	return c.writeAlertPage("incidents('"+i.ID+"')/alerts", list)
}

func (c *request) countIncidentAlerts() error {
	list, _, err := c.alertsOfPath()
	if err != nil {
		return err
	}
	return c.writeAlertCount(list)
}

func (c *request) getIncidentAlert() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	return c.writeAlertItem("incidents('"+c.PathValue("id")+"')/alerts/$entity", func() (incident.AlertRecord, error) {
		return c.scopedQueries().IncidentAlert(c.Context(), tenants, c.PathValue("id"), c.PathValue("aid"))
	})
}

// alertsOfPath finds the incident that the path names and lists its alerts.
func (c *request) alertsOfPath() (alertList, incident.Incident, error) {
	tenants, err := c.requestedTenants()
	if err != nil {
		return alertList{}, incident.Incident{}, err
	}
	i, err := c.scopedQueries().Incident(c.Context(), tenants, c.PathValue("id"))
	return c.alertsOfIncident(i), i, err
}

// firstActivity is the order of an incident's alerts.
var firstActivity = []query.Order{{Field: query.FirstActivity}}

func (c *request) alertsOfIncident(i incident.Incident) alertList {
	return alertList{firstActivity, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		list := func(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
			return c.scopedReader().IncidentAlerts(ctx, tenant, i.ID, q)
		}
		return listAfter(after, effectiveOrder(q, firstActivity), list)(c.Context(), i.Tenant, q)
	}}
}

func (c *request) writeAlertPage(context string, list alertList) error {
	o, err := c.parseOptions(AlertSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	q, err := graphLimits.pageQuery(o)
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, list.order, list.page)
	if err != nil {
		return err
	}
	return writePage(c, c.contextURL(context, o), effectiveOrder(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return EncodeSelected(c.view.Alert(m), o.Select)
	})
}

// writeAlertCount answers $count. Paging and order change no count and are accepted.
func (c *request) writeAlertCount(list alertList) error {
	o, err := c.parseOptions(AlertSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	p, err := list.page(query.Query{Where: o.Filter, Top: 1, Count: true}, nil)
	if err != nil {
		return err
	}
	return c.writeCount(p.Total)
}

func (c *request) writeAlertItem(context string, get func() (incident.AlertRecord, error)) error {
	o, err := c.parseOptions(AlertSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	m, err := get()
	if err != nil {
		return err
	}
	c.setETag(m.Tag())
	v, err := EncodeSelected(c.view.Alert(m), o.Select)
	if err != nil {
		return err
	}
	return c.writeItem(c.contextURL(context, odata.Options{}), v)
}

// getRawAlert answers with the provider's record as received.
func (c *request) getRawAlert() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	m, err := findInTenants(c.Context(), tenants, "alert", c.PathValue("id"), c.scopedReader().Alert)
	if err != nil {
		return err
	}
	if len(m.Alert.Raw) == 0 {
		return newFailure(http.StatusNotFound, "itemNotFound", "The provider's record of alert '"+m.Alert.ID+"' was not kept.")
	}
	c.writeResponse(http.StatusOK, "application/json; charset=utf-8", m.Alert.Raw)
	return nil
}
