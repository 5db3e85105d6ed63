package xdr

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

func normalizeAlert(r ingest.Record) (alert.Alert, error) {
	var g graph
	if err := ingest.Decode(r.Raw, &g); err != nil {
		return alert.Alert{}, err
	}
	id := string(g.ID)
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "id: missing")
	}
	incident := cmp.Or(r.Context[incidentID], string(g.IncidentID))
	a := alert.Alert{
		Origin: originOf(id, string(g.ProviderAlertID), string(g.Service)), Reporter: name, ReportID: id,
		Product: productName(string(g.ProductName), string(g.Service)), ServiceSource: string(g.Service), DetectionSource: string(g.Detection),
		Type: string(cmp.Or(g.Category, g.DetectorID)), Title: string(g.Title), Description: string(g.Description),
		Recommendation: string(g.Recommended), URL: string(g.URL),
		Severity: alert.ParseSeverity(string(g.Severity)), NativeSeverity: string(g.Severity),
		Status: alert.ParseStatus(string(g.Status)), NativeStatus: string(g.Status),
		Tactics:        microsoft.ParseTactics(attack.GraphCategory, append(microsoft.ParseTexts(g.Categories), string(g.Category))...),
		Techniques:     attack.FindTechniques(microsoft.ParseTexts(g.Techniques)...),
		First:          ingest.FirstSet(g.First, g.Created, g.Last, g.Updated),
		Last:           ingest.FirstSet(g.Last),
		Updated:        ingest.FirstSet(g.Updated, g.Created),
		Account:        alert.Account{Cloud: entity.Azure, Organization: organizationOf(string(g.TenantID), r)},
		CorrelationKey: correlationKey(incident),
		Extra:          microsoft.ParseProperties(g.Additional),
	}
	if p := string(g.ProviderAlertID); !ingest.IsPlaceholder(p) {
		a.CarriedIDs = append(a.CarriedIDs, p)
	}
	if a.Origin.ID != id {
		a.CarriedIDs = append(a.CarriedIDs, id)
	}
	for k, v := range microsoft.ParseProperties(g.Custom) {
		a.Extra = microsoft.WithFact(a.Extra, k, v)
	}
	for _, f := range [...][2]string{
		{"incidentId", incident}, {"incidentTitle", r.Context[incidentTitle]}, {"detectorId", string(g.DetectorID)},
		{"classification", string(g.Classification)}, {"determination", string(g.Determination)}, {"assignedTo", string(g.AssignedTo)},
		{"investigationState", string(g.Investigation)}, {"actorDisplayName", string(g.Actor)}, {"threatDisplayName", string(g.Threat)},
		{"threatFamilyName", string(g.Family)}, {"alertPolicyId", string(g.PolicyID)},
	} {
		a.Extra = microsoft.WithFact(a.Extra, f[0], f[1])
	}
	completeAlert(&a)
	var set ingest.EvidenceSet
	a.Account.ID = addGraphEvidence(g.Evidence, &set)
	a.Evidence = set.List()
	return a, nil
}

// originOf is the product that detected, with its own id: Defender for Cloud's own where XDR only shows its alert.
func originOf(id, provider, service string) alert.Origin {
	if strings.EqualFold(strings.ReplaceAll(service, " ", ""), "microsoftDefenderForCloud") && !ingest.IsPlaceholder(provider) {
		return alert.Origin{Provider: defenderForCloud, ID: strings.ToLower(provider)}
	}
	return alert.Origin{Provider: name, ID: id}
}

// products names the services as people know them.
var products = map[string]string{
	"microsoftdefenderforendpoint":   "Microsoft Defender for Endpoint",
	"microsoftdefenderforidentity":   "Microsoft Defender for Identity",
	"microsoftdefenderforcloudapps":  "Microsoft Defender for Cloud Apps",
	"microsoftdefenderforoffice365":  "Microsoft Defender for Office 365",
	"microsoft365defender":           "Microsoft Defender XDR",
	"azureadidentityprotection":      "Microsoft Entra ID Protection",
	"microsoftappgovernance":         "Microsoft App Governance",
	"datalossprevention":             "Microsoft Data Loss Prevention",
	"microsoftdefenderforcloud":      "Microsoft Defender for Cloud",
	"microsoftsentinel":              "Microsoft Sentinel",
	"microsoftinsiderriskmanagement": "Microsoft Purview Insider Risk Management",
	"microsoftthreatintelligence":    "Microsoft Threat Intelligence",
}

func productName(stated, service string) string {
	return cmp.Or(stated, products[strings.ToLower(strings.ReplaceAll(service, " ", ""))], service)
}

func organizationOf(tenant string, r ingest.Record) string {
	if tenant = cmp.Or(tenant, r.Context[incidentTenant]); ingest.IsPlaceholder(tenant) {
		return ""
	}
	return tenant
}

func correlationKey(incident string) string {
	if ingest.IsPlaceholder(incident) || incident == "0" {
		return ""
	}
	return name + "/incident/" + incident
}

// completeAlert puts right what depends on several members.
func completeAlert(a *alert.Alert) {
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	title := strings.ToUpper(a.Title)
	a.Sample = strings.Contains(title, "[TEST ALERT]") || strings.Contains(title, "[SAMPLE ALERT]")
}
