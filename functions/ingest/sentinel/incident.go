package sentinel

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// normalizeIncident makes an alert of type SecurityIncident, which links its members.
func normalizeIncident(raw jsontext.Value, r ingest.Record) (alert.Alert, error) {
	var s incidentRow
	if err := ingest.Decode(raw, &s); err != nil {
		return alert.Alert{}, err
	}
	id := string(cmp.Or(s.Name, ingest.Text(r.Text("name")), s.Number))
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "incidentName: missing")
	}
	more := s.additionalData()
	a := alert.Alert{
		Origin: alert.Origin{Provider: name, ID: id}, Reporter: name, ReportID: id, Product: "Microsoft Sentinel",
		Type: "SecurityIncident", Title: string(s.Title), Description: string(s.Description), URL: string(s.URL),
		Severity: alert.ParseSeverity(string(s.Severity)), NativeSeverity: string(s.Severity),
		Status: incidentStatus(string(s.Status)), NativeStatus: string(s.Status),
		Tactics:        microsoft.ParseTactics(attack.MicrosoftIntent, microsoft.ParseTexts(more.Tactics)...),
		Techniques:     attack.FindTechniques(microsoft.ParseTexts(more.Techniques)...),
		First:          firstSet(s.First, s.FirstUTC, s.Created, s.CreatedUTC, s.Generated),
		Last:           firstSet(s.Last, s.LastUTC),
		Updated:        firstSet(s.Modified, s.ModifiedUTC, s.Generated),
		Members:        s.memberIDs(),
		CorrelationKey: s.correlationKey(id),
		Account:        alert.Account{Cloud: entity.Azure, ID: s.subscriptionID(r.Text("id"))},
	}
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	if arm := r.Text("id"); arm != "" {
		a.CarriedIDs = []string{arm}
	}
	for _, f := range [...][2]string{
		{"incidentNumber", string(s.Number)}, {"classification", string(s.Classification)}, {"classificationReason", string(s.Reason)},
		{"providerName", string(s.ProviderName)}, {"providerIncidentId", string(s.ProviderID)}, {"workspaceId", string(s.Workspace)},
		{"alertProductNames", string(more.Products)}, {"assignedTo", s.assignedTo()},
	} {
		a.Extra = microsoft.WithFact(a.Extra, f[0], f[1])
	}
	var set ingest.EvidenceSet
	microsoft.AddEntities(s.RelatedEntities, &set)
	a.Evidence = set.List()
	return a, nil
}

// additional are the facts an incident keeps in a column of JSON.
type additional struct {
	Tactics    ingest.List[ingest.Text] `json:"tactics"`
	Techniques ingest.List[ingest.Text] `json:"techniques"`
	Products   ingest.Text              `json:"alertProductNames"`
}

// additionalData reads that column; one that cannot be read states nothing.
func (s incidentRow) additionalData() (m additional) {
	if v := microsoft.UnquoteJSON(s.AdditionalData); v.Kind() == '{' && json.Unmarshal(v, &m, json.MatchCaseInsensitiveNames(true)) != nil {
		return additional{}
	}
	return m
}

func (s incidentRow) assignedTo() string {
	var owner struct {
		AssignedTo ingest.Text `json:"assignedTo"`
		UPN        ingest.Text `json:"userPrincipalName"`
		Email      ingest.Text `json:"email"`
	}
	if v := microsoft.UnquoteJSON(s.Owner); v.Kind() != '{' || json.Unmarshal(v, &owner, json.MatchCaseInsensitiveNames(true)) != nil {
		return ""
	}
	return string(cmp.Or(owner.UPN, owner.Email, owner.AssignedTo))
}

// memberIDs are the ids of the alerts, as Sentinel knows them.
func (s incidentRow) memberIDs() []string {
	out := microsoft.ParseTexts(s.AlertIDs)
	for _, a := range s.Alerts {
		if id := string(cmp.Or(a.Properties.SystemAlertID, a.Name)); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// correlationKey names the incident; one that was synchronised from Defender XDR goes by that product's number.
func (s incidentRow) correlationKey(id string) string {
	p := strings.ToLower(string(s.ProviderName))
	if (strings.Contains(p, "365 defender") || strings.Contains(p, "xdr")) && !ingest.IsPlaceholder(string(s.ProviderID)) {
		return "defender-xdr/incident/" + string(s.ProviderID)
	}
	return "sentinel/incident/" + id
}

func (s incidentRow) subscriptionID(arm string) string {
	if sub := microsoft.AzureSubscription(arm); sub != "" {
		return sub
	}
	return segmentAfter(string(s.URL), "/subscriptions/")
}

// incidentStatus: an Active incident is one that somebody works on.
func incidentStatus(word string) alert.Status {
	if strings.EqualFold(word, "Active") {
		return alert.StatusInProgress
	}
	return alert.ParseStatus(word)
}
