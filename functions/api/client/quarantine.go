package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Quarantined is a record in quarantine. Headers, Body and Binary are there only when one is asked for.
type Quarantined struct {
	ID       string            `json:"id"`
	Reason   string            `json:"reason"`
	Kind     string            `json:"kind"`
	Route    string            `json:"route"`
	Provider string            `json:"provider"`
	Tenant   string            `json:"tenantId"`
	Received time.Time         `json:"received"`
	Size     int               `json:"size"` // bytes
	Cut      bool              `json:"cut"`  // only part of it was kept
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Binary   []byte            `json:"binary"`
}

// Replayed is what became of a record that was to be taken in again.
type Replayed struct {
	ID          string   `json:"id"`
	Taken       bool     `json:"taken"` // and gone from quarantine
	AlertIDs    []string `json:"alertIds"`
	ExposureIDs []string `json:"exposureIds"`
	Ignored     string   `json:"ignored"`
	Reason      string   `json:"reason"` // why it was not taken
}

const quarantine = "/api/v1/quarantine"

// Quarantine lists what is in quarantine, oldest first.
func (c *Client) Quarantine(ctx context.Context, q Query) iter.Seq2[Item[Quarantined], error] {
	return listPages[Quarantined](ctx, c.transport, quarantine, q, alertPage)
}

// Quarantined finds one record with its body.
func (c *Client) Quarantined(ctx context.Context, id string, q Query) (Item[Quarantined], error) {
	return getItem[Quarantined](ctx, c.transport, quarantine+"/"+url.PathEscape(id), q)
}

// Replay takes records in again: those named, or all when none are. It answers for each as soon as the server does.
func (c *Client) Replay(ctx context.Context, ids []string, q Query) iter.Seq2[Item[Replayed], error] {
	return func(yield func(Item[Replayed], error) bool) {
		params := url.Values{}
		if q.Tenant != "" {
			params.Set("tid", q.Tenant)
		}
		for cursor := ""; ; {
			var answer struct {
				Value  []jsontext.Value `json:"value"`
				Cursor string           `json:"cursor"`
			}
			if err := c.sendRequest(ctx, http.MethodPost, quarantine+"/replay", params, replayBody(ids, cursor), &answer); err != nil {
				yield(Item[Replayed]{}, err)
				return
			}
			for _, raw := range answer.Value {
				item, err := decodeItem[Replayed](raw)
				if !yield(item, err) || err != nil {
					return
				}
			}
			if cursor = answer.Cursor; cursor == "" {
				return
			}
		}
	}
}

func replayBody(ids []string, cursor string) []byte {
	b, err := json.Marshal(struct {
		IDs    []string `json:"ids,omitempty"`
		All    bool     `json:"all,omitzero"`
		Cursor string   `json:"cursor,omitzero"`
	}{ids, len(ids) == 0, cursor}, jsontext.AllowInvalidUTF8(true))
	if err != nil { // texts only: cannot happen
		return nil
	}
	return b
}
