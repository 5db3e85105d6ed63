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
