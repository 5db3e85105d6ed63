// Package guardduty reads Amazon GuardDuty findings, as EventBridge writes them (lower camel case) and as the API
// does (Pascal case). Opening wrappers is the envelope's work.
//
//	finding ─decode─▶ resource, service ─walk─▶ evidence, tactics ─▶ alert
package guardduty

import (
	"bytes"
	"cmp"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads GuardDuty findings.
type Provider struct{}

// Name implements ingest.Provider.
func (Provider) Name() string { return "guardduty" }

// Recognize knows a finding by its ARN, else by the pair of members that no other AWS product has.
func (Provider) Recognize(r ingest.Record) bool {
	if arn := r.Field("arn"); arn != nil {
		return bytes.Contains(arn, []byte(":guardduty:"))
	}
	return r.Context["detail-type"] == "GuardDuty Finding" || r.Has("accountId", "type", "resource", "service")
}

// Normalize implements ingest.Provider.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var f finding
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	id := cmp.Or(string(f.ID), lastSegment(string(f.ARN)))
	if id == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "id: missing, and no arn stands in for it")
	}
	sev, native, err := parseSeverity(f.Severity)
	if err != nil {
		return alert.Alert{}, err
	}
	info := f.Service.additionalInfo()
	a := alert.Alert{
		Origin: alert.Origin{Provider: "guardduty", ID: id}, Reporter: "guardduty", ReportID: id,
		Product: "Amazon GuardDuty", Type: string(f.Type), Title: string(f.Title), Description: string(f.Description),
		Severity: sev, NativeSeverity: native, Status: alert.StatusNew, NativeStatus: "active",
		Count: int64(f.Service.Count.Value), Sample: bool(info.Sample),
		Account: alert.Account{
			Cloud: entity.Amazon, ID: cmp.Or(string(f.AccountID), arnPart(string(f.ARN), 4)),
			Region: cmp.Or(string(f.Region), arnPart(string(f.ARN), 3), r.Context["region"]),
		},
	}
	if f.ARN != "" && string(f.ARN) != id {
		a.CarriedIDs = []string{string(f.ARN)}
	}
	if f.Service.Archived {
		a.Status, a.NativeStatus = alert.StatusResolved, "archived"
	}
	setTimes(&a, f)
	a.URL = consoleURL(a.Account.Region, string(f.Partition), id)
	m := evidenceMapper{account: a.Account, partition: cmp.Or(string(f.Partition), arnPart(string(f.ARN), 1), "aws")}
	m.addFinding(&f, info)
	a.Evidence = alert.MergeEvidence(nil, m.Found)
	a.Members = m.members
	a.Tactics, a.Techniques = attackOf(&f)
	if len(m.Extra) > 0 {
		a.Extra = m.Extra
	}
	return a, nil
}
