package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
)

// parseMembers reads a body that is one JSON object. Annotations are left out.
func parseMembers(body []byte) (map[string]jsontext.Value, error) {
	var m map[string]jsontext.Value
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, fault.Errorf(fault.Invalid, "The body must be one JSON object: %w.", errorOrNull(err))
	}
	maps.DeleteFunc(m, func(name string, _ jsontext.Value) bool { return strings.Contains(name, "@odata.") })
	return m, nil
}

func errorOrNull(err error) error {
	if err == nil {
		return fault.Errorf(fault.Invalid, "it is null")
	}
	return err
}

// editableProperty is one that a PATCH may set.
type editableProperty struct {
	name string
	enum *odata.Enum // nil for free text
	set  func(*correlation.Edit, *string)
}

// What of an alert and of an incident may be set (unified-api reference, 3.1).
var (
	workProperties = []editableProperty{
		{"assignedTo", nil, func(e *correlation.Edit, v *string) { e.AssignedTo = v }},
		{"classification", graph.ClassificationEnum, func(e *correlation.Edit, v *string) { e.Classification = v }},
		{"determination", graph.DeterminationEnum, func(e *correlation.Edit, v *string) { e.Determination = v }},
	}
	alertProperties    = append(slices.Clip(workProperties), editableProperty{"status", graph.AlertStatusEnum, func(e *correlation.Edit, v *string) { e.Status = v }})
	incidentProperties = append(slices.Clip(workProperties),
		editableProperty{"status", graph.IncidentStatusEnum, func(e *correlation.Edit, v *string) { e.Status = v }},
		editableProperty{"severity", graph.SeverityEnum, func(e *correlation.Edit, v *string) { e.Severity = v }},
		editableProperty{"displayName", nil, func(e *correlation.Edit, v *string) { e.Name = v }},
		editableProperty{"description", nil, func(e *correlation.Edit, v *string) { e.Description = v }},
		editableProperty{"summary", nil, func(e *correlation.Edit, v *string) { e.Summary = v }},
		editableProperty{"resolvingComment", nil, func(e *correlation.Edit, v *string) { e.ResolvingComment = v }},
	)
)

// parseEdit reads a PATCH: what is not named stays, null clears, and what cannot be set is refused by name.
func parseEdit(m map[string]jsontext.Value, known []editableProperty, s odata.Schema) (correlation.Edit, error) {
	var e correlation.Edit
	for _, name := range slices.Sorted(maps.Keys(m)) { // of several mistakes always the same one is told
		if name == "customTags" && slices.ContainsFunc(known, func(p editableProperty) bool { return p.name == "displayName" }) {
			tags := []string{}
			if err := json.Unmarshal(m[name], &tags); err != nil {
				return e, badProperty("invalidProperty", name, "is a list of texts")
			}
			e.Tags = &tags
			continue
		}
		i := slices.IndexFunc(known, func(p editableProperty) bool { return p.name == name })
		if i < 0 {
			if slices.Contains(s.Names, name) {
				return e, badProperty("propertyNotUpdateable", name, "cannot be changed")
			}
			return e, badProperty("invalidProperty", name, "does not exist on type '"+s.Type+"'")
		}
		v, err := known[i].parseValue(m[name])
		if err != nil {
			return e, err
		}
		known[i].set(&e, &v)
	}
	return e, nil
}

// parseValue gives a property's value in the Graph's spelling, "" for null.
func (p editableProperty) parseValue(raw jsontext.Value) (string, error) {
	var v *string
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", badProperty("invalidProperty", p.name, "is a text or null")
	}
	switch {
	case v == nil && p.name == "status":
		return "", badProperty("invalidProperty", p.name, "cannot be null")
	case v == nil, *v == "" && p.enum != nil:
		return "", nil
	case p.enum == nil:
		return *v, nil
	case p.enum == graph.SeverityEnum && strings.EqualFold(*v, string(alert.Critical)): // not the Graph's word, but ours
		return string(alert.Critical), nil
	}
	if word := p.enum.Parse(*v); word != "" {
		return word, nil
	}
	return "", badProperty("invalidProperty", p.name, "cannot be '"+clipText(*v)+"'")
}

// badProperty is a 400 that names the property.
func badProperty(code, name, why string) *failure {
	f := newFailure(http.StatusBadRequest, "invalidRequest", "Property '"+clipText(name)+"' "+why+".")
	f.Target = clipText(name)
	f.Details = &[]errorDetail{{Code: code, Message: f.Message, Target: f.Target}}
	return f
}

func patchIncident(req *request) error {
	i, err := req.findIncident()
	if err != nil {
		return err
	}
	e, err := readEdit(req, incidentProperties, graph.IncidentSchema)
	if err != nil {
		return err
	}
	if _, err := req.applyAction(i.Tenant, correlation.EditIncident{ID: i.ID, Edit: e}); err != nil {
		return err
	}
	if req.wroteMinimal() {
		return nil
	}
	if i, err = req.scopedReader().Incident(req.Context(), i.Tenant, i.ID); err != nil {
		return err
	}
	req.setETag(i.Tag())
	v, err := graph.EncodeSelected(req.view.Incident(i), nil)
	if err != nil {
		return err
	}
	return req.writeItem(req.contextURL("incidents/$entity", odata.Options{}), v)
}

func patchAlert(req *request) error {
	m, err := req.findAlert()
	if err != nil {
		return err
	}
	e, err := readEdit(req, alertProperties, graph.AlertSchema)
	if err != nil {
		return err
	}
	if _, err := req.applyAction(m.Alert.Tenant, correlation.EditAlerts{IDs: []string{m.Alert.ID}, Edit: e}); err != nil {
		return err
	}
	if req.wroteMinimal() {
		return nil
	}
	if m, err = req.scopedReader().Alert(req.Context(), m.Alert.Tenant, m.Alert.ID); err != nil {
		return err
	}
	req.setETag(m.Tag())
	v, err := graph.EncodeSelected(req.view.Alert(m), nil)
	if err != nil {
		return err
	}
	return req.writeItem(req.contextURL("alerts_v2/$entity", odata.Options{}), v)
}

// readEdit reads the body of a PATCH.
func readEdit(req *request, known []editableProperty, s odata.Schema) (correlation.Edit, error) {
	body, err := req.readDocument()
	if err != nil {
		return correlation.Edit{}, err
	}
	m, err := parseMembers(body)
	if err != nil {
		return correlation.Edit{}, err
	}
	return parseEdit(m, known, s)
}
