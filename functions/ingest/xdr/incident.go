package xdr

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// incident is an incident that came without its alerts, in the Graph's words or the older API's.
type incident struct {
	ID             ingest.Text `json:"id"`
	DisplayName    ingest.Text `json:"displayName"`
	LegacyID       ingest.Text `json:"incidentId"`
	LegacyName     ingest.Text `json:"incidentName"`
	TenantID       ingest.Text `json:"tenantId"`
	Description    ingest.Text `json:"description"`
	Summary        ingest.Text `json:"summary"`
	Severity       ingest.Text `json:"severity"`
	Status         ingest.Text `json:"status"`
	Classification ingest.Text `json:"classification"`
	Determination  ingest.Text `json:"determination"`
	AssignedTo     ingest.Text `json:"assignedTo"`
	RedirectID     ingest.Text `json:"redirectIncidentId"`
	Tags           ingest.Text `json:"customTags"`
	URL            ingest.Text `json:"incidentWebUrl"`
	Created        ingest.Time `json:"createdDateTime"`
	Updated        ingest.Time `json:"lastUpdateDateTime"`
	LegacyCreated  ingest.Time `json:"createdTime"`
	LegacyUpdated  ingest.Time `json:"lastUpdateTime"`
}

// normalizeIncident makes one alert of type "incident". One that was redirected lives on in another and is done here.
func normalizeIncident(r ingest.Record) (alert.Alert, error) {
	var i incident
	if err := ingest.Decode(r.Raw, &i); err != nil {
		return alert.Alert{}, err
	}
	id := string(cmp.Or(i.ID, i.LegacyID))
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "id: missing")
	}
	a := alert.Alert{
		// An incident's number and an alert's id are names of two kinds; the prefix keeps them apart.
		Origin: alert.Origin{Provider: name, ID: "incident/" + id}, Reporter: name, ReportID: id,
		Product: "Microsoft Defender XDR", ServiceSource: "microsoft365Defender", Type: "incident",
		Title: string(cmp.Or(i.DisplayName, i.LegacyName)), Description: string(cmp.Or(i.Description, i.Summary)), URL: string(i.URL),
		Severity: alert.ParseSeverity(string(i.Severity)), NativeSeverity: string(i.Severity),
		Status: alert.ParseStatus(string(i.Status)), NativeStatus: string(i.Status),
		First:          ingest.FirstSet(i.Created, i.LegacyCreated, i.Updated, i.LegacyUpdated),
		Updated:        ingest.FirstSet(i.Updated, i.LegacyUpdated, i.Created, i.LegacyCreated),
		Account:        alert.Account{Cloud: entity.Azure, Organization: organizationOf(string(i.TenantID), r)},
		CorrelationKey: correlationKey(id),
	}
	if strings.EqualFold(string(i.Status), "awaitingAction") {
		a.Status = alert.StatusInProgress
	}
	if to := string(i.RedirectID); !ingest.IsPlaceholder(to) {
		a.CorrelationKey = correlationKey(to)
		a.Extra = microsoft.WithFact(a.Extra, "redirectIncidentId", to)
	}
	for _, f := range [...][2]string{
		{"classification", string(i.Classification)}, {"determination", string(i.Determination)}, {"assignedTo", string(i.AssignedTo)},
		{"summary", microsoft.ClipText(string(i.Summary), 2<<10)}, {"customTags", string(i.Tags)},
	} {
		a.Extra = microsoft.WithFact(a.Extra, f[0], f[1])
	}
	completeAlert(&a)
	return a, nil
}
