package sentinel

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
)

// moment is a time that query tools write as "None" when there is none.
type moment struct{ ingest.Time }

// UnmarshalJSON accepts what ingest.Time does, and the words for nothing.
func (m *moment) UnmarshalJSON(b []byte) error {
	if ingest.IsPlaceholder(strings.Trim(string(b), `"`)) {
		return nil
	}
	return m.Time.UnmarshalJSON(b)
}

// alertRow is a SecurityAlert, as a row or as the properties of a resource.
type alertRow struct {
	SystemAlertID    ingest.Text `json:"systemAlertId"`
	VendorOriginalID ingest.Text `json:"vendorOriginalId"`
	ProviderAlertID  ingest.Text `json:"providerAlertId"` // the resource's word for VendorOriginalId
	DisplayName      ingest.Text `json:"displayName"`
	AlertDisplayName ingest.Text `json:"alertDisplayName"`
	AlertName        ingest.Text `json:"alertName"`
	AlertType        ingest.Text `json:"alertType"`
	Description      ingest.Text `json:"description"`
	AlertSeverity    ingest.Text `json:"alertSeverity"`
	Severity         ingest.Text `json:"severity"`
	Status           ingest.Text `json:"status"`
	ProductName      ingest.Text `json:"productName"`
	ProductComponent ingest.Text `json:"productComponentName"`
	ProviderName     ingest.Text `json:"providerName"`
	Compromised      ingest.Text `json:"compromisedEntity"`
	AlertLink        ingest.Text `json:"alertLink"`
	AlertURI         ingest.Text `json:"alertUri"`
	ResourceID       ingest.Text `json:"resourceId"`
	Confidence       ingest.Text `json:"confidenceLevel"`
	Workspace        ingest.Text `json:"tenantId"` // the workspace, whatever the column is called
	WorkspaceSub     ingest.Text `json:"workspaceSubscriptionId"`
	IsIncident       ingest.Bool `json:"isIncident"`

	Intent     ingest.Text              `json:"intent"`
	Tactics    ingest.List[ingest.Text] `json:"tactics"`
	Techniques ingest.List[ingest.Text] `json:"techniques"`
	SubTechs   ingest.List[ingest.Text] `json:"subTechniques"`

	Start        moment `json:"startTime"`
	StartUTC     moment `json:"startTimeUtc"`
	End          moment `json:"endTime"`
	EndUTC       moment `json:"endTimeUtc"`
	Generated    moment `json:"timeGenerated"`
	GeneratedUTC moment `json:"timeGeneratedUtc"`
	Processed    moment `json:"processingEndTime"`

	RemediationSteps    ingest.List[ingest.Text] `json:"remediationSteps"`
	ExtendedProperties  jsontext.Value           `json:"extendedProperties"`
	AdditionalData      jsontext.Value           `json:"additionalData"`
	Entities            jsontext.Value           `json:"entities"`
	ResourceIdentifiers ingest.List[struct {
		ResourceID      ingest.Text `json:"resourceId"`
		AzureResourceID ingest.Text `json:"azureResourceId"`
		Subscription    ingest.Text `json:"subscriptionId"`
		AADTenant       ingest.Text `json:"aadTenantId"`
		AzureTenant     ingest.Text `json:"azureResourceTenantId"`
	}] `json:"resourceIdentifiers"`
}

// incidentRow is a SecurityIncident, as a row or as the properties of a resource.
type incidentRow struct {
	Name           ingest.Text              `json:"incidentName"`
	Number         ingest.Text              `json:"incidentNumber"`
	Title          ingest.Text              `json:"title"`
	Description    ingest.Text              `json:"description"`
	Severity       ingest.Text              `json:"severity"`
	Status         ingest.Text              `json:"status"`
	Classification ingest.Text              `json:"classification"`
	Reason         ingest.Text              `json:"classificationReason"`
	Owner          jsontext.Value           `json:"owner"`
	ProviderName   ingest.Text              `json:"providerName"`
	ProviderID     ingest.Text              `json:"providerIncidentId"`
	URL            ingest.Text              `json:"incidentUrl"`
	Workspace      ingest.Text              `json:"tenantId"`
	AlertIDs       ingest.List[ingest.Text] `json:"alertIds"`
	Alerts         ingest.List[struct {
		Name       ingest.Text `json:"name"`
		Properties struct {
			SystemAlertID ingest.Text `json:"systemAlertId"`
		} `json:"properties"`
	}] `json:"alerts"`
	RelatedEntities jsontext.Value `json:"relatedEntities"`
	AdditionalData  jsontext.Value `json:"additionalData"`

	First       moment `json:"firstActivityTime"`
	FirstUTC    moment `json:"firstActivityTimeUtc"`
	Last        moment `json:"lastActivityTime"`
	LastUTC     moment `json:"lastActivityTimeUtc"`
	Created     moment `json:"createdTime"`
	CreatedUTC  moment `json:"createdTimeUtc"`
	Modified    moment `json:"lastModifiedTime"`
	ModifiedUTC moment `json:"lastModifiedTimeUtc"`
	Generated   moment `json:"timeGenerated"`
}
