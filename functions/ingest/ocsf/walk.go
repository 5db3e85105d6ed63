package ocsf

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// walk gathers what one finding names. Things that appear twice are merged by the caller.
type walk struct {
	ingest.Gather
	account alert.Account
}

func (w *walk) event(f *event, info *finding) {
	for i := range f.Resources {
		w.resource(&f.Resources[i])
	}
	w.artefact(&evidence{Actor: f.Actor.value, Process: f.Process.value, File: f.File.value,
		Device: f.Device.value, SrcEndpoint: f.SrcEndpoint.value, DstEndpoint: f.DstEndpoint.value})
	for i := range f.Evidences {
		w.artefact(&f.Evidences[i].value)
	}
	if f.Evidence.Kind() == '{' {
		var e evidence
		if ingest.Decode(f.Evidence, &e) == nil { // free-form, so what does not fit is left out
			w.artefact(&e)
		}
	}
	for _, one := range f.Malware {
		m := &one.value
		w.Note("malware", m.Name)
		w.Add(alert.Attacker, entity.File, m.Path)
		for i := range m.Files {
			w.file(alert.Attacker, &m.Files[i])
		}
	}
	w.observables(f.Observables)
	w.facts(f, info)
}

// facts keeps what has no place of its own in an alert.
func (w *walk) facts(f *event, info *finding) {
	w.Note("class", f.ClassName)
	w.Note("status_code", f.StatusCode)
	w.Note("event_code", f.Metadata.EventCode)
	w.Note("risk_level", f.RiskLevel)
	w.Note("confidence", f.Confidence)
	w.Note("analytic", cmp.Or(info.Analytic.Name, f.Analytic.Name))
	w.Note("control", f.Compliance.Control)
	w.Note("compliance_status", f.Compliance.Status)
	w.Note("product_uid", f.Metadata.Product.UID)
	w.Note("tenant_uid", f.Metadata.TenantUID)
	var cves, standards []string
	for _, one := range f.Vulnerabilities {
		v := &one.value
		cves = append(cves, string(cmp.Or(v.Cve.UID, v.Title)))
		w.Note("exploit_available", v.IsExploitAvailable)
		w.Note("fix_available", v.IsFixAvailable)
		w.Note("epss", v.Cve.Epss.Score)
	}
	for _, s := range f.Compliance.Standards {
		standards = append(standards, string(s))
	}
	w.Note("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
	w.Note("standards", ingest.Text(strings.Join(standards, ", ")))
}
