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
	page  pager[incident.AlertRecord]
}

// allAlerts lists the alerts of tenants.
func (c *call) allAlerts(tenants []string) alertList {
	return alertList{newestFirst, func(q query.Query, after *mark) (query.Page[incident.AlertRecord], error) {
		return Service{c.reader(), after}.Alerts(c.Context(), tenants, q)
	}}
}

func (c *call) listAlerts() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	return c.alertPage("alerts_v2", c.allAlerts(tenants))
}

func (c *call) countAlerts() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	return c.alertCount(c.allAlerts(tenants))
}

func (c *call) getAlert() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	return c.alertItem("alerts_v2/$entity", func() (incident.AlertRecord, error) {
		return c.service().Alert(c.Context(), tenants, c.PathValue("id"))
	})
}

func (c *call) listIncidentAlerts() error {
	list, i, err := c.alertsOf()
	if err != nil {
		return err
	}
	return c.alertPage("incidents('"+i.ID+"')/alerts", list)
}

func (c *call) countIncidentAlerts() error {
	list, _, err := c.alertsOf()
	if err != nil {
		return err
	}
	return c.alertCount(list)
}

func (c *call) getIncidentAlert() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	return c.alertItem("incidents('"+c.PathValue("id")+"')/alerts/$entity", func() (incident.AlertRecord, error) {
		return c.service().IncidentAlert(c.Context(), tenants, c.PathValue("id"), c.PathValue("aid"))
	})
}

// alertsOf finds the incident that the path names and lists its alerts.
func (c *call) alertsOf() (alertList, incident.Incident, error) {
	tenants, err := c.tenants()
	if err != nil {
		return alertList{}, incident.Incident{}, err
	}
	i, err := c.service().Incident(c.Context(), tenants, c.PathValue("id"))
	return c.listerOf(i), i, err
}

// firstActivity is the order of an incident's alerts.
var firstActivity = []query.Order{{Field: query.FirstActivity}}

func (c *call) listerOf(i incident.Incident) alertList {
	return alertList{firstActivity, func(q query.Query, after *mark) (query.Page[incident.AlertRecord], error) {
		list := func(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
			return c.reader().IncidentAlerts(ctx, tenant, i.ID, q)
		}
		return from(after, orderOf(q, firstActivity), list)(c.Context(), i.Tenant, q)
	}}
}

func (c *call) alertPage(context string, list alertList) error {
	o, err := c.options(alertSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	q, err := graphLimits.page(o)
	if err != nil {
		return err
	}
	p, err := ask(q, o.Token, list.order, list.page)
	if err != nil {
		return err
	}
	return answerPage(c, c.context(context, o), orderOf(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return selected(c.view.alert(m), o.Select)
	})
}

// alertCount answers $count. Paging and order change no count and are accepted.
func (c *call) alertCount(list alertList) error {
	o, err := c.options(alertSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	p, err := list.page(query.Query{Where: o.Filter, Top: 1, Count: true}, nil)
	if err != nil {
		return err
	}
	return c.answerCount(p.Total)
}

func (c *call) alertItem(context string, get func() (incident.AlertRecord, error)) error {
	o, err := c.options(alertSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	m, err := get()
	if err != nil {
		return err
	}
	c.tagged(m.Tag())
	v, err := selected(c.view.alert(m), o.Select)
	if err != nil {
		return err
	}
	return c.answerItem(c.context(context, odata.Options{}), v)
}

// getRaw answers with the provider's record as received.
func (c *call) getRaw() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	m, err := find(c.Context(), tenants, "alert", c.PathValue("id"), c.reader().Alert)
	if err != nil {
		return err
	}
	if len(m.Alert.Raw) == 0 {
		return fail(http.StatusNotFound, "itemNotFound", "The provider's record of alert '"+m.Alert.ID+"' was not kept.")
	}
	c.write(http.StatusOK, "application/json; charset=utf-8", m.Alert.Raw)
	return nil
}
