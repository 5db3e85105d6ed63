package defender

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
)

// finding is an alert in any of its spellings: the REST API's current and first version, export, Logic App. Names
// match without case.
type finding struct {
	SystemAlertID    ingest.Text `json:"systemAlertId"`
	AlertType        ingest.Text `json:"alertType"`
	AlertName        ingest.Text `json:"alertName"` // the type, in the first version
	AlertDisplayName ingest.Text `json:"alertDisplayName"`
	Description      ingest.Text `json:"description"`
	Severity         ingest.Text `json:"severity"`
	ReportedSeverity ingest.Text `json:"reportedSeverity"`
	Status           ingest.Text `json:"status"`
	State            ingest.Text `json:"state"`

	Intent        ingest.Text              `json:"intent"`
	Techniques    ingest.List[ingest.Text] `json:"techniques"`
	SubTechniques ingest.List[ingest.Text] `json:"subTechniques"`

	Start            ingest.Time `json:"startTimeUtc"`
	End              ingest.Time `json:"endTimeUtc"`
	Detected         ingest.Time `json:"detectedTimeUtc"`
	Generated        ingest.Time `json:"timeGeneratedUtc"`
	ExportGenerated  ingest.Time `json:"timeGenerated"`
	Processed        ingest.Time `json:"processingEndTimeUtc"`
	ExportProcessed  ingest.Time `json:"processingEndTime"`
	Reported         ingest.Time `json:"reportedTimeUtc"`
	ResourceIDs      identifiers `json:"resourceIdentifiers"`
	AzureResourceID  ingest.Text `json:"azureResourceId"`
	Associated       ingest.Text `json:"associatedResource"`
	Subscription     ingest.Text `json:"azureResourceSubscriptionId"`
	OldSubscription  ingest.Text `json:"subscriptionId"`
	AADTenant        ingest.Text `json:"aadTenantId"`
	Compromised      ingest.Text `json:"compromisedEntity"`
	IsIncident       ingest.Bool `json:"isIncident"`
	CorrelationKey   ingest.Text `json:"correlationKey"`
	AlertURI         ingest.Text `json:"alertUri"`
	ProductName      ingest.Text `json:"productName"`
	ProductComponent ingest.Text `json:"productComponentName"`

	RemediationSteps   ingest.List[ingest.Text] `json:"remediationSteps"`
	ExtendedProperties jsontext.Value           `json:"extendedProperties"`
	Entities           jsontext.Value           `json:"entities"`
}

// identifiers name the resource in the terms of the systems that know it: AzureResource, AAD, LogAnalytics.
type identifiers = ingest.List[identifier]

type identifier struct {
	Type            ingest.Text `json:"type"`
	AzureResourceID ingest.Text `json:"azureResourceId"`
	AzureTenant     ingest.Text `json:"azureResourceTenantId"`
	AADTenant       ingest.Text `json:"aadTenantId"`
	AgentID         ingest.Text `json:"agentId"`
	WorkspaceID     ingest.Text `json:"workspaceId"`
}

// decodeFinding reads the alert out of a record, out of "properties" where it is a REST resource.
func decodeFinding(r ingest.Record) (finding, error) {
	var f finding
	raw := r.Raw
	if p := r.Field("properties"); p.Kind() == '{' && !r.Has("SystemAlertId") {
		raw = p
	}
	if err := ingest.Decode(raw, &f); err != nil {
		return f, err
	}
	if f.SystemAlertID == "" {
		f.SystemAlertID = ingest.Text(r.Text("name"))
	}
	return f, nil
}

// subscriptionID is the subscription the alert is about, wherever it is stated.
func (f finding) subscriptionID(armID string) string {
	for _, id := range append([]string{string(f.AzureResourceID), string(f.Associated)}, f.resourceIDs()...) {
		if sub := microsoft.AzureSubscription(id); sub != "" {
			return sub
		}
	}
	for _, sub := range []ingest.Text{f.Subscription, f.OldSubscription} {
		if !ingest.IsPlaceholder(string(sub)) {
			return string(sub)
		}
	}
	return microsoft.AzureSubscription(armID)
}

// resourceIDs are the Azure ids among the identifiers.
func (f finding) resourceIDs() []string {
	var out []string
	for _, id := range f.ResourceIDs {
		if v := string(id.AzureResourceID); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// directoryID is the Entra directory; zeros in it mean that Defender for Cloud does not know.
func (f finding) directoryID() string {
	for _, id := range f.ResourceIDs {
		for _, t := range []ingest.Text{id.AzureTenant, id.AADTenant} {
			if !ingest.IsPlaceholder(string(t)) {
				return string(t)
			}
		}
	}
	if ingest.IsPlaceholder(string(f.AADTenant)) {
		return ""
	}
	return string(f.AADTenant)
}

// isSample reports an alert made up by "create sample alerts".
func (f finding) isSample() bool {
	return strings.HasPrefix(strings.ToUpper(string(f.AlertType)), "SIMULATED_") ||
		strings.Contains(strings.ToUpper(string(f.AlertDisplayName)), "[SAMPLE ALERT]")
}
