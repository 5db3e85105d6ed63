// Package guardduty reads Amazon GuardDuty findings, as EventBridge writes them (lower camel case) and as the API
// does (Pascal case). Opening wrappers is the envelope's work.
//
//	finding ─decode─▶ resource, service ─walk─▶ evidence, tactics ─▶ alert
package guardduty

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

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
	w := walker{account: a.Account, partition: cmp.Or(string(f.Partition), arnPart(string(f.ARN), 1), "aws")}
	w.addFinding(&f, info)
	a.Evidence = alert.MergeEvidence(nil, w.Found)
	a.Members = w.members
	a.Tactics, a.Techniques = attackOf(&f)
	if len(w.Extra) > 0 {
		a.Extra = w.Extra
	}
	return a, nil
}

// setTimes takes the activity from service, which is absent in cut-down findings, else from the record's own life.
func setTimes(a *alert.Alert, f finding) {
	a.First = ingest.FirstSet(f.Service.EventFirstSeen, f.CreatedAt, f.Service.EventLastSeen, f.UpdatedAt)
	a.Last = ingest.FirstSet(f.Service.EventLastSeen, f.UpdatedAt, f.CreatedAt)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(f.UpdatedAt, f.Service.EventLastSeen, f.CreatedAt)
}

// parseSeverity reads the number, however it is written. Bounds: 9 critical, 7 high, 4 medium, 1 low. Absent is unknown.
func parseSeverity(raw jsontext.Value) (alert.Severity, string, error) {
	var t ingest.Text
	switch raw.Kind() {
	case '{', '[':
		return "", "", fault.Errorf(fault.Invalid, "severity: a JSON object or array where a number was expected")
	case '"', '0':
		if err := ingest.Decode(raw, &t); err != nil {
			return "", "", fault.Errorf(fault.Invalid, "severity: %w", err)
		}
	}
	word := strings.TrimSpace(string(t))
	score, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return alert.ParseSeverity(word), word, nil
	}
	return alert.SeverityOfScore(score, 9, 7, 4, 1, 0), strconv.FormatFloat(score, 'f', -1, 64), nil
}

// consoleURL is where the console of the finding's partition shows it.
func consoleURL(region, partition, id string) string {
	if region == "" {
		return ""
	}
	host := "console.aws.amazon.com"
	switch partition {
	case "aws-cn":
		host = "console.amazonaws.cn"
	case "aws-us-gov":
		host = "console.amazonaws-us-gov.com"
	}
	return "https://" + region + "." + host + "/guardduty/home?region=" + region + "#/findings?search=id%3D" + id
}

// lastSegment is what follows the last slash of an ARN: the short id.
func lastSegment(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// arnPart is the i-th part of an ARN, from 0 ("arn"); empty when s is none.
func arnPart(s string, i int) string {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[i]
}
