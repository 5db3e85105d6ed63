// Package macie reads Amazon Macie findings: sensitive data in S3 objects, and buckets whose policy got weaker.
// Both are alerts: the one is an exposure of data that has happened, the other somebody's act.
//
//	finding ─decode─▶ bucket, object, actor ─▶ alert
package macie

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads Macie findings.
type Provider struct{}

// Name implements ingest.Provider.
func (Provider) Name() string { return "macie" }

// Recognize knows a finding by the members that only Macie has.
func (Provider) Recognize(r ingest.Record) bool {
	return r.Context["detail-type"] == "Macie Finding" || r.Has("accountId", "resourcesAffected")
}

// Normalize implements ingest.Provider.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var f finding
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	id := strings.TrimSpace(string(f.ID))
	if id == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "id: missing")
	}
	a := alert.Alert{
		Origin: alert.Origin{Provider: "macie", ID: id}, Reporter: "macie", ReportID: id, Product: "Amazon Macie",
		Type: string(f.Type), Title: string(f.Title), Description: string(f.Description),
		Status: alert.StatusNew, NativeStatus: "active", Count: int64(f.Count.Value), Sample: bool(f.Sample),
		Account: alert.Account{Cloud: entity.Amazon, ID: string(f.AccountID), Region: cmp.Or(string(f.Region), r.Context["region"])},
		Tactics: tacticsOf(string(f.Type)),
	}
	if a.Account.Region != "" && a.Account.ID != "" {
		// Security Hub and others know it by this name.
		a.CarriedIDs = []string{"arn:" + cmp.Or(string(f.Partition), "aws") + ":macie2:" + a.Account.Region + ":" + a.Account.ID + ":finding/" + id}
	}
	if f.Archived {
		a.Status, a.NativeStatus = alert.StatusResolved, "archived"
	}
	a.Severity, a.NativeSeverity = severityOf(&f)
	action := &f.PolicyDetails.Action.APICallDetails
	a.First = ingest.FirstSet(action.FirstSeen, f.CreatedAt, f.UpdatedAt)
	a.Last = ingest.FirstSet(action.LastSeen, f.UpdatedAt, f.CreatedAt)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(f.UpdatedAt, f.CreatedAt)
	m := evidenceMapper{partition: cmp.Or(string(f.Partition), "aws")}
	m.addFinding(&f)
	a.Evidence = alert.MergeEvidence(nil, m.Found)
	a.Extra = m.Extra
	return a, nil
}
