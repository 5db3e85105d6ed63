package xdr

import "strings"

// graphWord gives the Graph's word for what the streaming and the older API write for people; a word that is not known
// stays as it is.
func graphWord(words map[string]string, word string) string {
	if g := words[strings.ToLower(strings.ReplaceAll(word, " ", ""))]; g != "" {
		return g
	}
	return word
}

// services are the Graph's serviceSource words by the names of the services.
var services = map[string]string{
	"microsoftdefenderforendpoint": "microsoftDefenderForEndpoint", "microsoftdefenderatp": "microsoftDefenderForEndpoint",
	"microsoftdefenderforidentity": "microsoftDefenderForIdentity", "azureatp": "microsoftDefenderForIdentity",
	"microsoftdefenderforcloudapps": "microsoftDefenderForCloudApps", "microsoftcloudappsecurity": "microsoftDefenderForCloudApps",
	"microsoftdefenderforoffice365": "microsoftDefenderForOffice365", "officeatp": "microsoftDefenderForOffice365",
	"microsoft365defender": "microsoft365Defender", "microsoftdefenderxdr": "microsoft365Defender", "microsoftthreatprotection": "microsoft365Defender",
	"aadidentityprotection": "azureAdIdentityProtection", "microsoftentraidprotection": "azureAdIdentityProtection",
	"azureadidentityprotection": "azureAdIdentityProtection", "appgovernance": "microsoftAppGovernance",
	"microsoftappgovernance": "microsoftAppGovernance", "microsoftdatalossprevention": "dataLossPrevention",
	"datalossprevention": "dataLossPrevention", "microsoftdefenderforcloud": "microsoftDefenderForCloud",
	"microsoftsentinel": "microsoftSentinel", "microsoftinsiderriskmanagement": "microsoftInsiderRiskManagement",
}

// detections are the Graph's detectionSource words by the names of the sensors.
var detections = map[string]string{
	"edr": "microsoftDefenderForEndpoint", "windowsdefenderatp": "microsoftDefenderForEndpoint",
	"antivirus": "antivirus", "windowsdefenderav": "antivirus", "smartscreen": "smartScreen", "windowsdefendersmartscreen": "smartScreen",
	"customti": "customTi", "customerti": "customTi", "microsoftdefenderforoffice365": "microsoftDefenderForOffice365", "officeatp": "microsoftDefenderForOffice365",
	"automatedinvestigation": "automatedInvestigation", "microsoftthreatexperts": "microsoftThreatExperts",
	"customdetection": "customDetection", "microsoftdefenderforidentity": "microsoftDefenderForIdentity", "azureatp": "microsoftDefenderForIdentity",
	"cloudappsecurity": "cloudAppSecurity", "microsoftdefenderforcloudapps": "cloudAppSecurity", "microsoftcloudappsecurity": "cloudAppSecurity",
	"microsoft365defender": "microsoft365Defender", "aadidentityprotection": "azureAdIdentityProtection", "azureadidentityprotection": "azureAdIdentityProtection",
	"manual": "manual", "microsoftdatalossprevention": "microsoftDataLossPrevention", "appgovernancepolicy": "appGovernancePolicy",
	"appgovernancedetection": "appGovernanceDetection", "microsoftdefenderforcloud": "microsoftDefenderForCloud",
	"microsoftdefenderforservers": "microsoftDefenderForServers", "microsoftdefenderforstorage": "microsoftDefenderForStorage",
	"nrtalerts": "nrtAlerts", "scheduledalerts": "scheduledAlerts", "microsoftsentinel": "microsoftSentinel", "builtinml": "builtInMl",
}
