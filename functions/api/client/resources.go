package client

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// Incident is an incident as far as Onepane's own tools read it; Item.JSON has all of it.
type Incident struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenantId"`
	Name        string    `json:"displayName"`
	Severity    string    `json:"severity"`
	Priority    int       `json:"priorityScore"` // 0 to 100
	Status      string    `json:"status"`
	AssignedTo  string    `json:"assignedTo"`
	RedirectTo  string    `json:"redirectIncidentId"`
	Description string    `json:"description"`
	URL         string    `json:"incidentWebUrl"`
	Created     time.Time `json:"createdDateTime"`
	Updated     time.Time `json:"lastUpdateDateTime"`
	More        struct {
		Alerts     int            `json:"alertCount"`
		Severity   string         `json:"severity"` // "critical", when it is
		Assets     []Asset        `json:"assets"`
		AssetCount int            `json:"assetCount"`
		Clouds     []string       `json:"clouds"`
		Products   []string       `json:"products"`
		Tactics    []string       `json:"tactics"`
		First      time.Time      `json:"firstActivity"`
		Last       time.Time      `json:"lastActivity"`
		Exposures  int            `json:"openExposures"`
		Priority   []PriorityPart `json:"priority"`
	} `json:"additionalData"`
}

// PriorityPart is one thing that makes an incident's priority.
type PriorityPart struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
	Most   int    `json:"most"`
	Why    string `json:"why"`
}

// Asset is a thing of the tenant's own that an incident touches.
type Asset struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Value string `json:"value"`
	Cloud string `json:"cloud"`
}

// Alert is an alert as far as Onepane's own tools read it.
type Alert struct {
	ID          string            `json:"id"`
	Incident    string            `json:"incidentId"`
	Tenant      string            `json:"tenantId"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Severity    string            `json:"severity"`
	Status      string            `json:"status"`
	Category    string            `json:"category"`
	Product     string            `json:"productName"`
	First       time.Time         `json:"firstActivityDateTime"`
	Last        time.Time         `json:"lastActivityDateTime"`
	More        map[string]string `json:"additionalData"`
}

// AlertReasons is one alert of an incident with why it belongs there.
type AlertReasons struct {
	AlertID  string    `json:"alertId"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"`
	Time     time.Time `json:"time"`
	Category string    `json:"category"`
	Product  string    `json:"productName"`
	Cloud    string    `json:"cloud"`
	Reasons  []Reason  `json:"reasons"`
	// Merged says why the incident that this alert had opened became part of this one; nil unless it did.
	Merged *struct {
		Incident string `json:"incidentId"`
		AlertID  string `json:"alertId"` // the alert that linked both; empty when a person merged them
		Because  Reason `json:"because"`
	} `json:"merged"`
	Sightings []Sighting `json:"sightings"`
}

// Sighting is another product's copy of an alert.
type Sighting struct {
	AlertID string `json:"alertId"`
	Product string `json:"product"`
	Rule    string `json:"rule"`
}

// Reason is one link between an alert and an earlier one.
type Reason struct {
	Rule    string  `json:"rule"`
	AlertID string  `json:"alertId"`
	Entity  string  `json:"entity"`
	Name    string  `json:"name"`
	Weight  float64 `json:"weight"` // 0 to 1
	Gap     float64 `json:"gapSeconds"`
}

// Exposure is a posture finding.
type Exposure struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenantId"`
	Title     string    `json:"title"`
	Severity  string    `json:"severity"`
	Status    string    `json:"status"`
	Resources []string  `json:"resources"`
	Account   string    `json:"account"`
	Source    string    `json:"source"`
	Assets    []string  `json:"assets"` // of an incident's exposure: which of its things it is about
	LastSeen  time.Time `json:"lastSeen"`
}

// Status tells how far the server has come.
type Status struct {
	Bus struct {
		Pending      int64 `json:"pending"`
		DeadLettered int64 `json:"deadLettered"`
	} `json:"bus"`
	Store struct {
		Alerts    int64 `json:"alerts"`
		Exposures int64 `json:"exposures"`
		Incidents int64 `json:"incidents"`
	} `json:"store"`
	Version string `json:"version"`
}

const (
	security  = "/v1.0/security"
	incidents = security + "/incidents"
	alerts    = security + "/alerts_v2"
)

// How many items a page is asked for.
const (
	incidentPage = 50
	alertPage    = 200
)

// Incidents lists incidents, newest first unless q orders otherwise.
func (c *Client) Incidents(ctx context.Context, q Query) iter.Seq2[Item[Incident], error] {
	return listPages[Incident](ctx, c.transport, incidents, q, incidentPage)
}

// Incident finds one incident.
func (c *Client) Incident(ctx context.Context, id string, q Query) (Item[Incident], error) {
	return getItem[Incident](ctx, c.transport, incidents+"/"+url.PathEscape(id), q)
}

// Alerts lists alerts, newest first unless q orders otherwise.
func (c *Client) Alerts(ctx context.Context, q Query) iter.Seq2[Item[Alert], error] {
	return listPages[Alert](ctx, c.transport, alerts, q, alertPage)
}

// Alert finds one alert.
func (c *Client) Alert(ctx context.Context, id string, q Query) (Item[Alert], error) {
	return getItem[Alert](ctx, c.transport, alerts+"/"+url.PathEscape(id), q)
}

// IncidentAlerts lists an incident's alerts, by first activity unless q orders otherwise.
func (c *Client) IncidentAlerts(ctx context.Context, id string, q Query) iter.Seq2[Item[Alert], error] {
	return listPages[Alert](ctx, c.transport, incidents+"/"+url.PathEscape(id)+"/alerts", q, alertPage)
}

// IncidentExposures lists the open exposures of what an incident touches, the gravest first.
func (c *Client) IncidentExposures(ctx context.Context, id string, q Query) iter.Seq2[Item[Exposure], error] {
	return listPages[Exposure](ctx, c.transport, "/api/v1/incidents/"+url.PathEscape(id)+"/exposures", q, alertPage)
}

// Story lists an incident's alerts in time order, each with why it belongs.
func (c *Client) Story(ctx context.Context, id string, q Query) iter.Seq2[Item[AlertReasons], error] {
	return listPages[AlertReasons](ctx, c.transport, "/api/v1/incidents/"+url.PathEscape(id)+"/reasons", q, alertPage)
}

// Exposures lists posture findings, of one resource unless it is empty.
func (c *Client) Exposures(ctx context.Context, resource string, q Query) iter.Seq2[Item[Exposure], error] {
	if resource != "" {
		q.Params = url.Values{"resource": {resource}}
	}
	return listPages[Exposure](ctx, c.transport, "/api/v1/exposures", q, alertPage)
}

// Status asks how far the server has come.
func (c *Client) Status(ctx context.Context) (Item[Status], error) {
	return getItem[Status](ctx, c.transport, "/api/v1/status", Query{})
}

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
	return getItem[Hits](ctx, c.transport, "/api/v1/search", Query{Params: v})
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
	return listPages[Source](ctx, c.transport, "/api/v1/sources", Query{Tenant: q.Tenant, Top: q.Top}, alertPage)
}
