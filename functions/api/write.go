package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Actions does what people decide about alerts and incidents. Act is all or nothing, and safe to repeat; what by.Note says of it is
// written with it.
type Actions interface {
	Act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error)
}

// applyAction does an action for the principal, with its entries in the audit log.
func (c *request) applyAction(tenant string, a correlation.Action) (correlation.ActionResult, error) {
	by := correlation.Actor{Name: cmp.Or(c.principal.Name, c.principal.ID), IfMatch: c.ifMatchTag()}
	by.Audit = func(records []incident.AuditRecord) (out []incident.AuditEntry, err error) {
		for _, r := range records {
			n, err := c.newAuditLine(tenant, r.Kind+" "+r.ID, r.Before, r.After)
			if err != nil {
				return nil, err
			}
			if n != nil {
				out = append(out, n.AuditEntry)
			}
		}
		return out, nil
	}
	c.audited = true // what changed nothing is no entry
	return c.tenantScope().applyAction(c.Context(), tenant, a, by)
}

// ifMatchTag is the tag that If-Match asks for, "" when anything will do.
func (c *request) ifMatchTag() string {
	m := strings.TrimPrefix(strings.TrimSpace(c.Header.Get("If-Match")), "W/")
	if m == "*" {
		return ""
	}
	return strings.Trim(m, `"`)
}

// setETag names the version of what is shown, for If-Match.
func (c *request) setETag(tag string) { c.w.Header().Set("ETag", `W/"`+tag+`"`) }

func (c *request) patchIncident() error {
	i, err := c.findIncident()
	if err != nil {
		return err
	}
	e, err := c.readEdit(incidentProperties, IncidentSchema)
	if err != nil {
		return err
	}
	if _, err := c.applyAction(i.Tenant, correlation.EditIncident{ID: i.ID, Edit: e}); err != nil {
		return err
	}
	if c.wroteMinimal() {
		return nil
	}
	if i, err = c.scopedReader().Incident(c.Context(), i.Tenant, i.ID); err != nil {
		return err
	}
	c.setETag(i.Tag())
	v, err := EncodeSelected(c.view.Incident(i), nil)
	if err != nil {
		return err
	}
	return c.writeItem(c.contextURL("incidents/$entity", odata.Options{}), v)
}

func (c *request) patchAlert() error {
	m, err := c.findAlert()
	if err != nil {
		return err
	}
	e, err := c.readEdit(alertProperties, AlertSchema)
	if err != nil {
		return err
	}
	if _, err := c.applyAction(m.Alert.Tenant, correlation.EditAlerts{IDs: []string{m.Alert.ID}, Edit: e}); err != nil {
		return err
	}
	if c.wroteMinimal() {
		return nil
	}
	if m, err = c.scopedReader().Alert(c.Context(), m.Alert.Tenant, m.Alert.ID); err != nil {
		return err
	}
	c.setETag(m.Tag())
	v, err := EncodeSelected(c.view.Alert(m), nil)
	if err != nil {
		return err
	}
	return c.writeItem(c.contextURL("alerts_v2/$entity", odata.Options{}), v)
}

// wroteMinimal answers without a body when the request prefers that.
func (c *request) wroteMinimal() bool {
	if !hasPreference(c.Header, "return=minimal") {
		return false
	}
	c.w.Header().Set("Preference-Applied", "return=minimal")
	c.answered = true
	c.w.WriteHeader(http.StatusNoContent)
	return true
}

// readEdit reads the body of a PATCH.
func (c *request) readEdit(known []editableProperty, s odata.Schema) (correlation.Edit, error) {
	body, err := c.readDocument()
	if err != nil {
		return correlation.Edit{}, err
	}
	m, err := parseMembers(body)
	if err != nil {
		return correlation.Edit{}, err
	}
	return parseEdit(m, known, s)
}

// findIncident finds the incident that the path names.
func (c *request) findIncident() (incident.Incident, error) {
	tenants, err := c.requestedTenants()
	if err != nil {
		return incident.Incident{}, err
	}
	return c.scopedQueries().Incident(c.Context(), tenants, c.PathValue("id"))
}

// findAlert finds the alert that the path names.
func (c *request) findAlert() (incident.AlertRecord, error) {
	tenants, err := c.requestedTenants()
	if err != nil {
		return incident.AlertRecord{}, err
	}
	if c.PathValue("aid") != "" {
		return c.scopedQueries().IncidentAlert(c.Context(), tenants, c.PathValue("id"), c.PathValue("aid"))
	}
	return c.scopedQueries().Alert(c.Context(), tenants, c.PathValue("id"))
}

func (c *request) commentIncident() error {
	i, err := c.findIncident()
	if err != nil {
		return err
	}
	return c.addComments("incidents('"+i.ID+"')/comments", func(e correlation.Edit) ([]incident.Comment, error) {
		if _, err := c.applyAction(i.Tenant, correlation.EditIncident{ID: i.ID, Edit: e}); err != nil {
			return nil, err
		}
		i, err := c.scopedReader().Incident(c.Context(), i.Tenant, i.ID)
		return i.Comments, err
	})
}

func (c *request) commentAlert() error {
	m, err := c.findAlert()
	if err != nil {
		return err
	}
	return c.addComments("alerts_v2('"+m.Alert.ID+"')/comments", func(e correlation.Edit) ([]incident.Comment, error) {
		if _, err := c.applyAction(m.Alert.Tenant, correlation.EditAlerts{IDs: []string{m.Alert.ID}, Edit: e}); err != nil {
			return nil, err
		}
		m, err := c.scopedReader().Alert(c.Context(), m.Alert.Tenant, m.Alert.ID)
		return m.Comments, err
	})
}

// addComments adds a comment and answers with all there are: a collection to who sends one object, as the Graph documents, and a
// bare list to who sends a list, as its Go SDK does.
func (c *request) addComments(context string, add func(correlation.Edit) ([]incident.Comment, error)) error {
	body, err := c.readDocument()
	if err != nil {
		return err
	}
	bare := jsontext.Value(body).Kind() == '['
	texts, err := commentTexts(body, bare)
	if err != nil {
		return err
	}
	var all []incident.Comment
	for _, text := range texts {
		if all, err = add(correlation.Edit{Comment: text}); err != nil {
			return err
		}
	}
	if bare {
		return c.writeJSON(http.StatusOK, CommentsOf(all))
	}
	return c.writeJSON(http.StatusOK, struct {
		Context string    `json:"@odata.context"`
		Value   []Comment `json:"value"`
	}{c.contextURL(context, odata.Options{}), CommentsOf(all)})
}

// maxCommentsSent bounds one request.
const maxCommentsSent = 20

func commentTexts(body []byte, bare bool) ([]string, error) {
	list := []jsontext.Value{body}
	if bare {
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fault.Errorf(fault.Invalid, "The body must be a comment or a list of comments: %w.", err)
		}
	}
	if len(list) == 0 || len(list) > maxCommentsSent {
		return nil, fault.Errorf(fault.Invalid, "Send 1 to %d comments.", maxCommentsSent)
	}
	var texts []string
	for _, one := range list {
		m, err := parseMembers(one)
		if err != nil {
			return nil, err
		}
		for name := range m {
			switch name {
			case "comment":
			case "createdByDisplayName", "createdDateTime":
				return nil, badProperty("propertyNotUpdateable", name, "cannot be set")
			default:
				return nil, badProperty("invalidProperty", name, "does not exist on type 'microsoft.graph.security.alertComment'")
			}
		}
		var text string
		if err := json.Unmarshal(m["comment"], &text); err != nil || strings.TrimSpace(text) == "" {
			return nil, badProperty("invalidProperty", "comment", "is a text that says something")
		}
		texts = append(texts, text)
	}
	return texts, nil
}
