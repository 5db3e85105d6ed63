// Package defender reads Microsoft Defender for Cloud: its alerts as the REST API spells them, as continuous export
// and Logic Apps do, and the posture that continuous export sends through the same hub.
//
//	Microsoft.Security/…/alerts, SystemAlertId ──▶ alert
//	Microsoft.Security/assessments (unhealthy) ──▶ exposure
//	secure score, compliance, anything else    ──▶ ignored
package defender

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// name is the room's name in Origin.Provider.
const name = "defender-for-cloud"

// Provider reads Defender for Cloud. It keeps nothing.
type Provider struct{}

// Name is "defender-for-cloud".
func (Provider) Name() string { return name }

// Recognize knows a resource of Microsoft.Security by its type or id, and an exported alert by names that Sentinel's
// copy of it spells otherwise.
func (Provider) Recognize(r ingest.Record) bool {
	if r.Has("SystemAlertId") {
		return (r.Has("AlertDisplayName") || r.Has("StartTimeUtc")) && !r.Has("VendorOriginalId") && !r.Has("AlertSeverity") &&
			!strings.Contains(strings.ToLower(r.Text("ProductName")), "sentinel")
	}
	if r.Has("securityEventDataEnrichment") || r.Has("alertUri", "alertType") {
		return true
	}
	return isSecurity(r.Text("type")) || strings.Contains(strings.ToLower(r.Text("id")), "/providers/microsoft.security/")
}

// Normalize reads an alert or an assessment and ignores what else Defender for Cloud exports.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	kind := strings.ToLower(r.Text("type"))
	if id := strings.ToLower(r.Text("id")); !isSecurity(kind) {
		_, kind, _ = strings.Cut(id, "/providers/microsoft.security/")
		kind = "microsoft.security/" + kind
	}
	switch {
	case r.Has("SystemAlertId"), strings.HasSuffix(kind, "/alerts"), strings.Contains(kind, "/alerts/"):
		return normalizeAlert(r)
	case strings.HasPrefix(kind, "microsoft.security/assessments"):
		return normalizeAssessment(r)
	case strings.Contains(kind, "regulatorycompliance"):
		return alert.Alert{}, ingest.Ignore("a regulatory compliance result is no finding")
	case strings.Contains(kind, "securescore"):
		return alert.Alert{}, ingest.Ignore("a secure score is no finding")
	case r.Has("alertType"):
		return normalizeAlert(r)
	}
	return alert.Alert{}, ingest.Ignore("Defender for Cloud exports this beside its alerts; it is no finding")
}

func isSecurity(kind string) bool {
	const prefix = "microsoft.security/"
	return len(kind) > len(prefix) && strings.EqualFold(kind[:len(prefix)], prefix)
}
