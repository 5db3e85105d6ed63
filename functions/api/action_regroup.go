package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// regroupRequest names what to put together or take apart.
type regroupRequest struct {
	Incidents []string `json:"incidentIds"`
	Alerts    []string `json:"alertIds"`
	Comment   string   `json:"comment"`
}

// regroupResult is the answer: the incident to look at now. Changed is false for what was so already.
type regroupResult struct {
	IncidentID string         `json:"incidentId,omitzero"`
	Changed    bool           `json:"changed"`
	Notes      []string       `json:"notes,omitempty"`
	Incident   jsontext.Value `json:"incident,omitzero"`
}

// mergeIncidents merges others into the incident of the path, or it into one of them: that is not the caller's choice.
func mergeIncidents(req *request) error {
	return applyRegroup(req, `{"incidentIds":["…"]}`, func(id string, r regroupRequest) (correlation.Action, bool) {
		return correlation.Merge{IDs: append([]string{id}, r.Incidents...), Comment: r.Comment}, len(r.Incidents) > 0 && r.Alerts == nil
	})
}

// moveAlerts moves alerts into the incident of the path.
func moveAlerts(req *request) error {
	return applyRegroup(req, `{"alertIds":["…"]}`, func(id string, r regroupRequest) (correlation.Action, bool) {
		return correlation.Move{Alerts: r.Alerts, To: id, Comment: r.Comment}, len(r.Alerts) > 0 && r.Incidents == nil
	})
}

// splitIncident moves alerts of the incident of the path into a new one.
func splitIncident(req *request) error {
	return applyRegroup(req, `{"alertIds":["…"]}`, func(id string, r regroupRequest) (correlation.Action, bool) {
		return correlation.Move{Alerts: r.Alerts, From: id, Comment: r.Comment}, len(r.Alerts) > 0 && r.Incidents == nil
	})
}

func applyRegroup(req *request, shape string, action func(id string, r regroupRequest) (correlation.Action, bool)) error {
	i, err := req.findIncident()
	if err != nil {
		return err
	}
	body, err := req.readDocument()
	if err != nil {
		return err
	}
	var r regroupRequest
	err = json.Unmarshal(body, &r, json.RejectUnknownMembers(true))
	a, ok := action(i.ID, r)
	if err != nil || !ok {
		return fault.Errorf(fault.Invalid, `The body must be %s, and may have a "comment".`, shape)
	}
	done, err := req.applyAction(i.Tenant, a)
	if err != nil {
		return err
	}
	return writeRegrouped(req, i.Tenant, done)
}

// unfoldAlert makes a report that was folded into another alert an alert of its own again.
func unfoldAlert(req *request) error {
	m, err := req.findAlert() // folds followed: it tells the tenant
	if err != nil {
		return err
	}
	done, err := req.applyAction(m.Alert.Tenant, correlation.Unfold{ID: req.PathValue("id")})
	if err != nil {
		return err
	}
	return writeRegrouped(req, m.Alert.Tenant, done)
}

func writeRegrouped(req *request, tenant string, done correlation.ActionResult) error {
	out := regroupResult{IncidentID: done.Incident, Changed: done.Changed, Notes: done.Notes}
	if done.Incident != "" {
		i, err := req.scopedReader().Incident(req.Context(), tenant, done.Incident)
		if err != nil {
			return err
		}
		if out.Incident, err = graph.EncodeSelected(req.view.Incident(i), nil); err != nil {
			return err
		}
	}
	return req.writeJSON(http.StatusOK, out)
}
