package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/incident"
)

// chapter says why one alert is in its incident.
type chapter struct {
	AlertID     string    `json:"alertId"`
	Title       string    `json:"title"`
	Severity    string    `json:"severity"` // critical kept apart
	Time        stamp     `json:"time"`     // first activity
	Category    string    `json:"category"`
	DetectorID  nullable  `json:"detectorId"`
	ProductName nullable  `json:"productName"`
	Cloud       nullable  `json:"cloud"`
	Reasons     []because `json:"reasons"` // empty for the alert that opened the incident, or one that was merged into it
	// Merged says why the incident that this alert had opened was merged into this one.
	Merged     *mergedBecause `json:"merged,omitzero"`
	Sightings  []sightingOf   `json:"sightings,omitempty"` // other products' copies that were folded into it
	IncidentID nullable       `json:"incidentId"`
}

// because is one tie to an earlier alert.
type because struct {
	Rule       string  `json:"rule"`
	AlertID    string  `json:"alertId,omitzero"`
	Entity     string  `json:"entity,omitzero"`
	Name       string  `json:"name,omitzero"`
	Weight     float64 `json:"weight"`
	GapSeconds float64 `json:"gapSeconds"`
}

// mergedBecause is why an incident became part of another.
type mergedBecause struct {
	IncidentID string  `json:"incidentId"`       // the one that went
	AlertID    string  `json:"alertId,omitzero"` // the alert that tied both; none when a person merged them
	Because    because `json:"because,omitzero"` // its tie to the one that went
}

// sightingOf is a copy of an alert by another product.
type sightingOf struct {
	AlertID string `json:"alertId"`
	Product string `json:"product"`
	Title   string `json:"title,omitzero"`
	Rule    string `json:"rule,omitzero"` // how it was recognized
}

// listReasons tells an incident's alerts in time order, each with why it belongs.
func (c *call) listReasons() error {
	list, i, err := c.alertsOf()
	if err != nil {
		return err
	}
	o, err := c.options(alertSchema, []string{"$top", "$skip", "$skiptoken", "$count"})
	if err != nil {
		return err
	}
	q, err := alertLimits.page(o)
	if err != nil {
		return err
	}
	p, err := ask(q, o.Token, list.order, list.page)
	if err != nil {
		return err
	}
	return answerPage(c, "", orderOf(q, list.order), o, p, func(m incident.AlertRecord) (jsontext.Value, error) {
		return json.Marshal(chapterOf(i, m), encoding)
	})
}

func chapterOf(i incident.Incident, m incident.AlertRecord) chapter {
	ch := chapter{
		AlertID: m.Alert.ID, Title: m.Alert.Title, Severity: string(m.Alert.Severity), Time: stamp(m.Alert.First),
		Category: category(m), DetectorID: nullable(m.Alert.Type), ProductName: nullable(m.Alert.Product),
		Cloud: nullable(m.Alert.Account.Cloud), Reasons: []because{}, IncidentID: nullable(m.Incident),
	}
	for _, r := range m.Reasons {
		ch.Reasons = append(ch.Reasons, becauseOf(r))
	}
	for _, g := range i.Mergers {
		if g.Opener == m.Alert.ID {
			ch.Merged = &mergedBecause{g.Incident, g.Alert, becauseOf(g.Because)}
		}
	}
	for _, s := range m.Alert.Sightings {
		if s.AlertID != m.Alert.ID || s.Reporter != m.Alert.Reporter {
			ch.Sightings = append(ch.Sightings, sightingOf{s.AlertID, s.Reporter, s.Title, s.Rule})
		}
	}
	return ch
}

func becauseOf(r incident.Reason) because {
	return because{r.Rule, r.Alert, r.Entity, r.Name, r.Weight, r.Gap.Seconds()}
}

// assetList is what an incident touches, under the portal's categories. Count is that of all assets, also those beyond
// what the lists hold.
type assetList struct {
	Count          int         `json:"count"`
	Devices        []assetFact `json:"devices"`
	Users          []assetFact `json:"users"`
	Mailboxes      []assetFact `json:"mailboxes"`
	Apps           []assetFact `json:"apps"`
	CloudResources []assetFact `json:"cloudResources"`
}

func (c *call) listAssets() error {
	tenants, err := c.tenants()
	if err != nil {
		return err
	}
	i, err := c.service().Incident(c.Context(), tenants, c.PathValue("id"))
	if err != nil {
		return err
	}
	by := map[string][]assetFact{}
	for _, a := range assets(i.Assets) {
		by[a.Category] = append(by[a.Category], a)
	}
	return c.json(http.StatusOK, assetList{
		max(i.AssetCount, len(i.Assets)), some(by[devices]), some(by[users]), some(by[mailboxes]), some(by[apps]), some(by[cloudResources]),
	})
}
