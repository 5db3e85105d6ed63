// Package securityhub reads findings in the AWS Security Finding Format: Security Hub's own controls, and what it
// forwards for other products. A forwarded finding keeps the identity its product gave it, so that it folds with the
// product's own delivery.
//
//	finding ─decode─▶ origin, class ─walk resources, action, indicators─▶ alert or exposure
package securityhub

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads ASFF findings.
type Provider struct{}

// Name implements ingest.Provider.
func (Provider) Name() string { return "securityhub" }

// Recognize knows a finding by the members the format requires.
func (Provider) Recognize(r ingest.Record) bool { return r.Has("AwsAccountId", "ProductArn", "Id") }

// Normalize implements ingest.Provider.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var f finding
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	if strings.TrimSpace(string(f.ID)) == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "Id: missing")
	}
	if len(f.Types) == 0 {
		f.Types = f.FindingProviderFields.Types
	}
	a := alert.Alert{
		Class: classOf(&f), Origin: originOf(&f), Reporter: "securityhub", ReportID: string(f.ID), Product: productName(&f),
		Title: string(f.Title), Description: string(f.Description), Type: string(f.GeneratorID),
		Recommendation: string(f.Remediation.Recommendation.Text),
		URL:            string(cmp.Or(f.SourceURL, f.Remediation.Recommendation.URL)),
		Account:        accountOf(&f, r),
		CarriedIDs:     carriedIDs(&f),
		Count:          sightingCount(f.ProductFields),
		Sample:         isSample(f.ProductFields),
	}
	if len(f.Types) > 0 {
		a.Type = string(f.Types[0])
	}
	a.Severity, a.NativeSeverity = severityOf(&f)
	a.Status, a.NativeStatus = statusOf(&f)
	a.First = ingest.FirstSet(f.FirstObservedAt, f.CreatedAt, f.LastObservedAt, f.UpdatedAt)
	a.Last = ingest.FirstSet(f.LastObservedAt, f.UpdatedAt, f.CreatedAt)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(f.UpdatedAt, f.LastObservedAt, f.CreatedAt)
	m := evidenceMapper{account: a.Account}
	m.addFinding(&f)
	a.Evidence = alert.MergeEvidence(nil, m.Found)
	a.Members = m.members
	if len(m.Extra) > 0 {
		a.Extra = m.Extra
	}
	a.Tactics, a.Techniques = attackOf(&f)
	return a, nil
}
