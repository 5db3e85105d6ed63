// Package inspector reads Amazon Inspector findings as EventBridge and ListFindings write them: vulnerable packages,
// reachable ports, weak code. All of them are exposures.
//
//	finding ─decode─▶ resources, vulnerability ─▶ exposure
package inspector

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads Inspector findings.
type Provider struct{}

// Name implements ingest.Provider.
func (Provider) Name() string { return "inspector" }

// Recognize knows a finding by its ARN, under a name only Inspector uses among the AWS products.
func (Provider) Recognize(r ingest.Record) bool {
	return r.Context["detail-type"] == "Inspector2 Finding" || r.Has("findingArn", "awsAccountId")
}

// Normalize implements ingest.Provider.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var f finding
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	id := strings.TrimSpace(string(f.FindingArn))
	if id == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "findingArn: missing")
	}
	a := alert.Alert{
		Class: alert.Exposure, Origin: alert.Origin{Provider: "inspector", ID: id}, Reporter: "inspector", ReportID: id,
		Product: "Amazon Inspector", Type: string(f.Type), Title: string(f.Title), Description: string(f.Description),
		Recommendation: string(f.Remediation.Recommendation.Text),
		URL:            string(cmp.Or(f.Remediation.Recommendation.URL, f.PackageVulnerabilityDetails.SourceURL)),
		Severity:       alert.ParseSeverity(string(f.Severity)), NativeSeverity: string(f.Severity),
		Status: alert.ParseStatus(string(f.Status)), NativeStatus: string(f.Status),
		First:   ingest.FirstSet(f.FirstObservedAt, f.LastObservedAt, f.UpdatedAt),
		Last:    ingest.FirstSet(f.LastObservedAt, f.UpdatedAt, f.FirstObservedAt),
		Updated: ingest.FirstSet(f.UpdatedAt, f.LastObservedAt, f.FirstObservedAt),
		Account: accountOf(&f, r),
	}
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Evidence = resourceEvidence(&f, a.Account)
	a.Extra = extraFacts(&f)
	return a, nil
}
