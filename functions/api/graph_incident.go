package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// graphIncident is microsoft.graph.security.incident (unified-api reference, 1.2).
type graphIncident struct {
	Type               string         `json:"@odata.type"`
	ID                 string         `json:"id"`
	TenantID           string         `json:"tenantId"`
	IncidentWebURL     string         `json:"incidentWebUrl"`
	RedirectIncidentID nullable       `json:"redirectIncidentId"`
	DisplayName        string         `json:"displayName"`
	Description        nullable       `json:"description"`
	Summary            nullable       `json:"summary"`
	Severity           string         `json:"severity"`
	PriorityScore      int            `json:"priorityScore"` // 0 to 100; what it is made of is in additionalData
	Status             string         `json:"status"`
	Classification     nullable       `json:"classification"`
	Determination      nullable       `json:"determination"`
	AssignedTo         nullable       `json:"assignedTo"`
	ResolvingComment   nullable       `json:"resolvingComment"`
	CustomTags         []string       `json:"customTags"`
	SystemTags         []string       `json:"systemTags"`
	Comments           []graphComment `json:"comments"`
	CreatedDateTime    stamp          `json:"createdDateTime"`
	LastUpdateDateTime stamp          `json:"lastUpdateDateTime"`
	LastModifiedBy     nullable       `json:"lastModifiedBy"`
	AdditionalData     incidentFacts  `json:"additionalData"`
	*expansion
}

// expansion is what $expand=alerts adds. Next leads to the alerts beyond the bound.
type expansion struct {
	AlertsCount int64            `json:"alerts@odata.count"`
	Alerts      []jsontext.Value `json:"alerts"`
	Next        string           `json:"alerts@odata.nextLink,omitzero"`
}

// incidentFacts is what Onepane knows of an incident beyond the Graph. Clients that know only the Graph skip it.
type incidentFacts struct {
	Type          string          `json:"@odata.type"`
	AlertCount    int             `json:"alertCount"`
	Severity      alert.Severity  `json:"severity,omitzero"` // only when it is graver than the Graph can say
	Assets        []assetFact     `json:"assets"`
	AssetCount    int             `json:"assetCount"`
	Clouds        []entity.Cloud  `json:"clouds"`
	Products      []string        `json:"products"`
	Tactics       []attack.Tactic `json:"tactics"`
	FirstActivity stamp           `json:"firstActivity"`
	LastActivity  stamp           `json:"lastActivity"`
	Background    bool            `json:"background,omitzero"` // gathers only what fires here all the time
	Merged        []string        `json:"mergedIncidentIds,omitempty"`
	Priority      []priorityPart  `json:"priority"`
	Exposures     int             `json:"openExposures"` // of its assets; at most incident.MaxExposed are counted
}

// priorityPart is one thing that speaks for an incident, on the wire.
type priorityPart struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
	Most   int    `json:"most"`
	Why    string `json:"why"`
}

// assetFact is an asset on the wire.
type assetFact struct {
	Key      string       `json:"key"`
	Kind     entity.Kind  `json:"kind"`
	Name     string       `json:"name"`
	Value    string       `json:"value"`
	Cloud    entity.Cloud `json:"cloud,omitzero"`
	Category string       `json:"category"`
}

// incident shows i as the Graph does, without its alerts.
func (v view) incident(i incident.Incident) graphIncident {
	return graphIncident{
		Type: "#microsoft.graph.security.incident", ID: i.ID, TenantID: i.Tenant,
		IncidentWebURL: v.link("incidents", i.ID, i.Tenant), RedirectIncidentID: nullable(i.RedirectTo),
		DisplayName: i.Name, Description: nullable(i.Description), Summary: nullable(i.Summary),
		Severity: string(i.Severity.Graph()), PriorityScore: i.Priority().Score, Status: incidentStatusEnum.Show(string(i.Status), v.allMembers),
		Classification: v.word(classificationEnum.Show, i.Classification),
		Determination:  v.word(determinationEnum.Show, i.Determination),
		AssignedTo:     nullable(i.AssignedTo), ResolvingComment: nullable(i.ResolvingComment),
		CustomTags: some(i.Tags), SystemTags: some(i.SystemTags), Comments: comments(i.Comments),
		CreatedDateTime: stamp(i.Created), LastUpdateDateTime: stamp(i.Updated), LastModifiedBy: nullable(i.ModifiedBy),
		AdditionalData: factsOf(i),
	}
}

func factsOf(i incident.Incident) incidentFacts {
	f := incidentFacts{
		Type: "#microsoft.graph.security.dictionary", AlertCount: i.Alerts, Assets: assets(i.Assets),
		AssetCount: max(i.AssetCount, len(i.Assets)), Clouds: some(i.Clouds), Products: some(i.Products),
		Tactics: some(i.Tactics), FirstActivity: stamp(i.First), LastActivity: stamp(i.Last),
		Merged: i.Merged, Background: i.Noise, Exposures: i.Exposures.CountDistinct(), Priority: []priorityPart{},
	}
	for _, p := range i.Priority().Parts {
		f.Priority = append(f.Priority, priorityPart(p))
	}
	if i.Severity == alert.Critical {
		f.Severity = i.Severity
	}
	return f
}

func assets(as []incident.Asset) []assetFact {
	out := make([]assetFact, len(as))
	for n, a := range as {
		out[n] = assetFact{a.Key, a.Kind, a.Name, a.Value, a.Cloud, assetCategory(a)}
	}
	return out
}

// assetCategory is the tab under which the portal lists an asset.
func assetCategory(a incident.Asset) string {
	switch a.Kind {
	case entity.Host:
		return devices
	case entity.User:
		return users
	case entity.Mailbox:
		return mailboxes
	case entity.App:
		return apps
	}
	return cloudResources
}

// The categories of assets.
const (
	devices        = "devices"
	users          = "users"
	mailboxes      = "mailboxes"
	apps           = "apps"
	cloudResources = "cloudResources"
)
