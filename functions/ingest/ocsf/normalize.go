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
	info := f.info()
	if info.UID == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "finding_info.uid: missing")
	}
	o := origin(&f, info)
	a := alert.Alert{
		Class: class(&f, info), Origin: o, Reporter: o.Provider, ReportID: string(info.UID), Product: product(&f),
		Title: strings.TrimSpace(string(cmp.Or(info.Title, f.Message))), Description: string(cmp.Or(info.Desc, f.Message)),
		Type:           string(cmp.Or(first(info.Types), info.Analytic.Name, f.Analytic.Name, f.ClassName)),
		Recommendation: string(cmp.Or(f.Remediation.Desc, info.Remediation.Desc)),
		URL:            string(cmp.Or(info.SrcURL, first(f.Remediation.References))),
		Count:          int64(f.Count.Value),
		Account:        account(&f, r),
		Members:        related(&f, info),
	}
	if ours(&f) {
		a.Reporter = "securityhub"
	}
	if o.ID != a.ReportID {
		a.CarriedIDs = append(a.CarriedIDs, string(info.UID))
	}
	if f.Metadata.UID != "" && f.Metadata.UID != info.UID {
		a.CarriedIDs = append(a.CarriedIDs, string(f.Metadata.UID))
	}
	a.Severity, a.NativeSeverity = severity(&f)
	a.Status, a.NativeStatus = status(&f)
	times(&a, &f, info)
	w := walk{account: a.Account}
	w.event(&f, info)
	a.Evidence = alert.MergeEvidence(nil, w.Found)
	if len(w.Extra) > 0 {
		a.Extra = w.Extra
	}
	a.Tactics, a.Techniques = story(&f, info)
	return a, nil
}

// times reads the finding's life, each instant from its text where there is one: senders get the zone of the number
// wrong, not that of the text.
func times(a *alert.Alert, f *event, info *finding) {
	created, seen := info.created(), info.firstSeen()
	if !seen.IsZero() && seen.Nanosecond() == 0 && created.Truncate(1e9).Equal(seen.Time) {
		seen = created // the same moment, of which one spelling lost its fraction
	}
	at, start, end := pick(f.TimeDT, f.Time), pick(f.StartTimeDT, f.StartTime), pick(f.EndTimeDT, f.EndTime)
	a.First = ingest.FirstSet(seen, created, start, at, info.lastSeen(), info.modified())
	a.Last = ingest.FirstSet(info.lastSeen(), end, info.modified(), at, created)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(info.modified(), pick(f.Metadata.ModifiedTimeDT, f.Metadata.ModifiedTime), at, info.lastSeen(), created)
}

// story reads the ATT&CK objects of the finding.
func story(f *event, info *finding) ([]attack.Tactic, []string) {
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
	if ours(f) && len(attack.Sorted(tactics)) == 0 {
		for _, t := range append(info.Types, info.Analytic.Name) {
			purpose, _, _ := strings.Cut(lastSegment(string(t)), ":")
			tactics = append(tactics, attack.Parse(attack.GuardDuty, purpose))
		}
	}
	return attack.Sorted(tactics), attack.Techniques(words...)
}

// related are the ids of what the finding sums up: an incident's findings, or those it says belong to it.
func related(f *event, info *finding) []string {
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

func first(list ingest.List[ingest.Text]) ingest.Text {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
