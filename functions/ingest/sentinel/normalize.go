package sentinel

import (
	"cmp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

func normalizeAlert(raw jsontext.Value, r ingest.Record) (alert.Alert, error) {
	var s alertRow
	if err := ingest.Decode(raw, &s); err != nil {
		return alert.Alert{}, err
	}
	id := string(cmp.Or(s.SystemAlertID, ingest.Text(r.Text("name"))))
	if ingest.IsPlaceholder(id) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "systemAlertId: missing")
	}
	severity := cmp.Or(s.AlertSeverity, s.Severity)
	a := alert.Alert{
		Origin: s.originOf(id), Reporter: name, ReportID: id, CarriedIDs: s.carriedIDs(id), Product: s.productName(),
		Type: string(s.AlertType), Title: string(cmp.Or(s.AlertDisplayName, s.DisplayName, s.AlertName)),
		Description: string(s.Description), Recommendation: strings.Join(microsoft.ParseTexts(s.RemediationSteps), "\n"),
		URL:      string(cmp.Or(s.AlertLink, s.AlertURI)),
		Severity: alert.ParseSeverity(string(severity)), NativeSeverity: string(severity),
		Status: alert.ParseStatus(string(s.Status)), NativeStatus: string(s.Status),
		Tactics: microsoft.ParseTactics(attack.MicrosoftIntent,
			append(microsoft.ParseTexts(s.Tactics), string(s.Intent))...),
		Techniques: attack.FindTechniques(append(microsoft.ParseTexts(s.Techniques), microsoft.ParseTexts(s.SubTechs)...)...),
		First:      firstSet(s.Start, s.StartUTC, s.End, s.EndUTC, s.Generated, s.GeneratedUTC),
		Last:       firstSet(s.End, s.EndUTC),
		Updated:    firstSet(s.Generated, s.GeneratedUTC, s.Processed),
		Extra:      microsoft.ParseProperties(s.ExtendedProperties),
		Sample:     s.isSample(),
	}
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Extra = s.extraFacts(a.Extra)
	a.Account = alert.Account{Cloud: entity.Azure, ID: s.subscriptionID(a.Extra), Organization: s.organizationID()}
	members := s.addEvidence(&a)
	if s.IsIncident {
		a.Members = members
	}
	return a, nil
}

// Products whose alerts Sentinel forwards, by their names over the years, folded.
var (
	defenderForCloud = []string{"azure security center", "microsoft defender for cloud", "azure defender", "asc"}
	defenderXDR      = []string{
		"microsoft defender advanced threat protection", "microsoft defender for endpoint", "mdatp",
		"office 365 advanced threat protection", "microsoft defender for office 365", "oatp",
		"azure advanced threat protection", "microsoft defender for identity", "aatp",
		"microsoft cloud app security", "microsoft defender for cloud apps", "mcas",
		"azure active directory identity protection", "microsoft entra id protection", "ipc",
		"microsoft 365 defender", "microsoft defender xdr", "microsoft threat protection", "mtp",
		"microsoft data loss prevention", "microsoft application governance", "microsoft 365 insider risk management",
	}
)

// originOf is the product that detected: Sentinel itself only where the record names no other with an id of its own.
func (s alertRow) originOf(id string) alert.Origin {
	theirs := s.vendorID()
	switch {
	case s.isFrom(defenderForCloud) && theirs != "":
		return alert.Origin{Provider: "defender-for-cloud", ID: strings.ToLower(theirs)}
	case s.isFrom(defenderForCloud) && strings.Contains(id, "_"): // a workspace without Sentinel keeps the product's own id
		return alert.Origin{Provider: "defender-for-cloud", ID: strings.ToLower(id)}
	case s.isFrom(defenderXDR) && theirs != "":
		return alert.Origin{Provider: "defender-xdr", ID: theirs}
	}
	return alert.Origin{Provider: name, ID: id}
}

func (s alertRow) vendorID() string {
	for _, id := range []ingest.Text{s.VendorOriginalID, s.ProviderAlertID} {
		if !ingest.IsPlaceholder(string(id)) {
			return string(id)
		}
	}
	return ""
}

// isFrom reports whether the product, or failing that the provider, is one of those named.
func (s alertRow) isFrom(products []string) bool {
	for _, p := range products {
		if strings.EqualFold(string(cmp.Or(s.ProductName, s.ProviderName)), p) {
			return true
		}
	}
	return false
}

// carriedIDs are the ids by which other products know the alert. Defender XDR's link ends in its own id for it.
func (s alertRow) carriedIDs(id string) []string {
	out := []string{id}
	if v := s.vendorID(); v != "" && v != id {
		out = append(out, v)
	}
	if _, after, ok := strings.Cut(string(s.AlertLink), "security.microsoft.com/alerts/"); ok {
		if end := strings.IndexAny(after, "?/#"); end >= 0 {
			after = after[:end]
		}
		if after != "" && after != s.vendorID() {
			out = append(out, after)
		}
	}
	return out
}

// productName is the detecting product as people know it today.
func (s alertRow) productName() string {
	switch p := string(cmp.Or(s.ProductName, s.ProviderName)); {
	case s.isFrom(defenderForCloud):
		return "Microsoft Defender for Cloud"
	case strings.EqualFold(p, "Azure Sentinel"), p == "":
		return "Microsoft Sentinel"
	default:
		return p
	}
}

func (s alertRow) isSample() bool {
	title := strings.ToUpper(string(cmp.Or(s.AlertDisplayName, s.DisplayName, s.AlertName)))
	return strings.HasPrefix(strings.ToUpper(string(s.AlertType)), "SIMULATED_") ||
		strings.Contains(title, "[SAMPLE ALERT]") || strings.Contains(title, "[TEST ALERT]")
}

func (s alertRow) extraFacts(m map[string]string) map[string]string {
	for k, v := range microsoft.ParseProperties(s.AdditionalData) {
		if _, has := m[k]; !has {
			m = microsoft.WithFact(m, k, v)
		}
	}
	m = microsoft.WithFact(m, "compromisedEntity", string(s.Compromised))
	m = microsoft.WithFact(m, "productComponentName", string(s.ProductComponent))
	m = microsoft.WithFact(m, "workspaceId", string(s.Workspace))
	return microsoft.WithFact(m, "confidenceLevel", string(s.Confidence))
}

// addEvidence fills in the things the alert names and returns the alerts it names.
func (s alertRow) addEvidence(a *alert.Alert) (members []string) {
	var set ingest.EvidenceSet
	ids := []string{string(s.ResourceID)}
	for _, r := range s.ResourceIdentifiers {
		ids = append(ids, string(cmp.Or(r.ResourceID, r.AzureResourceID)))
	}
	microsoft.AddResources(ids, a.Account.ID, &set)
	members = microsoft.AddEntities(s.Entities, &set)
	a.Evidence = set.List()
	return members
}

// subscriptionID is the subscription of the resource, else of the workspace that holds the row.
func (s alertRow) subscriptionID(extra map[string]string) string {
	candidates := []string{microsoft.AzureSubscription(string(s.ResourceID))}
	for _, r := range s.ResourceIdentifiers {
		candidates = append(candidates, microsoft.AzureSubscription(string(cmp.Or(r.ResourceID, r.AzureResourceID))), string(r.Subscription))
	}
	candidates = append(candidates, extra["effectiveSubscriptionId"], segmentAfter(string(s.AlertLink), "/subscriptionId/"), string(s.WorkspaceSub))
	for _, c := range candidates {
		if !ingest.IsPlaceholder(c) {
			return c
		}
	}
	return ""
}

func (s alertRow) organizationID() string {
	for _, r := range s.ResourceIdentifiers {
		if t := string(cmp.Or(r.AADTenant, r.AzureTenant)); !ingest.IsPlaceholder(t) {
			return t
		}
	}
	return ""
}

// segmentAfter is the path segment of a link that follows a marker.
func segmentAfter(link, marker string) string {
	_, after, ok := strings.Cut(link, marker)
	if !ok {
		return ""
	}
	segment, _, _ := strings.Cut(after, "/")
	return segment
}

func firstSet(ms ...moment) (t time.Time) {
	for _, m := range ms {
		if !m.IsZero() {
			return m.Time.Time
		}
	}
	return t
}
