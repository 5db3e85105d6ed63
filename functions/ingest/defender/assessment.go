package defender

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/microsoft"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// assessment is a recommendation, or one finding of it (a sub-assessment), about one resource.
type assessment struct {
	DisplayName ingest.Text `json:"displayName"`
	Description ingest.Text `json:"description"`
	Remediation ingest.Text `json:"remediation"`
	Category    ingest.Text `json:"category"`
	Generated   ingest.Time `json:"timeGenerated"`
	Status      struct {
		Code     ingest.Text `json:"code"`
		Cause    ingest.Text `json:"cause"`
		Severity ingest.Text `json:"severity"` // of a sub-assessment
		First    ingest.Time `json:"firstEvaluationDate"`
		Changed  ingest.Time `json:"statusChangeDate"`
	} `json:"status"`
	Resource struct {
		Source   ingest.Text `json:"source"`
		ID       ingest.Text `json:"id"`
		NativeID ingest.Text `json:"nativeResourceId"`
		Name     ingest.Text `json:"resourceName"`
	} `json:"resourceDetails"`
	Metadata struct {
		DisplayName ingest.Text              `json:"displayName"`
		Description ingest.Text              `json:"description"`
		Remediation ingest.Text              `json:"remediationDescription"`
		Severity    ingest.Text              `json:"severity"`
		Categories  ingest.Text              `json:"categories"`
		Tactics     ingest.Text              `json:"tactics"`
		Techniques  ingest.List[ingest.Text] `json:"techniques"`
	} `json:"metadata"`
	Links struct {
		Portal ingest.Text `json:"azurePortal"`
	} `json:"links"`
	AdditionalData jsontext.Value `json:"additionalData"`
}

// normalizeAssessment makes an exposure of an assessment with a status code; without one it is only a definition.
func normalizeAssessment(r ingest.Record) (alert.Alert, error) {
	var s assessment
	if p := r.Field("properties"); p.Kind() == '{' {
		if err := ingest.Decode(p, &s); err != nil {
			return alert.Alert{}, err
		}
	}
	if s.Status.Code == "" {
		return alert.Alert{}, ingest.Ignore("an assessment without a status is no finding")
	}
	id := r.Text("id")
	if id == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "id: missing")
	}
	severity := cmp.Or(s.Status.Severity, s.Metadata.Severity)
	a := alert.Alert{
		Class: alert.Exposure, Origin: alert.Origin{Provider: name, ID: strings.ToLower(id)}, Reporter: name, ReportID: id,
		Product: product, Type: r.Text("name"), Title: string(cmp.Or(s.DisplayName, s.Metadata.DisplayName)),
		Description:    string(cmp.Or(s.Description, s.Metadata.Description)),
		Recommendation: string(cmp.Or(s.Remediation, s.Metadata.Remediation)), URL: portalURL(string(s.Links.Portal)),
		Severity: alert.ParseSeverity(string(severity)), NativeSeverity: string(severity),
		Status: exposureStatus(string(s.Status.Code)), NativeStatus: string(s.Status.Code),
		Tactics:    microsoft.ParseTactics(attack.MicrosoftIntent, string(s.Metadata.Tactics)),
		Techniques: attack.FindTechniques(microsoft.ParseTexts(s.Metadata.Techniques)...),
		First:      ingest.FirstSet(s.Status.First, s.Status.Changed, s.Generated),
		Updated:    ingest.FirstSet(s.Generated, s.Status.Changed),
		Account:    alert.Account{Cloud: entity.Azure, ID: microsoft.AzureSubscription(id)},
		Extra:      microsoft.ParseProperties(s.AdditionalData),
	}
	if t := r.Text("tenantId"); !ingest.IsPlaceholder(t) {
		a.Account.Organization = t
	}
	a.Last = a.Updated
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Extra = withFact(a.Extra, "cause", string(s.Status.Cause))
	a.Extra = withFact(a.Extra, "category", string(cmp.Or(s.Category, s.Metadata.Categories)))
	a.Evidence = s.evidenceOf(id)
	return a, nil
}

// evidenceOf is the assessed resource: the one stated, else the one whose id the assessment's own id extends.
func (s assessment) evidenceOf(id string) []alert.Evidence {
	resource := string(s.Resource.ID)
	if resource == "" {
		if i := strings.Index(strings.ToLower(id), "/providers/microsoft.security/assessments"); i > 0 {
			resource = id[:i]
		}
	}
	ev := microsoft.AzureResource(resource)
	if native := string(s.Resource.NativeID); !ingest.IsPlaceholder(native) {
		ev.Entity = ev.WithAlias(entity.Resource, native)
	}
	ev.Role = alert.Victim
	var set ingest.EvidenceSet
	set.Add(ev)
	return set.List()
}

// exposureStatus: what is healthy, or does not apply, is no exposure any more.
func exposureStatus(code string) alert.Status {
	switch strings.ToLower(code) {
	case "healthy", "notapplicable":
		return alert.StatusResolved
	case "unhealthy":
		return alert.StatusNew
	}
	return alert.StatusUnknown
}

// portalURL completes the portal's address, which is given without its scheme.
func portalURL(portal string) string {
	if portal == "" || strings.Contains(portal, "://") {
		return portal
	}
	return "https://" + portal
}
