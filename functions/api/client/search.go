package client

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// Hits is what a search found.
type Hits struct {
	Entities []struct {
		ID     string    `json:"id"`
		Tenant string    `json:"tenantId"`
		Kind   string    `json:"kind"`
		Name   string    `json:"name"`
		Last   time.Time `json:"lastSeen"`
		Match  Match     `json:"match"`
	} `json:"entities"`
	Incidents []struct {
		ID       string `json:"id"`
		Tenant   string `json:"tenantId"`
		Name     string `json:"displayName"`
		Severity string `json:"severity"`
		Status   string `json:"status"`
		Match    Match  `json:"match"`
	} `json:"incidents"`
	Alerts []struct {
		ID       string    `json:"id"`
		Tenant   string    `json:"tenantId"`
		Class    string    `json:"class"`
		Title    string    `json:"title"`
		Severity string    `json:"severity"`
		Incident string    `json:"incidentId"`
		Last     time.Time `json:"lastActivityDateTime"`
		Match    Match     `json:"match"`
	} `json:"alerts"`
	Complete bool `json:"complete"`
}

// Match says why something was found.
type Match struct {
	Reason  string `json:"reason"`
	Name    string `json:"name"`
	Spelled string `json:"spelled"`
	Certain bool   `json:"certain"`
}

// Search finds a thing by any of its spellings.
func (c *Client) Search(ctx context.Context, text string, q Query) (Item[Hits], error) {
	v := url.Values{"q": {text}}
	if q.Tenant != "" {
		v.Set("tid", q.Tenant)
	}
	return getItem[Hits](ctx, c, "/api/v1/search", Query{Params: v})
}

// Source is what one provider brought a tenant.
type Source struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenantId"`
	Alerts      int64     `json:"alerts"`
	Exposures   int64     `json:"exposures"`
	Last        time.Time `json:"lastDelivery"`
	Quarantined int       `json:"quarantined"`
	LastError   *struct {
		Reason string    `json:"reason"`
		Time   time.Time `json:"time"`
	} `json:"lastError"`
}

// Sources lists what each provider brought each tenant.
func (c *Client) Sources(ctx context.Context, q Query) iter.Seq2[Item[Source], error] {
	return listPages[Source](ctx, c, "/api/v1/sources", Query{Tenant: q.Tenant, Top: q.Top}, alertPage)
}
