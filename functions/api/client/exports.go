package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api"
)

// Export is one way out and how it does.
type Export = api.Export

// ExportRun is a range that is sent on demand.
type ExportRun = api.ExportRun

// Delivery is one record's fate.
type Delivery = api.Delivery

const exports = "/api/v1/exports"

// Exports are the server's ways out.
type Exports struct{ *transport }

// List gives all of them.
func (e Exports) List(ctx context.Context, q Query) iter.Seq2[Item[Export], error] {
	return listPages[Export](ctx, e.transport, exports, Query{Tenant: q.Tenant, Top: q.Top}, alertPage)
}

// Find gives one.
func (e Exports) Find(ctx context.Context, id string) (Item[Export], error) {
	return getItem[Export](ctx, e.transport, exports+"/"+url.PathEscape(id), Query{})
}

// Run begins to send what last changed in a range; a zero end is now.
func (e Exports) Run(ctx context.Context, id string, since, until time.Time) (Item[ExportRun], error) {
	body, err := json.Marshal(struct {
		Since time.Time `json:"since"`
		Until time.Time `json:"until,omitzero"`
	}{since, until})
	if err != nil {
		return Item[ExportRun]{}, err
	}
	var raw jsontext.Value
	if err := e.sendRequest(ctx, http.MethodPost, exports+"/"+url.PathEscape(id)+"/run", nil, body, &raw); err != nil {
		return Item[ExportRun]{}, err
	}
	return decodeItem[ExportRun](raw)
}

// Deliveries lists what an export sent last and what it set aside, the newest first.
func (e Exports) Deliveries(ctx context.Context, id string) iter.Seq2[Item[Delivery], error] {
	return listPages[Delivery](ctx, e.transport, exports+"/"+url.PathEscape(id)+"/deliveries", Query{}, alertPage)
}

// ReplayDelivery sends the thing of one delivery again, as it is now. What the receiver does not take is an Error
// with its reason.
func (e Exports) ReplayDelivery(ctx context.Context, id, delivery string) (jsontext.Value, error) {
	var raw jsontext.Value
	err := e.sendRequest(ctx, http.MethodPost, exports+"/"+url.PathEscape(id)+"/deliveries/"+url.PathEscape(delivery)+"/replay", nil, nil, &raw)
	return raw, err
}
