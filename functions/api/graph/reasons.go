package graph

import (
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
	Reasons     []LinkReason `json:"reasons"` // empty for the alert that opened the incident, or one that was merged into it
	// Merged says why the incident that this alert had opened was merged into this one.
	Merged     *MergeReason `json:"merged,omitzero"`
	Sightings  []Sighting   `json:"sightings,omitempty"` // other products' copies that were folded into it
	IncidentID Nullable     `json:"incidentId"`
}

// LinkReason is one link to an earlier alert.
type LinkReason struct {
	Rule       string  `json:"rule"`
	AlertID    string  `json:"alertId,omitzero"`
	Entity     string  `json:"entity,omitzero"`
	Name       string  `json:"name,omitzero"`
	Weight     float64 `json:"weight"`
	GapSeconds float64 `json:"gapSeconds"`
}

// MergeReason is why an incident became part of another.
type MergeReason struct {
	IncidentID string     `json:"incidentId"`       // the one that went
	AlertID    string     `json:"alertId,omitzero"` // the alert that linked both; none when a person merged them
	Because    LinkReason `json:"because,omitzero"` // its link to the one that went
}

// Sighting is a copy of an alert by another product.
type Sighting struct {
	AlertID string `json:"alertId"`
	Product string `json:"product"`
	Title   string `json:"title,omitzero"`
	Rule    string `json:"rule,omitzero"` // how it was recognized
}

func AlertReasonsOf(i incident.Incident, m incident.AlertRecord) AlertReasons {
	ch := AlertReasons{
		AlertID: m.Alert.ID, Title: m.Alert.Title, Severity: string(m.Alert.Severity), Time: Timestamp(m.Alert.First),
		Category: categoryOf(m), DetectorID: Nullable(m.Alert.Type), ProductName: Nullable(m.Alert.Product),
		Cloud: Nullable(m.Alert.Account.Cloud), Reasons: []LinkReason{}, IncidentID: Nullable(m.Incident),
	}
	for _, r := range m.Reasons {
		ch.Reasons = append(ch.Reasons, linkReasonOf(r))
	}
	for _, g := range i.Mergers {
		if g.Opener == m.Alert.ID {
			ch.Merged = &MergeReason{g.Incident, g.Alert, linkReasonOf(g.Because)}
		}
	}
	for _, s := range m.Alert.Sightings {
		if s.AlertID != m.Alert.ID || s.Reporter != m.Alert.Reporter {
			ch.Sightings = append(ch.Sightings, Sighting{s.AlertID, s.Reporter, s.Title, s.Rule})
		}
	}
	return ch
}

func linkReasonOf(r incident.Reason) LinkReason {
	return LinkReason{r.Rule, r.Alert, r.Entity, r.Name, r.Weight, r.Gap.Seconds()}
}

// AssetsByCategory is what an incident touches, under the portal's categories. Count is that of all assets, also of
// those beyond what the lists hold.
type AssetsByCategory struct {
	Count          int     `json:"count"`
	Devices        []Asset `json:"devices"`
	Users          []Asset `json:"users"`
	Mailboxes      []Asset `json:"mailboxes"`
	Apps           []Asset `json:"apps"`
	CloudResources []Asset `json:"cloudResources"`
}

// AssetsByCategoryOf sorts i's assets by their category.
func AssetsByCategoryOf(i incident.Incident) AssetsByCategory {
	by := map[string][]Asset{}
	for _, a := range assetsOf(i.Assets) {
		by[a.Category] = append(by[a.Category], a)
	}
	return AssetsByCategory{
		max(i.AssetCount, len(i.Assets)), NonNil(by[deviceAssets]), NonNil(by[userAssets]), NonNil(by[mailboxAssets]),
		NonNil(by[appAssets]), NonNil(by[resourceAssets]),
	}
}
