package graph

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// Incident is microsoft.graph.security.incident (unified-api reference, 1.2).
type Incident struct {
	Type               string             `json:"@odata.type"`
	ID                 string             `json:"id"`
	TenantID           string             `json:"tenantId"`
	IncidentWebURL     string             `json:"incidentWebUrl"`
	RedirectIncidentID Nullable           `json:"redirectIncidentId"`
	DisplayName        string             `json:"displayName"`
	Description        Nullable           `json:"description"`
	Summary            Nullable           `json:"summary"`
	Severity           string             `json:"severity"`
	PriorityScore      int                `json:"priorityScore"` // 0 to 100; what it is made of is in additionalData
	Status             string             `json:"status"`
	Classification     Nullable           `json:"classification"`
	Determination      Nullable           `json:"determination"`
	AssignedTo         Nullable           `json:"assignedTo"`
	ResolvingComment   Nullable           `json:"resolvingComment"`
	CustomTags         []string           `json:"customTags"`
	SystemTags         []string           `json:"systemTags"`
	Comments           []Comment          `json:"comments"`
	CreatedDateTime    Timestamp          `json:"createdDateTime"`
	LastUpdateDateTime Timestamp          `json:"lastUpdateDateTime"`
	LastModifiedBy     Nullable           `json:"lastModifiedBy"`
	AdditionalData     IncidentDictionary `json:"additionalData"`
	*ExpandedAlerts
}

// ExpandedAlerts is what $expand=alerts adds. Next leads to the alerts beyond the bound.
type ExpandedAlerts struct {
	AlertsCount int64            `json:"alerts@odata.count"`
	Alerts      []jsontext.Value `json:"alerts"`
	Next        string           `json:"alerts@odata.nextLink,omitzero"`
}

// IncidentDictionary is what Onepane knows of an incident beyond the Graph. Clients that know only the Graph skip it.
type IncidentDictionary struct {
	Type          string          `json:"@odata.type"`
	AlertCount    int             `json:"alertCount"`
	Severity      alert.Severity  `json:"severity,omitzero"` // only when it is graver than the Graph can say
	Assets        []Asset         `json:"assets"`
	AssetCount    int             `json:"assetCount"`
	Clouds        []entity.Cloud  `json:"clouds"`
	Products      []string        `json:"products"`
	Tactics       []attack.Tactic `json:"tactics"`
	FirstActivity Timestamp       `json:"firstActivity"`
	LastActivity  Timestamp       `json:"lastActivity"`
	Background    bool            `json:"background,omitzero"` // gathers only what fires here all the time
	Merged        []string        `json:"mergedIncidentIds,omitempty"`
	Priority      []PriorityPart  `json:"priority"`
	Exposures     int             `json:"openExposures"` // of its assets; at most incident.MaxExposed are counted
}

// PriorityPart is one thing that speaks for an incident, on the wire.
type PriorityPart struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
	Most   int    `json:"most"`
	Why    string `json:"why"`
}

// Asset is an asset on the wire.
type Asset struct {
	Key      string       `json:"key"`
	Kind     entity.Kind  `json:"kind"`
	Name     string       `json:"name"`
	Value    string       `json:"value"`
	Cloud    entity.Cloud `json:"cloud,omitzero"`
	Category string       `json:"category"`
}

// Incident shows i as the Graph does, without its alerts.
func (v View) Incident(i incident.Incident) Incident {
	return Incident{
		Type: "#microsoft.graph.security.incident", ID: i.ID, TenantID: i.Tenant,
		IncidentWebURL: v.portalLink("incidents", i.ID, i.Tenant), RedirectIncidentID: Nullable(i.RedirectTo),
		DisplayName: i.Name, Description: Nullable(i.Description), Summary: Nullable(i.Summary),
		Severity: string(i.Severity.Graph()), PriorityScore: i.Priority().Score, Status: IncidentStatusEnum.Show(string(i.Status), v.AllEnumMembers),
		Classification: v.enumOrNull(ClassificationEnum.Show, i.Classification),
		Determination:  v.enumOrNull(DeterminationEnum.Show, i.Determination),
		AssignedTo:     Nullable(i.AssignedTo), ResolvingComment: Nullable(i.ResolvingComment),
		CustomTags: NonNil(i.Tags), SystemTags: NonNil(i.SystemTags), Comments: CommentsOf(i.Comments),
		CreatedDateTime: Timestamp(i.Created), LastUpdateDateTime: Timestamp(i.Updated), LastModifiedBy: Nullable(i.ModifiedBy),
		AdditionalData: incidentDictionaryOf(i),
	}
}

func incidentDictionaryOf(i incident.Incident) IncidentDictionary {
	f := IncidentDictionary{
		Type: "#microsoft.graph.security.dictionary", AlertCount: i.Alerts, Assets: assetsOf(i.Assets),
		AssetCount: max(i.AssetCount, len(i.Assets)), Clouds: NonNil(i.Clouds), Products: NonNil(i.Products),
		Tactics: NonNil(i.Tactics), FirstActivity: Timestamp(i.First), LastActivity: Timestamp(i.Last),
		Merged: i.Merged, Background: i.Noise, Exposures: i.Exposures.CountDistinct(), Priority: []PriorityPart{},
	}
	for _, p := range i.Priority().Parts {
		f.Priority = append(f.Priority, PriorityPart(p))
	}
	if i.Severity == alert.Critical {
		f.Severity = i.Severity
	}
	return f
}

func assetsOf(as []incident.Asset) []Asset {
	out := make([]Asset, len(as))
	for n, a := range as {
		out[n] = Asset{a.Key, a.Kind, a.Name, a.Value, a.Cloud, assetCategory(a)}
	}
	return out
}

// assetCategory is the tab under which the portal lists an asset.
func assetCategory(a incident.Asset) string {
	switch a.Kind {
	case entity.Host:
		return deviceAssets
	case entity.User:
		return userAssets
	case entity.Mailbox:
		return mailboxAssets
	case entity.App:
		return appAssets
	}
	return resourceAssets
}

// The categories of assets.
const (
	deviceAssets   = "devices"
	userAssets     = "users"
	mailboxAssets  = "mailboxes"
	appAssets      = "apps"
	resourceAssets = "cloudResources"
)
