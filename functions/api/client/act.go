package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Edit is what to write on an alert or incident, by the API's property names; nil clears.
type Edit map[string]any

// Regrouped is what became of a merge, a move, a split or an unfold.
type Regrouped struct {
	IncidentID string   `json:"incidentId"` // the incident to look at now
	Changed    bool     `json:"changed"`    // false when it was so already
	Notes      []string `json:"notes"`      // what was left undone
	Incident   Incident `json:"incident"`
}

// EditIncident edits an incident and gives it as it is then.
func (c *Client) EditIncident(ctx context.Context, id string, e Edit, q Query) (Item[Incident], error) {
	return sendEdit[Incident](ctx, c.transport, http.MethodPatch, incidents+"/"+url.PathEscape(id), e, q)
}

// EditAlert edits an alert and gives it as it is then.
func (c *Client) EditAlert(ctx context.Context, id string, e Edit, q Query) (Item[Alert], error) {
	return sendEdit[Alert](ctx, c.transport, http.MethodPatch, alerts+"/"+url.PathEscape(id), e, q)
}

// CommentIncident adds a comment to an incident.
func (c *Client) CommentIncident(ctx context.Context, id, text string, q Query) error {
	_, err := sendEdit[jsontext.Value](ctx, c.transport, http.MethodPost, incidents+"/"+url.PathEscape(id)+"/comments", Edit{"comment": text}, q)
	return err
}

// CommentAlert adds a comment to an alert.
func (c *Client) CommentAlert(ctx context.Context, id, text string, q Query) error {
	_, err := sendEdit[jsontext.Value](ctx, c.transport, http.MethodPost, alerts+"/"+url.PathEscape(id)+"/comments", Edit{"comment": text}, q)
	return err
}

// Merge merges other incidents with one. Which of them goes on is the server's choice.
func (c *Client) Merge(ctx context.Context, id string, others []string, comment string, q Query) (Item[Regrouped], error) {
	return sendEdit[Regrouped](ctx, c.transport, http.MethodPost, "/api/v1/incidents/"+url.PathEscape(id)+"/merge", Edit{"incidentIds": others, "comment": comment}, q)
}

// Move moves alerts into an incident.
func (c *Client) Move(ctx context.Context, alertIDs []string, to, comment string, q Query) (Item[Regrouped], error) {
	return sendEdit[Regrouped](ctx, c.transport, http.MethodPost, "/api/v1/incidents/"+url.PathEscape(to)+"/move", Edit{"alertIds": alertIDs, "comment": comment}, q)
}

// Split moves alerts of an incident into a new one.
func (c *Client) Split(ctx context.Context, id string, alertIDs []string, comment string, q Query) (Item[Regrouped], error) {
	return sendEdit[Regrouped](ctx, c.transport, http.MethodPost, "/api/v1/incidents/"+url.PathEscape(id)+"/split", Edit{"alertIds": alertIDs, "comment": comment}, q)
}

// Unfold makes a report that was folded into another alert an alert of its own again.
func (c *Client) Unfold(ctx context.Context, id string, q Query) (Item[Regrouped], error) {
	return sendEdit[Regrouped](ctx, c.transport, http.MethodPost, "/api/v1/alerts/"+url.PathEscape(id)+"/unfold", Edit{}, q)
}

// sendEdit sends a write and reads what the server answers.
func sendEdit[T any](ctx context.Context, t *transport, method, path string, body Edit, q Query) (Item[T], error) {
	b, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return Item[T]{}, err
	}
	params := url.Values{}
	if q.Tenant != "" {
		params.Set("tid", q.Tenant)
	}
	var raw jsontext.Value
	if err := t.sendRequest(ctx, method, path, params, b, &raw); err != nil {
		return Item[T]{}, err
	}
	return decodeItem[T](raw)
}
