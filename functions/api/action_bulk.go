package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// maxBulk is how many things one request edits.
const maxBulk = 100

// bulkRequest edits many things alike: "set" is what a PATCH of one would be.
type bulkRequest struct {
	IDs     []string                  `json:"ids"`
	Set     map[string]jsontext.Value `json:"set"`
	Comment string                    `json:"comment"`
}

// bulkResult is what became of one thing: 200, or what its PATCH would have been answered with.
type bulkResult struct {
	ID     string     `json:"id"`
	Status int        `json:"status"`
	Error  *bulkError `json:"error,omitzero"`
}

type bulkError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitzero"`
}

func bulkIncidents(req *request) error {
	return editInBulk(req, incidentProperties, graph.IncidentSchema, func(tenants []string, id string, e correlation.Edit) error {
		i, err := req.scopedQueries().Incident(req.Context(), tenants, id)
		if err == nil {
			_, err = req.applyAction(i.Tenant, correlation.EditIncident{ID: id, Edit: e})
		}
		return err
	})
}

func bulkAlerts(req *request) error {
	return editInBulk(req, alertProperties, graph.AlertSchema, func(tenants []string, id string, e correlation.Edit) error {
		m, err := req.scopedQueries().Alert(req.Context(), tenants, id)
		if err == nil {
			_, err = req.applyAction(m.Alert.Tenant, correlation.EditAlerts{IDs: []string{id}, Edit: e})
		}
		return err
	})
}

// editInBulk edits one thing after the other and tells of each. A mistake in the request itself edits none; once
// nobody waits for the answer, no more are edited.
func editInBulk(req *request, known []editableProperty, s odata.Schema, one func(tenants []string, id string, e correlation.Edit) error) error {
	tenants, err := req.requestedTenants()
	if err != nil {
		return err
	}
	r, e, err := readBulkRequest(req, known, s)
	if err != nil {
		return err
	}
	req.audited = true
	results := make([]bulkResult, 0, len(r.IDs))
	for _, id := range r.IDs {
		out := bulkResult{ID: id, Status: http.StatusOK}
		if err := one(tenants, id, e); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			f := failureOf(err)
			out.Status, out.Error = f.status, &bulkError{f.Code, f.Message, f.Target}
		}
		results = append(results, out)
	}
	return req.writeJSON(http.StatusOK, struct {
		Value []bulkResult `json:"value"`
	}{results})
}

func readBulkRequest(req *request, known []editableProperty, s odata.Schema) (r bulkRequest, e correlation.Edit, err error) {
	body, err := req.readDocument()
	if err != nil {
		return r, e, err
	}
	if err := json.Unmarshal(body, &r, json.RejectUnknownMembers(true)); err != nil {
		return r, e, fault.Errorf(fault.Invalid, `The body must be {"ids":["…"],"set":{…},"comment":"…"}.`)
	}
	r.IDs = sortedUnique(r.IDs)
	switch {
	case len(r.IDs) == 0 || len(r.IDs) > maxBulk:
		return r, e, fault.Errorf(fault.Invalid, "Name 1 to %d ids.", maxBulk)
	case len(r.Set) == 0 && r.Comment == "":
		return r, e, fault.Errorf(fault.Invalid, `Name something to "set", or a "comment".`)
	}
	e, err = parseEdit(r.Set, known, s)
	e.Comment = r.Comment
	return r, e, err
}
