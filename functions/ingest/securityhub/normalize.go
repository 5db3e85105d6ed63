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
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
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
	w := walker{account: a.Account}
	w.addFinding(&f)
	a.Evidence = alert.MergeEvidence(nil, w.Found)
	a.Members = w.members
	if len(w.Extra) > 0 {
		a.Extra = w.Extra
	}
	a.Tactics, a.Techniques = attackOf(&f)
	return a, nil
}

// accountOf is the finding's own, never that of the event it came in: an aggregator repeats findings of other accounts.
func accountOf(f *finding, r ingest.Record) alert.Account {
	region := string(f.Region)
	for i := 0; region == "" && i < len(f.Resources); i++ {
		region = string(f.Resources[i].Region)
	}
	return alert.Account{
		Cloud: entity.Amazon, ID: string(f.AwsAccountID), Name: string(f.AwsAccountName),
		Region: cmp.Or(region, r.Context["region"]),
	}
}

// attackOf reads tactics from the finding's types: the category, or GuardDuty's own type in the third segment, or what
// an attack sequence indicates.
func attackOf(f *finding) ([]attack.Tactic, []string) {
	var tactics []attack.Tactic
	var words []string
	for _, in := range f.Detection.Sequence.SequenceIndicators {
		for _, v := range in.Values {
			switch in.Key {
			case "ATTACK_TACTIC":
				tactics = append(tactics, attack.FromWord(string(v)))
			case "ATTACK_TECHNIQUE":
				words = append(words, string(v))
			}
		}
	}
	for _, t := range f.Types {
		words = append(words, string(t))
		part := strings.SplitN(string(t), "/", 3)
		if len(part) < 2 {
			continue
		}
		tactic := attack.Parse(attack.ASFFType, part[0]+"/"+part[1])
		if tactic == "" && part[0] == "TTPs" {
			tactic = attack.Parse(attack.GuardDuty, part[1])
		}
		if purpose, _, ok := strings.Cut(part[len(part)-1], ":"); ok && tactic == "" {
			tactic = attack.Parse(attack.GuardDuty, purpose)
		}
		tactics = append(tactics, tactic)
	}
	return attack.SortTactics(tactics), attack.FindTechniques(words...)
}
