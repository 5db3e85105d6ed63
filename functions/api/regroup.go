package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// regrouping names what to put together or take apart.
type regrouping struct {
	Incidents []string `json:"incidentIds"`
	Alerts    []string `json:"alertIds"`
	Comment   string   `json:"comment"`
}

// regrouped is the answer: the incident to look at now. Changed is false for what was so already.
type regrouped struct {
	IncidentID string         `json:"incidentId,omitzero"`
	Changed    bool           `json:"changed"`
	Notes      []string       `json:"notes,omitempty"`
	Incident   jsontext.Value `json:"incident,omitzero"`
}

// mergeIncidents merges others into the incident of the path, or it into one of them: that is not the caller's choice.
func (c *call) mergeIncidents() error {
	return c.regroup(`{"incidentIds":["…"]}`, func(id string, r regrouping) (correlation.Action, bool) {
		return correlation.Merge{IDs: append([]string{id}, r.Incidents...), Comment: r.Comment}, len(r.Incidents) > 0 && r.Alerts == nil
	})
}

// moveAlerts moves alerts into the incident of the path.
func (c *call) moveAlerts() error {
	return c.regroup(`{"alertIds":["…"]}`, func(id string, r regrouping) (correlation.Action, bool) {
		return correlation.Move{Alerts: r.Alerts, To: id, Comment: r.Comment}, len(r.Alerts) > 0 && r.Incidents == nil
	})
}

// splitIncident moves alerts of the incident of the path into a new one.
func (c *call) splitIncident() error {
	return c.regroup(`{"alertIds":["…"]}`, func(id string, r regrouping) (correlation.Action, bool) {
		return correlation.Move{Alerts: r.Alerts, From: id, Comment: r.Comment}, len(r.Alerts) > 0 && r.Incidents == nil
	})
}

func (c *call) regroup(shape string, action func(id string, r regrouping) (correlation.Action, bool)) error {
	i, err := c.incident()
	if err != nil {
		return err
	}
	body, err := c.document()
	if err != nil {
		return err
	}
	var r regrouping
	err = json.Unmarshal(body, &r, json.RejectUnknownMembers(true))
	a, ok := action(i.ID, r)
	if err != nil || !ok {
		return fault.Errorf(fault.Invalid, `The body must be %s, and may have a "comment".`, shape)
	}
	done, err := c.act(i.Tenant, a)
	if err != nil {
		return err
	}
	return c.answerRegrouped(i.Tenant, done)
}

// unfoldAlert makes a report that was folded into another alert an alert of its own again.
func (c *call) unfoldAlert() error {
	m, err := c.alert() // folds followed: it tells the tenant
	if err != nil {
		return err
	}
	done, err := c.act(m.Alert.Tenant, correlation.Unfold{ID: c.PathValue("id")})
	if err != nil {
		return err
	}
	return c.answerRegrouped(m.Alert.Tenant, done)
}

func (c *call) answerRegrouped(tenant string, done correlation.ActionResult) error {
	out := regrouped{IncidentID: done.Incident, Changed: done.Changed, Notes: done.Notes}
	if done.Incident != "" {
		i, err := c.reader().Incident(c.Context(), tenant, done.Incident)
		if err != nil {
			return err
		}
		if out.Incident, err = selected(c.view.incident(i), nil); err != nil {
			return err
		}
	}
	return c.json(http.StatusOK, out)
}
