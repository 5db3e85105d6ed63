// Package ocsf reads findings in the Open Cybersecurity Schema Framework, versions 0.x to 1.6: detections and security
// findings as alerts; vulnerabilities, compliance and application posture as exposures. Security Hub v2 and Security
// Lake speak it for other AWS products, whose findings keep the identity their own product gave them.
//
//	event of class 2001–2007 ─decode─▶ origin, class ─walk resources, evidences, observables─▶ alert or exposure
package ocsf

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads OCSF findings.
type Provider struct{}

// Name implements ingest.Provider.
func (Provider) Name() string { return "ocsf" }

// Recognize knows an OCSF event by its class and its metadata.
func (Provider) Recognize(r ingest.Record) bool { return r.Has("class_uid", "metadata") }

// Normalize implements ingest.Provider. Events of other categories (network, authentication) are no findings.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var f event
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	if c := int(f.ClassUID.Value); c < 2001 || c > 2099 {
		return alert.Alert{}, ingest.Ignore("OCSF class " + string(cmp.Or(f.ClassName, "unknown")) + " is no finding")
	}
	info := f.findingInfo()
	if info.UID == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "finding_info.uid: missing")
	}
	o := originOf(&f, info)
	a := alert.Alert{
		Class: classOf(&f, info), Origin: o, Reporter: o.Provider, ReportID: string(info.UID), Product: productName(&f),
		Title: strings.TrimSpace(string(cmp.Or(info.Title, f.Message))), Description: string(cmp.Or(info.Desc, f.Message)),
		Type:           string(cmp.Or(firstText(info.Types), info.Analytic.Name, f.Analytic.Name, f.ClassName)),
		Recommendation: string(cmp.Or(f.Remediation.Desc, info.Remediation.Desc)),
		URL:            string(cmp.Or(info.SrcURL, firstText(f.Remediation.References))),
		Count:          int64(f.Count.Value),
		Account:        accountOf(&f, r),
		Members:        memberIDs(&f, info),
	}
	if isFromSecurityHub(&f) {
		a.Reporter = "securityhub"
	}
	if o.ID != a.ReportID {
		a.CarriedIDs = append(a.CarriedIDs, string(info.UID))
	}
	if f.Metadata.UID != "" && f.Metadata.UID != info.UID {
		a.CarriedIDs = append(a.CarriedIDs, string(f.Metadata.UID))
	}
	a.Severity, a.NativeSeverity = severityOf(&f)
	a.Status, a.NativeStatus = statusOf(&f)
	setTimes(&a, &f, info)
	w := walker{account: a.Account}
	w.addEvent(&f, info)
	a.Evidence = alert.MergeEvidence(nil, w.Found)
	if len(w.Extra) > 0 {
		a.Extra = w.Extra
	}
	a.Tactics, a.Techniques = attackOf(&f, info)
	return a, nil
}

// setTimes reads the finding's life, each instant from its text where there is one: senders get the zone of the number
// wrong, not that of the text.
func setTimes(a *alert.Alert, f *event, info *finding) {
	created, seen := info.createdTime(), info.firstSeenTime()
	if !seen.IsZero() && seen.Nanosecond() == 0 && created.Truncate(1e9).Equal(seen.Time) {
		seen = created // the same moment, of which one spelling lost its fraction
	}
	at, start, end := preferText(f.TimeDT, f.Time), preferText(f.StartTimeDT, f.StartTime), preferText(f.EndTimeDT, f.EndTime)
	a.First = ingest.FirstSet(seen, created, start, at, info.lastSeenTime(), info.modifiedTime())
	a.Last = ingest.FirstSet(info.lastSeenTime(), end, info.modifiedTime(), at, created)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(info.modifiedTime(), preferText(f.Metadata.ModifiedTimeDT, f.Metadata.ModifiedTime), at, info.lastSeenTime(), created)
}

// attackOf reads the ATT&CK objects of the finding.
func attackOf(f *event, info *finding) ([]attack.Tactic, []string) {
	var tactics []attack.Tactic
	var words []string
	for _, list := range []ingest.List[attackObject]{f.Attacks, info.Attacks} {
		for _, at := range list {
			for _, t := range append(at.Tactics, at.Tactic) {
				tactics = append(tactics, cmp.Or(attack.FromWord(string(t.UID)), attack.FromWord(string(t.Name))))
			}
			words = append(words, string(at.SubTechnique.UID), string(at.Technique.UID))
		}
	}
	for _, t := range info.Types {
		part := strings.SplitN(string(t), "/", 3)
		if len(part) > 1 {
			tactics = append(tactics, cmp.Or(attack.Parse(attack.ASFFType, part[0]+"/"+part[1]), attack.Parse(attack.GuardDuty, part[1])))
		}
	}
	if isFromSecurityHub(f) && len(attack.SortTactics(tactics)) == 0 {
		for _, t := range append(info.Types, info.Analytic.Name) {
			purpose, _, _ := strings.Cut(lastSegment(string(t)), ":")
			tactics = append(tactics, attack.Parse(attack.GuardDuty, purpose))
		}
	}
	return attack.SortTactics(tactics), attack.FindTechniques(words...)
}

// memberIDs are the ids of what the finding sums up: an incident's findings, or those it says belong to it.
func memberIDs(f *event, info *finding) []string {
	var out []string
	for _, list := range []ingest.List[struct{ UID ingest.Text }]{f.FindingInfoList, info.RelatedEvents} {
		for _, e := range list {
			if e.UID != "" && e.UID != info.UID {
				out = append(out, string(e.UID))
			}
		}
	}
	return out
}

func firstText(list ingest.List[ingest.Text]) ingest.Text {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
