package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// alertList lists alerts, all of them or those of one incident, in the order that it has unless a query asks for
// another.
type alertList struct {
	order []query.Order
	page  pageLister[incident.AlertRecord]
}

// alertsOfTenants lists the alerts of tenants.
func alertsOfTenants(req *request, tenants []string) alertList {
	return alertList{newestFirst, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		return Queries{req.scopedReader(), after}.Alerts(req.Context(), tenants, q)
	}}
}

func listAlerts(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	return writeAlertPage(req, "alerts_v2", alertsOfTenants(req, tenants))
}

func countAlerts(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	return writeAlertCount(req, alertsOfTenants(req, tenants))
}

func getAlert(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	return writeAlertItem(req, "alerts_v2/$entity", func() (incident.AlertRecord, error) {
		return req.scopedQueries().Alert(req.Context(), tenants, req.PathValue("id"))
	})
}

func listIncidentAlerts(req *request) error {
	list, i, err := alertsOfPath(req)
	if err != nil {
		return err
	}
	return writeAlertPage(req, "incidents('"+i.ID+"')/alerts", list)
}

func countIncidentAlerts(req *request) error {
	list, _, err := alertsOfPath(req)
	if err != nil {
		return err
	}
	return writeAlertCount(req, list)
}

func getIncidentAlert(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	return writeAlertItem(req, "incidents('"+req.PathValue("id")+"')/alerts/$entity", func() (incident.AlertRecord, error) {
		return req.scopedQueries().IncidentAlert(req.Context(), tenants, req.PathValue("id"), req.PathValue("aid"))
	})
}

// alertsOfPath finds the incident that the path names and lists its alerts.
func alertsOfPath(req *request) (alertList, incident.Incident, error) {
	tenants, err := req.requestedTenants()
	if err != nil {
		return alertList{}, incident.Incident{}, err
	}
	i, err := req.scopedQueries().Incident(req.Context(), tenants, req.PathValue("id"))
	return alertsOfIncident(req, i), i, err
}

// firstActivity is the order of an incident's alerts.
var firstActivity = []query.Order{{Field: query.FirstActivity}}

func alertsOfIncident(req *request, i incident.Incident) alertList {
	return alertList{firstActivity, func(q query.Query, after *pageToken) (query.Page[incident.AlertRecord], error) {
		list := func(ctx context.Context, tenant string, q query.Query) (query.Page[incident.AlertRecord], error) {
			return req.scopedReader().IncidentAlerts(ctx, tenant, i.ID, q)
		}
		return listAfter(after, effectiveOrder(q, firstActivity), list)(req.Context(), i.Tenant, q)
	}}
}

func writeAlertPage(req *request, context string, list alertList) error {
	o, err := req.parseOptions(graph.AlertSchema, odata.ListOptions)
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
	return writePage(req, req.contextURL(context, o), effectiveOrder(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return graph.EncodeSelected(req.view.Alert(m), o.Select)
	})
}

// writeAlertCount answers $count. Paging and order change no count and are accepted.
func writeAlertCount(req *request, list alertList) error {
	o, err := req.parseOptions(graph.AlertSchema, odata.ListOptions)
	if err != nil {
		return err
	}
	p, err := list.page(query.Query{Where: o.Filter, Top: 1, Count: true}, nil)
	if err != nil {
		return err
	}
	return req.writeCount(p.Total)
}

func writeAlertItem(req *request, context string, get func() (incident.AlertRecord, error)) error {
	o, err := req.parseOptions(graph.AlertSchema, odata.ItemOptions)
	if err != nil {
		return err
	}
	m, err := get()
	if err != nil {
		return err
	}
	req.setETag(m.Tag())
	v, err := graph.EncodeSelected(req.view.Alert(m), o.Select)
	if err != nil {
		return err
	}
	return req.writeItem(req.contextURL(context, odata.Options{}), v)
}

// getRawAlert answers with the provider's record as received.
func getRawAlert(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	m, err := findInTenants(req.Context(), tenants, "alert", req.PathValue("id"), req.scopedReader().Alert)
	if err != nil {
		return err
	}
	if len(m.Alert.Raw) == 0 {
		return newFailure(http.StatusNotFound, "itemNotFound", "The provider's record of alert '"+m.Alert.ID+"' was not kept.")
	}
	req.writeResponse(http.StatusOK, "application/json; charset=utf-8", m.Alert.Raw)
	return nil
}
