// Package xdr reads Microsoft Defender XDR in the three shapes it comes in: Microsoft Graph's alerts_v2 and incidents,
// the older /api/incidents, and the streaming API's rows of AlertInfo and AlertEvidence.
//
//	incident with alerts ─Split─▶ its alerts, each with the incident in its Context
//	alert, AlertInfo ───────────▶ alert
//	AlertEvidence ──────────────▶ evidence for the alert of the same id, whichever comes first
package xdr

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// The room's name in Origin.Provider, and that of the product whose alerts XDR shows too.
const (
	name             = "defender-xdr"
	defenderForCloud = "defender-for-cloud"
)

// Context that Split leaves with an alert of an incident.
const (
	incidentID     = "incident-id"
	incidentTitle  = "incident-title"
	incidentTenant = "incident-tenant"
)

// Provider reads Defender XDR. It keeps nothing.
type Provider struct{}

// Name is "defender-xdr".
func (Provider) Name() string { return name }

// Recognize knows Graph objects by type or by members that only they have, and streaming rows by their category.
func (Provider) Recognize(r ingest.Record) bool { return shapeOf(r) != noShape }

// shape is one of the forms that a record has.
type shape int

const (
	noShape shape = iota
	graphAlert
	graphIncident
	legacyAlert
	legacyIncident
	streamed
)

func shapeOf(r ingest.Record) shape {
	switch odata := strings.ToLower(r.Text("@odata.type")); {
	case strings.HasPrefix(r.Text("category"), "AdvancedHunting-") && r.Has("properties"):
		return streamed
	case strings.HasSuffix(odata, "graph.security.alert"):
		return graphAlert
	case strings.HasSuffix(odata, "graph.security.incident"):
		return graphIncident
	case r.Has("id", "title") && (r.Has("serviceSource") || r.Has("detectionSource") || r.Has("providerAlertId") || r.Has("alertWebUrl")):
		return graphAlert
	case r.Has("id", "displayName") && (r.Has("incidentWebUrl") || r.Has("redirectIncidentId") || r.Has("alerts") || r.Has("lastUpdateDateTime", "status")):
		return graphIncident
	case r.Has("alertId") && (r.Has("serviceSource") || r.Has("entities") || r.Has("devices")):
		return legacyAlert
	case r.Has("incidentId") && (r.Has("incidentName") || r.Has("alerts")):
		return legacyIncident
	}
	return noShape
}

// Split takes an incident's alerts apart; an incident without alerts stays as it is.
func (Provider) Split(r ingest.Record) ([]ingest.Record, error) {
	context := map[string]string{incidentTenant: r.Text("tenantId")}
	switch shapeOf(r) {
	case graphIncident:
		context[incidentID], context[incidentTitle] = r.Text("id"), r.Text("displayName")
	case legacyIncident:
		context[incidentID], context[incidentTitle] = textOf(r.Field("incidentId")), r.Text("incidentName")
	default:
		return []ingest.Record{r}, nil
	}
	if r.Field("alerts").Kind() != '[' {
		return []ingest.Record{r}, nil
	}
	list, err := ingest.Elements(r.Field("alerts"))
	if err != nil || len(list) == 0 {
		return []ingest.Record{r}, err
	}
	out := make([]ingest.Record, len(list))
	for i, v := range list {
		out[i] = ingest.NewRecord(v, context)
	}
	return out, nil
}

// textOf is a value that may be a number or a string.
func textOf(v jsontext.Value) string {
	var t ingest.Text
	if len(v) == 0 || ingest.Decode(v, &t) != nil {
		return ""
	}
	return string(t)
}

// Normalize reads what Recognize knows.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	switch shapeOf(r) {
	case graphAlert:
		return normalizeAlert(r)
	case graphIncident, legacyIncident:
		return normalizeIncident(r)
	case legacyAlert:
		return normalizeLegacy(r)
	case streamed:
		return normalizeStreamed(r)
	}
	return alert.Alert{}, ingest.Ignore("neither alert nor incident of Defender XDR")
}
