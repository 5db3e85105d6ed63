package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// exposedAsset is an open exposure of things that an incident touches.
type exposedAsset struct {
	graph.Exposure
	Assets []string `json:"assets"` // the things, as the incident names them
}

// exposureList is what is open on an incident's assets, the gravest first.
type exposureList struct {
	Value []exposedAsset `json:"value"`
}

// listIncidentExposures shows posture findings as context: no part of the attack, but what it may have used.
func listIncidentExposures(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	i, err := req.scopedQueries().survivorOf(req.Context(), tenants, req.PathValue("id"))
	if err != nil {
		return err
	}
	out := exposureList{Value: []exposedAsset{}}
	at := map[string]int{}
	for _, x := range i.Exposures {
		if n, shown := at[x.ID]; shown {
			out.Value[n].Assets = append(out.Value[n].Assets, assetName(i, x.Asset))
			continue
		}
		m, err := req.scopedQueries().Exposure(req.Context(), []string{i.Tenant}, x.ID)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		if err != nil || graph.StatusOf(m) == alert.StatusResolved { // forgotten by the store, or closed by a person
			continue
		}
		at[x.ID] = len(out.Value)
		out.Value = append(out.Value, exposedAsset{graph.ExposureOf(m), []string{assetName(i, x.Asset)}})
	}
	return req.writeJSON(http.StatusOK, out)
}

// assetName is what people call one of an incident's assets.
func assetName(i incident.Incident, key string) string {
	for _, a := range i.Assets {
		if a.Key == key {
			return a.Name
		}
	}
	return key
}

// listReasons tells an incident's alerts in time order, each with why it belongs.
func listReasons(req *request) error {
	list, i, err := alertsOfPath(req)
	if err != nil {
		return err
	}
	o, err := req.parseOptions(graph.AlertSchema, []string{"$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, list.order, list.page)
	if err != nil {
		return err
	}
	return writePage(req, "", effectiveOrder(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return json.Marshal(graph.AlertReasonsOf(i, m), graph.Encoding)
	})
}

func listAssets(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	i, err := req.scopedQueries().Incident(req.Context(), tenants, req.PathValue("id"))
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, graph.AssetsByCategoryOf(i))
}

// getIncidentGraph draws the first alerts of an incident with what links them. Entities are those that reasons name;
// what an alert names besides is with the alert.
func getIncidentGraph(req *request) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	i, err := req.scopedQueries().survivorOf(req.Context(), tenants, req.PathValue("id"))
	if err != nil {
		return err
	}
	p, err := alertsOfIncident(req, i).page(query.Query{Top: maxGraphAlerts}, nil)
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, graph.DrawStory(i, p.Items, p.More))
}

// maxGraphAlerts is how many alerts a graph shows: more is no drawing.
const maxGraphAlerts = 500
