package alert

// services says which Graph service speaks for a provider of Microsoft's own. Everything else, all clouds and other
// products, speaks through Defender for Cloud, as it does in the product (unified-api reference, 1.4).
var services = map[string]string{
	"sentinel":              "microsoftSentinel",
	"defender-xdr":          "microsoft365Defender",
	"defender-for-endpoint": "microsoftDefenderForEndpoint",
}

const defenderForCloud = "microsoftDefenderForCloud"

// GraphService is the alert's serviceSource.
func (a Alert) GraphService() string {
	if a.ServiceSource != "" {
		return a.ServiceSource
	}
	if s := services[a.Origin.Provider]; s != "" {
		return s
	}
	return defenderForCloud
}

// GraphDetection is the alert's detectionSource.
func (a Alert) GraphDetection() string {
	if a.DetectionSource != "" {
		return a.DetectionSource
	}
	if s := services[a.Origin.Provider]; s != "" {
		return s
	}
	return defenderForCloud
}
