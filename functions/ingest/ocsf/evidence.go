package ocsf

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// walker collects the entities that one finding names. The caller merges entities that appear twice.
type walker struct {
	ingest.Collector
	account alert.Account
}

func (w *walker) addEvent(f *event, info *finding) {
	for i := range f.Resources {
		w.addResource(&f.Resources[i])
	}
	w.addArtifact(&evidence{Actor: f.Actor.value, Process: f.Process.value, File: f.File.value,
		Device: f.Device.value, SrcEndpoint: f.SrcEndpoint.value, DstEndpoint: f.DstEndpoint.value})
	for i := range f.Evidences {
		w.addArtifact(&f.Evidences[i].value)
	}
	if f.Evidence.Kind() == '{' {
		var e evidence
		if ingest.Decode(f.Evidence, &e) == nil { // free-form, so what does not fit is left out
			w.addArtifact(&e)
		}
	}
	for _, one := range f.Malware {
		m := &one.value
		w.AddFact("malware", m.Name)
		w.AddEntity(alert.Attacker, entity.File, m.Path)
		for i := range m.Files {
			w.addFile(alert.Attacker, &m.Files[i])
		}
	}
	w.addObservables(f.Observables)
	w.addFacts(f, info)
}

// addFacts keeps, as extra facts, what has no field of its own in an alert.
func (w *walker) addFacts(f *event, info *finding) {
	w.AddFact("class", f.ClassName)
	w.AddFact("status_code", f.StatusCode)
	w.AddFact("event_code", f.Metadata.EventCode)
	w.AddFact("risk_level", f.RiskLevel)
	w.AddFact("confidence", f.Confidence)
	w.AddFact("analytic", cmp.Or(info.Analytic.Name, f.Analytic.Name))
	w.AddFact("control", f.Compliance.Control)
	w.AddFact("compliance_status", f.Compliance.Status)
	w.AddFact("product_uid", f.Metadata.Product.UID)
	w.AddFact("tenant_uid", f.Metadata.TenantUID)
	var cves, standards []string
	for _, one := range f.Vulnerabilities {
		v := &one.value
		cves = append(cves, string(cmp.Or(v.Cve.UID, v.Title)))
		w.AddFact("exploit_available", v.IsExploitAvailable)
		w.AddFact("fix_available", v.IsFixAvailable)
		w.AddFact("epss", v.Cve.Epss.Score)
	}
	for _, s := range f.Compliance.Standards {
		standards = append(standards, string(s))
	}
	w.AddFact("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
	w.AddFact("standards", ingest.Text(strings.Join(standards, ", ")))
}
