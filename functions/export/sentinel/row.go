package sentinel

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// alertRow is a row of SecurityAlert (unified-api reference, 3.9).
type alertRow struct {
	TimeGenerated      time.Time
	RowID              string `json:"OnepaneRowId"`
	SystemAlertID      string `json:"SystemAlertId"`
	DisplayName        string
	AlertName          string
	AlertSeverity      string
	AlertType          string `json:",omitzero"`
	AlertLink          string `json:",omitzero"`
	Description        string `json:",omitzero"`
	CompromisedEntity  string `json:",omitzero"`
	Entities           string // JSON
	ExtendedProperties string // JSON
	StartTime, EndTime time.Time
	ProcessingEndTime  time.Time
	ProductName        string
	ProviderName       string
	VendorName         string
	VendorOriginalID   string `json:"VendorOriginalId"`
	RemediationSteps   string `json:",omitzero"`
	ResourceID         string `json:"ResourceId,omitzero"`
	Status             string
	Tactics            string
	Techniques         string
	SourceSystem       string
}

var severities = map[alert.Severity]string{
	alert.Informational: "Informational", alert.Low: "Low", alert.Medium: "Medium", alert.High: "High", alert.Critical: "High",
}

// severityWord is Sentinel's, which knows neither critical nor unknown.
func severityWord(s alert.Severity) string {
	if w := severities[s]; w != "" {
		return w
	}
	return "Informational"
}

var alertStatuses = map[alert.Status]string{alert.StatusNew: "New", alert.StatusInProgress: "InProgress", alert.StatusResolved: "Resolved"}

const maxText = 8 << 10

func (t *Target) alertRowOf(r export.Row) alertRow {
	m, a := r.Alert, r.Alert.Alert
	status := alertStatuses[m.Status]
	if status == "" {
		status = "Unknown"
	}
	row := alertRow{
		TimeGenerated: r.Updated.UTC(), RowID: r.ID, SystemAlertID: a.ID, DisplayName: a.Title, AlertName: a.Title, AlertSeverity: severityWord(a.Severity),
		AlertType: a.Type, AlertLink: a.URL, Description: truncateText(a.Description), Entities: entitiesText(a.Evidence), StartTime: a.First.UTC(), EndTime: a.Last.UTC(),
		ProcessingEndTime: m.Created.UTC(), ProductName: a.Product, ProviderName: a.Origin.Provider, VendorName: vendorOf(a.Account.Cloud),
		VendorOriginalID: a.Origin.ID, RemediationSteps: truncateText(a.Recommendation), Status: status, Tactics: joinTactics(a.Tactics, ","),
		Techniques: strings.Join(a.Techniques, ","), SourceSystem: "Detection",
	}
	row.ExtendedProperties = jsonText(map[string]string{
		"IncidentId": m.Incident, "Tenant": r.Tenant, "Cloud": string(a.Account.Cloud), "AccountId": a.Account.ID, "Region": a.Account.Region, "OriginalSeverity": string(a.Severity),
	})
	for _, e := range a.Evidence {
		if row.CompromisedEntity == "" && e.Role != alert.Attacker && (e.Kind == entity.Host || e.Kind == entity.Resource || e.Kind == entity.User) {
			row.CompromisedEntity = e.Value
		}
		if row.ResourceID == "" && e.Kind == entity.Resource {
			row.ResourceID = e.Value
		}
	}
	return row
}

func truncateText(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

func jsonText(v any) string {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return "{}" // texts and maps of them are always encodable
	}
	return string(data)
}

func vendorOf(c entity.Cloud) string {
	switch c {
	case entity.Amazon:
		return "AWS"
	case entity.Google:
		return "Google"
	case entity.Azure:
		return "Microsoft"
	}
	return "Onepane"
}

func joinTactics(ts []attack.Tactic, sep string) string {
	words := make([]string, len(ts))
	for i, t := range ts {
		words[i] = string(t)
	}
	return strings.Join(words, sep)
}

// maxEntities is how many entities automation sees of an alert.
const maxEntities = 50

// entitiesText are an alert's in Sentinel's schema of entities, as JSON text.
func entitiesText(evs []alert.Evidence) string {
	out := []map[string]string{}
	for i, e := range evs[:min(len(evs), maxEntities)] {
		m := map[string]string{"$id": strconv.Itoa(i + 1)}
		switch e.Kind {
		case entity.IP:
			m["Type"], m["Address"] = "ip", e.Value
		case entity.Host:
			m["Type"], m["HostName"] = "host", e.Value
		case entity.User, entity.Mailbox:
			m["Type"], m["Name"] = "account", e.Value
			if name, suffix, ok := strings.Cut(e.Value, "@"); ok {
				m["Name"], m["UPNSuffix"] = name, suffix
			}
		case entity.URL:
			m["Type"], m["Url"] = "url", e.Value
		case entity.Domain:
			m["Type"], m["DomainName"] = "dns", e.Value
		case entity.FileHash:
			m["Type"], m["Value"] = "filehash", e.Value
		case entity.File:
			m["Type"], m["Name"] = "file", e.Value
		case entity.Process:
			m["Type"], m["CommandLine"] = "process", e.Value
		case entity.Resource:
			m["Type"], m["ResourceId"] = "azure-resource", e.Value
			if e.Attr(entity.AttrCloud) != string(entity.Azure) && !strings.HasPrefix(e.Value, "/subscriptions/") {
				m["Type"] = "cloud-resource"
			}
		default:
			m["Type"], m["Name"] = string(e.Kind), e.Value
		}
		out = append(out, m)
	}
	return jsonText(out)
}

// incidentRow is a row of SecurityIncident.
type incidentRow struct {
	TimeGenerated         time.Time
	RowID                 string `json:"OnepaneRowId"`
	IncidentName          string
	IncidentNumber        int64
	ProviderIncidentID    string `json:"ProviderIncidentId"`
	ProviderName          string
	Title                 string
	Description           string `json:",omitzero"`
	Severity              string
	Status                string
	Classification        string `json:",omitzero"`
	ClassificationReason  string `json:",omitzero"`
	ClassificationComment string `json:",omitzero"`
	Owner                 map[string]string
	Labels                []label
	Comments              []comment
	AlertIDs              []string `json:"AlertIds"`
	AdditionalData        additionalData
	CreatedTime           time.Time
	LastModifiedTime      time.Time
	FirstActivityTime     time.Time
	LastActivityTime      time.Time
	ClosedTime            time.Time `json:",omitzero"`
	ModifiedBy            string    `json:",omitzero"`
	IncidentURL           string    `json:"IncidentUrl,omitzero"`
	SourceSystem          string
}

type label struct {
	Name string `json:"labelName"`
	Type string `json:"labelType"`
}

type comment struct {
	Message string    `json:"message"`
	Author  string    `json:"author"`
	Created time.Time `json:"createdTimeUtc"`
}

type additionalData struct {
	Alerts     int      `json:"alertsCount"`
	Comments   int      `json:"commentsCount"`
	Products   []string `json:"alertProductNames"`
	Tactics    []string `json:"tactics"`
	Tenant     string   `json:"onepaneTenant"`
	RedirectTo string   `json:"redirectIncidentId,omitzero"`
}

// maxComments is how many of an incident's comments, the newest, a row carries.
const maxComments = 20

func (t *Target) incidentRowOf(r export.Row) incidentRow {
	i := r.Incident
	number, _ := strconv.ParseInt(i.ID, 10, 64) // ids are decimal
	row := incidentRow{
		TimeGenerated: r.Updated.UTC(), RowID: r.ID, IncidentName: i.ID, IncidentNumber: number, ProviderIncidentID: i.ID, ProviderName: "Onepane", Title: i.Name,
		Description: truncateText(firstText(i.Summary, i.Description)), Severity: severityWord(i.Severity), Status: statusWord(i.Status), ClassificationComment: truncateText(i.ResolvingComment),
		Owner: map[string]string{}, Labels: []label{}, Comments: []comment{}, AlertIDs: []string{}, CreatedTime: i.Created.UTC(), LastModifiedTime: i.Updated.UTC(),
		FirstActivityTime: i.First.UTC(), LastActivityTime: i.Last.UTC(), ModifiedBy: i.ModifiedBy, SourceSystem: "Onepane", IncidentURL: r.Link(t.PortalURL),
		AdditionalData: additionalData{Alerts: i.Alerts, Comments: len(i.Comments), Products: i.Products, Tactics: []string{}, Tenant: r.Tenant, RedirectTo: i.RedirectTo},
	}
	row.Classification, row.ClassificationReason = classificationOf(i)
	if row.Status == "Closed" {
		row.ClosedTime = i.Updated.UTC()
	}
	if i.AssignedTo != "" {
		row.Owner["assignedTo"] = i.AssignedTo
	}
	for _, tag := range i.Tags {
		row.Labels = append(row.Labels, label{tag, "User"})
	}
	for _, tag := range i.SystemTags {
		row.Labels = append(row.Labels, label{tag, "AutoAssigned"})
	}
	for _, c := range i.Comments[max(0, len(i.Comments)-maxComments):] {
		row.Comments = append(row.Comments, comment{c.Text[:min(len(c.Text), 1000)], c.By, c.Created.UTC()})
	}
	for _, m := range r.Alerts {
		row.AlertIDs = append(row.AlertIDs, m.Alert.ID)
	}
	for _, tactic := range i.Tactics {
		row.AdditionalData.Tactics = append(row.AdditionalData.Tactics, string(tactic))
	}
	return row
}

func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// statusWord is Sentinel's: what is active is new to it, what was merged away is closed.
func statusWord(s incident.Status) string {
	switch s {
	case incident.InProgress:
		return "Active"
	case incident.Resolved, incident.Redirected:
		return "Closed"
	}
	return "New"
}

// classificationOf follows the field synchronisation of Defender and Sentinel. An open incident has none.
func classificationOf(i *incident.Incident) (class, reason string) {
	switch {
	case i.Status != incident.Resolved && i.Status != incident.Redirected:
		return "", ""
	case i.Classification == "truePositive":
		return "TruePositive", "SuspiciousActivity"
	case i.Classification == "falsePositive":
		return "FalsePositive", "InaccurateData"
	case i.Classification == "informationalExpectedActivity":
		return "BenignPositive", "SuspiciousButExpected"
	}
	return "Undetermined", ""
}
