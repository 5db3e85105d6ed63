package graph

import (
	"net/url"
	"strings"

	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/incident"
)

// Alert is microsoft.graph.security.alert (unified-api reference, 1.1).
type Alert struct {
	Type                  string            `json:"@odata.type"`
	ID                    string            `json:"id"`
	ProviderAlertID       Nullable          `json:"providerAlertId"`
	IncidentID            Nullable          `json:"incidentId"`
	TenantID              string            `json:"tenantId"`
	Title                 string            `json:"title"`
	Description           Nullable          `json:"description"`
	RecommendedActions    Nullable          `json:"recommendedActions"`
	Category              string            `json:"category"`
	Categories            []attack.Tactic   `json:"categories"`
	MitreTechniques       []string          `json:"mitreTechniques"`
	Severity              string            `json:"severity"`
	Status                string            `json:"status"`
	Classification        Nullable          `json:"classification"`
	Determination         Nullable          `json:"determination"`
	ServiceSource         string            `json:"serviceSource"`
	DetectionSource       string            `json:"detectionSource"`
	ProductName           Nullable          `json:"productName"`
	DetectorID            Nullable          `json:"detectorId"`
	AlertPolicyID         Nullable          `json:"alertPolicyId"`
	InvestigationState    string            `json:"investigationState"`
	AssignedTo            Nullable          `json:"assignedTo"`
	ActorDisplayName      Nullable          `json:"actorDisplayName"`
	ThreatDisplayName     Nullable          `json:"threatDisplayName"`
	ThreatFamilyName      Nullable          `json:"threatFamilyName"`
	CreatedDateTime       Timestamp         `json:"createdDateTime"`
	LastUpdateDateTime    Timestamp         `json:"lastUpdateDateTime"`
	ResolvedDateTime      Timestamp         `json:"resolvedDateTime"`
	FirstActivityDateTime Timestamp         `json:"firstActivityDateTime"`
	LastActivityDateTime  Timestamp         `json:"lastActivityDateTime"`
	AlertWebURL           string            `json:"alertWebUrl"`
	IncidentWebURL        Nullable          `json:"incidentWebUrl"`
	SystemTags            []string          `json:"systemTags"`
	Comments              []Comment         `json:"comments"`
	Evidence              []any             `json:"evidence"`
	AdditionalData        map[string]string `json:"additionalData"`
	CustomDetails         map[string]string `json:"customDetails"`
}

// Comment is microsoft.graph.security.alertComment.
type Comment struct {
	Type                 string    `json:"@odata.type"`
	Comment              string    `json:"comment"`
	CreatedByDisplayName string    `json:"createdByDisplayName"`
	CreatedDateTime      Timestamp `json:"createdDateTime"`
}

// View is how one request wants to see things.
type View struct {
	PortalURL      string // base of links to the portal, without trailing slash
	AllEnumMembers bool   // include enum members after unknownFutureValue
}

// Alert shows m as the Graph does. Nothing that was reported is lost: what has no property of its own is in the
// evidence's tags or in additionalData.
func (v View) Alert(m incident.AlertRecord) Alert {
	a := m.Alert
	return Alert{
		Type: "#microsoft.graph.security.alert", ID: a.ID, ProviderAlertID: Nullable(a.ReportID),
		IncidentID: Nullable(m.Incident), TenantID: a.Tenant, Title: a.Title, Description: Nullable(a.Description),
		RecommendedActions: Nullable(a.Recommendation), Category: categoryOf(m), Categories: NonNil(attack.SortTactics(a.Tactics)),
		MitreTechniques: NonNil(a.Techniques), Severity: string(a.Severity.Graph()),
		Status:          AlertStatusEnum.Show(string(StatusOf(m)), v.AllEnumMembers),
		Classification:  v.enumOrNull(ClassificationEnum.Show, m.Classification),
		Determination:   v.enumOrNull(DeterminationEnum.Show, m.Determination),
		ServiceSource:   serviceSourceEnum.Show(a.GraphService(), v.AllEnumMembers),
		DetectionSource: detectionSourceEnum.Show(a.GraphDetection(), v.AllEnumMembers),
		ProductName:     Nullable(a.Product), DetectorID: Nullable(a.Type), InvestigationState: "unknown",
		AssignedTo: Nullable(m.AssignedTo), ActorDisplayName: Nullable(a.Extra["actor"]),
		ThreatDisplayName: Nullable(a.Extra["threat"]), ThreatFamilyName: Nullable(a.Extra["malwareFamily"]),
		CreatedDateTime: Timestamp(m.Created), LastUpdateDateTime: Timestamp(m.Updated), ResolvedDateTime: Timestamp(m.Resolved),
		FirstActivityDateTime: Timestamp(a.First), LastActivityDateTime: Timestamp(a.Last),
		AlertWebURL: v.portalLink("alerts", a.ID, a.Tenant), IncidentWebURL: Nullable(v.portalLink("incidents", m.Incident, a.Tenant)),
		SystemTags: []string{}, Comments: CommentsOf(m.Comments), Evidence: v.evidenceOf(m),
		AdditionalData: additionalData(m), CustomDetails: map[string]string{},
	}
}

// enumOrNull shows an enum value that nobody has set yet as null.
func (v View) enumOrNull(show func(string, bool) string, word string) Nullable {
	if word == "" {
		return ""
	}
	return Nullable(show(word, v.AllEnumMembers))
}

// portalLink is where the portal shows something, "" for nothing.
func (v View) portalLink(room, id, tenant string) string {
	if id == "" {
		return ""
	}
	return v.PortalURL + "/" + room + "/" + url.PathEscape(id) + "?tid=" + url.QueryEscape(tenant)
}

// categoryOf is how far along the kill chain the alert is; without tactics the provider's own category.
func categoryOf(m incident.AlertRecord) string {
	if ts := attack.SortTactics(m.Alert.Tactics); len(ts) > 0 {
		return string(ts[len(ts)-1])
	}
	if own := strings.ReplaceAll(m.Alert.Extra["category"], " ", ""); own != "" {
		return own
	}
	return "SuspiciousActivity"
}

func CommentsOf(cs []incident.Comment) []Comment {
	out := make([]Comment, len(cs))
	for i, c := range cs {
		out[i] = Comment{"#microsoft.graph.security.alertComment", c.Text, c.By, Timestamp(c.Created)}
	}
	return out
}
