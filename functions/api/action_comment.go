package api

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

func commentIncident(req *request) error {
	i, err := req.findIncident()
	if err != nil {
		return err
	}
	return addComments(req, "incidents('"+i.ID+"')/comments", func(e correlation.Edit) ([]incident.Comment, error) {
		if _, err := req.applyAction(i.Tenant, correlation.EditIncident{ID: i.ID, Edit: e}); err != nil {
			return nil, err
		}
		i, err := req.scopedReader().Incident(req.Context(), i.Tenant, i.ID)
		return i.Comments, err
	})
}

func commentAlert(req *request) error {
	m, err := req.findAlert()
	if err != nil {
		return err
	}
	return addComments(req, "alerts_v2('"+m.Alert.ID+"')/comments", func(e correlation.Edit) ([]incident.Comment, error) {
		if _, err := req.applyAction(m.Alert.Tenant, correlation.EditAlerts{IDs: []string{m.Alert.ID}, Edit: e}); err != nil {
			return nil, err
		}
		m, err := req.scopedReader().Alert(req.Context(), m.Alert.Tenant, m.Alert.ID)
		return m.Comments, err
	})
}

// addComments adds a comment and answers with all there are: a collection to who sends one object, as the Graph
// documents, and a bare list to who sends a list, as its Go SDK does.
func addComments(req *request, context string, add func(correlation.Edit) ([]incident.Comment, error)) error {
	body, err := req.readDocument()
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
		return req.writeJSON(http.StatusOK, graph.CommentsOf(all))
	}
	return req.writeJSON(http.StatusOK, struct {
		Context string          `json:"@odata.context"`
		Value   []graph.Comment `json:"value"`
	}{req.contextURL(context, odata.Options{}), graph.CommentsOf(all)})
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
