package graph

import (
	"strings"

	"github.com/onepane/onepane/functions/api/odata"
)

// The Graph's enums, in the order of its SDK. Members after unknownFutureValue are sent only to who asks for them
// (Prefer: include-unknown-enum-members).
var (
	SeverityEnum       = newEnum("alertSeverity", "unknown informational low medium high unknownFutureValue")
	AlertStatusEnum    = newEnum("alertStatus", "unknown new inProgress resolved unknownFutureValue")
	IncidentStatusEnum = newEnum("incidentStatus", "active resolved inProgress redirected unknownFutureValue awaitingAction")
	ClassificationEnum = newEnum("alertClassification", "unknown falsePositive truePositive informationalExpectedActivity unknownFutureValue")
	DeterminationEnum  = &odata.Enum{
		Name: "alertDetermination",
		Members: strings.Fields("unknown apt malware securityPersonnel securityTesting unwantedSoftware other multiStagedAttack " +
			"compromisedAccount phishing maliciousUserActivity notMalicious notEnoughDataToValidate confirmedActivity " +
			"lineOfBusinessApplication unknownFutureValue"),
		Aliases: map[string]string{
			"compromiseduser": "compromisedAccount", "clean": "notMalicious", "insufficientdata": "notEnoughDataToValidate",
			"noenoughdatatovalidate": "notEnoughDataToValidate", "confirmeduseractivity": "confirmedActivity",
		},
	}
	serviceSourceEnum = newEnum("serviceSource", "unknown microsoftDefenderForEndpoint microsoftDefenderForIdentity "+
		"microsoftDefenderForCloudApps microsoftDefenderForOffice365 microsoft365Defender azureAdIdentityProtection "+
		"microsoftAppGovernance dataLossPrevention unknownFutureValue microsoftDefenderForCloud microsoftSentinel "+
		"microsoftInsiderRiskManagement microsoftThreatIntelligence")
	detectionSourceEnum = newEnum("detectionSource", "unknown microsoftDefenderForEndpoint antivirus smartScreen customTi "+
		"microsoftDefenderForOffice365 automatedInvestigation microsoftThreatExperts customDetection "+
		"microsoftDefenderForIdentity cloudAppSecurity microsoft365Defender azureAdIdentityProtection manual "+
		"microsoftDataLossPrevention appGovernancePolicy appGovernanceDetection unknownFutureValue "+
		"microsoftDefenderForCloud microsoftDefenderForIoT microsoftDefenderForServers microsoftDefenderForStorage "+
		"microsoftDefenderForDNS microsoftDefenderForDatabases microsoftDefenderForContainers "+
		"microsoftDefenderForNetwork microsoftDefenderForAppService microsoftDefenderForKeyVault "+
		"microsoftDefenderForResourceManager microsoftDefenderForApiManagement nrtAlerts scheduledAlerts "+
		"microsoftDefenderThreatIntelligenceAnalytics builtInMl microsoftInsiderRiskManagement "+
		"microsoftThreatIntelligence microsoftDefenderForAIServices securityCopilot microsoftSentinel")
	verdictEnum           = newEnum("evidenceVerdict", "unknown suspicious malicious noThreatsFound unknownFutureValue")
	remediationStatusEnum = newEnum("evidenceRemediationStatus", "none remediated prevented blocked notFound unknownFutureValue "+
		"active pendingApproval declined unremediated running partiallyRemediated")
)

func newEnum(name, members string) *odata.Enum {
	return &odata.Enum{Name: name, Members: strings.Fields(members)}
}
