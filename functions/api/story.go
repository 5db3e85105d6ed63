package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/incident"
)

// AlertReasons says why one alert is in its incident.
type AlertReasons struct {
	AlertID     string       `json:"alertId"`
	Title       string       `json:"title"`
	Severity    string       `json:"severity"` // critical kept apart
	Time        Timestamp    `json:"time"`     // first activity
	Category    string       `json:"category"`
	DetectorID  Nullable     `json:"detectorId"`
	ProductName Nullable     `json:"productName"`
	Cloud       Nullable     `json:"cloud"`
	Reasons     []linkReason `json:"reasons"` // empty for the alert that opened the incident, or one that was merged into it
	// Merged says why the incident that this alert had opened was merged into this one.
	Merged     *mergeReason     `json:"merged,omitzero"`
	Sightings  []foldedSighting `json:"sightings,omitempty"` // other products' copies that were folded into it
	IncidentID Nullable         `json:"incidentId"`
}

// linkReason is one tie to an earlier alert.
type linkReason struct {
	Rule       string  `json:"rule"`
	AlertID    string  `json:"alertId,omitzero"`
	Entity     string  `json:"entity,omitzero"`
	Name       string  `json:"name,omitzero"`
	Weight     float64 `json:"weight"`
	GapSeconds float64 `json:"gapSeconds"`
}

// mergeReason is why an incident became part of another.
type mergeReason struct {
	IncidentID string     `json:"incidentId"`       // the one that went
	AlertID    string     `json:"alertId,omitzero"` // the alert that tied both; none when a person merged them
	Because    linkReason `json:"because,omitzero"` // its tie to the one that went
}

// foldedSighting is a copy of an alert by another product.
type foldedSighting struct {
	AlertID string `json:"alertId"`
	Product string `json:"product"`
	Title   string `json:"title,omitzero"`
	Rule    string `json:"rule,omitzero"` // how it was recognized
}

// listReasons tells an incident's alerts in time order, each with why it belongs.
func (c *request) listReasons() error {
	list, i, err := c.alertsOfPath()
	if err != nil {
		return err
	}
	o, err := c.parseOptions(AlertSchema, []string{"$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	p, err := queryPage(q, o.Token, list.order, list.page)
	if err != nil {
		return err
	}
	return writePage(c, "", effectiveOrder(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return json.Marshal(AlertReasonsOf(i, m), encoding)
	})
}

func AlertReasonsOf(i incident.Incident, m incident.AlertRecord) AlertReasons {
	ch := AlertReasons{
		AlertID: m.Alert.ID, Title: m.Alert.Title, Severity: string(m.Alert.Severity), Time: Timestamp(m.Alert.First),
		Category: categoryOf(m), DetectorID: Nullable(m.Alert.Type), ProductName: Nullable(m.Alert.Product),
		Cloud: Nullable(m.Alert.Account.Cloud), Reasons: []linkReason{}, IncidentID: Nullable(m.Incident),
	}
	for _, r := range m.Reasons {
		ch.Reasons = append(ch.Reasons, linkReasonOf(r))
	}
	for _, g := range i.Mergers {
		if g.Opener == m.Alert.ID {
			ch.Merged = &mergeReason{g.Incident, g.Alert, linkReasonOf(g.Because)}
		}
	}
	for _, s := range m.Alert.Sightings {
		if s.AlertID != m.Alert.ID || s.Reporter != m.Alert.Reporter {
			ch.Sightings = append(ch.Sightings, foldedSighting{s.AlertID, s.Reporter, s.Title, s.Rule})
		}
	}
	return ch
}

func linkReasonOf(r incident.Reason) linkReason {
	return linkReason{r.Rule, r.Alert, r.Entity, r.Name, r.Weight, r.Gap.Seconds()}
}

// assetList is what an incident touches, under the portal's categories. Count is that of all assets, also those beyond
// what the lists hold.
type assetList struct {
	Count          int     `json:"count"`
	Devices        []Asset `json:"devices"`
	Users          []Asset `json:"users"`
	Mailboxes      []Asset `json:"mailboxes"`
	Apps           []Asset `json:"apps"`
	CloudResources []Asset `json:"cloudResources"`
}

func (c *request) listAssets() error {
	tenants, err := c.requestedTenants()
	if err != nil {
		return err
	}
	i, err := c.scopedQueries().Incident(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	by := map[string][]Asset{}
	for _, a := range AssetsOf(i.Assets) {
		by[a.Category] = append(by[a.Category], a)
	}
	return c.writeJSON(http.StatusOK, assetList{
		max(i.AssetCount, len(i.Assets)), NonNil(by[deviceAssets]), NonNil(by[userAssets]), NonNil(by[mailboxAssets]), NonNil(by[appAssets]), NonNil(by[resourceAssets]),
	})
}
