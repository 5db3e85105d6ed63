package api

import (
	"net/url"
	"strings"

	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/incident"
)

// graphAlert is microsoft.graph.security.alert (unified-api reference, 1.1).
type graphAlert struct {
	Type                  string            `json:"@odata.type"`
	ID                    string            `json:"id"`
	ProviderAlertID       nullable          `json:"providerAlertId"`
	IncidentID            nullable          `json:"incidentId"`
	TenantID              string            `json:"tenantId"`
	Title                 string            `json:"title"`
	Description           nullable          `json:"description"`
	RecommendedActions    nullable          `json:"recommendedActions"`
	Category              string            `json:"category"`
	Categories            []attack.Tactic   `json:"categories"`
	MitreTechniques       []string          `json:"mitreTechniques"`
	Severity              string            `json:"severity"`
	Status                string            `json:"status"`
	Classification        nullable          `json:"classification"`
	Determination         nullable          `json:"determination"`
	ServiceSource         string            `json:"serviceSource"`
	DetectionSource       string            `json:"detectionSource"`
	ProductName           nullable          `json:"productName"`
	DetectorID            nullable          `json:"detectorId"`
	AlertPolicyID         nullable          `json:"alertPolicyId"`
	InvestigationState    string            `json:"investigationState"`
	AssignedTo            nullable          `json:"assignedTo"`
	ActorDisplayName      nullable          `json:"actorDisplayName"`
	ThreatDisplayName     nullable          `json:"threatDisplayName"`
	ThreatFamilyName      nullable          `json:"threatFamilyName"`
	CreatedDateTime       stamp             `json:"createdDateTime"`
	LastUpdateDateTime    stamp             `json:"lastUpdateDateTime"`
	ResolvedDateTime      stamp             `json:"resolvedDateTime"`
	FirstActivityDateTime stamp             `json:"firstActivityDateTime"`
	LastActivityDateTime  stamp             `json:"lastActivityDateTime"`
	AlertWebURL           string            `json:"alertWebUrl"`
	IncidentWebURL        nullable          `json:"incidentWebUrl"`
	SystemTags            []string          `json:"systemTags"`
	Comments              []graphComment    `json:"comments"`
	Evidence              []any             `json:"evidence"`
	AdditionalData        map[string]string `json:"additionalData"`
	CustomDetails         map[string]string `json:"customDetails"`
}

// graphComment is microsoft.graph.security.alertComment.
type graphComment struct {
	Type                 string `json:"@odata.type"`
	Comment              string `json:"comment"`
	CreatedByDisplayName string `json:"createdByDisplayName"`
	CreatedDateTime      stamp  `json:"createdDateTime"`
}

// view is how one request wants to see things.
type view struct {
	portal     string // base of links to the portal, without trailing slash
	allMembers bool   // include enum members after unknownFutureValue
}

// alert shows m as the Graph does. Nothing that was reported is lost: what has no property of its own is in the
// evidence's tags or in additionalData.
func (v view) alert(m incident.AlertRecord) graphAlert {
	a := m.Alert
	return graphAlert{
		Type: "#microsoft.graph.security.alert", ID: a.ID, ProviderAlertID: nullable(a.ReportID),
		IncidentID: nullable(m.Incident), TenantID: a.Tenant, Title: a.Title, Description: nullable(a.Description),
		RecommendedActions: nullable(a.Recommendation), Category: category(m), Categories: some(attack.Sorted(a.Tactics)),
		MitreTechniques: some(a.Techniques), Severity: string(a.Severity.Graph()),
		Status:          alertStatusEnum.Show(string(statusOf(m)), v.allMembers),
		Classification:  v.word(classificationEnum.Show, m.Classification),
		Determination:   v.word(determinationEnum.Show, m.Determination),
		ServiceSource:   serviceSourceEnum.Show(a.GraphService(), v.allMembers),
		DetectionSource: detectionSourceEnum.Show(a.GraphDetection(), v.allMembers),
		ProductName:     nullable(a.Product), DetectorID: nullable(a.Type), InvestigationState: "unknown",
		AssignedTo: nullable(m.AssignedTo), ActorDisplayName: nullable(a.Extra["actor"]),
		ThreatDisplayName: nullable(a.Extra["threat"]), ThreatFamilyName: nullable(a.Extra["malwareFamily"]),
		CreatedDateTime: stamp(m.Created), LastUpdateDateTime: stamp(m.Updated), ResolvedDateTime: stamp(m.Resolved),
		FirstActivityDateTime: stamp(a.First), LastActivityDateTime: stamp(a.Last),
		AlertWebURL: v.link("alerts", a.ID, a.Tenant), IncidentWebURL: nullable(v.link("incidents", m.Incident, a.Tenant)),
		SystemTags: []string{}, Comments: comments(m.Comments), Evidence: v.evidence(m),
		AdditionalData: additionalData(m), CustomDetails: map[string]string{},
	}
}

// word shows an enum value that nobody has set yet as null.
func (v view) word(show func(string, bool) string, word string) nullable {
	if word == "" {
		return ""
	}
	return nullable(show(word, v.allMembers))
}

// link is where the portal shows something, "" for nothing.
func (v view) link(room, id, tenant string) string {
	if id == "" {
		return ""
	}
	return v.portal + "/" + room + "/" + url.PathEscape(id) + "?tid=" + url.QueryEscape(tenant)
}

// category is how far along the kill chain the alert is; without tactics the provider's own category.
func category(m incident.AlertRecord) string {
	if ts := attack.Sorted(m.Alert.Tactics); len(ts) > 0 {
		return string(ts[len(ts)-1])
	}
	if own := strings.ReplaceAll(m.Alert.Extra["category"], " ", ""); own != "" {
		return own
	}
	return "SuspiciousActivity"
}

func comments(cs []incident.Comment) []graphComment {
	out := make([]graphComment, len(cs))
	for i, c := range cs {
		out[i] = graphComment{"#microsoft.graph.security.alertComment", c.Text, c.By, stamp(c.Created)}
	}
	return out
}
