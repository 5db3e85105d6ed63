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
	account alert.Account
	found   []alert.Evidence
	extra   map[string]string
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
		w.note("malware", m.Name)
		w.add(alert.Attacker, entity.File, m.Path)
		for i := range m.Files {
			w.file(alert.Attacker, &m.Files[i])
		}
	}
	w.observables(f.Observables)
	w.facts(f, info)
}

// facts keeps what has no place of its own in an alert.
func (w *walk) facts(f *event, info *finding) {
	w.note("class", f.ClassName)
	w.note("status_code", f.StatusCode)
	w.note("event_code", f.Metadata.EventCode)
	w.note("risk_level", f.RiskLevel)
	w.note("confidence", f.Confidence)
	w.note("analytic", cmp.Or(info.Analytic.Name, f.Analytic.Name))
	w.note("control", f.Compliance.Control)
	w.note("compliance_status", f.Compliance.Status)
	w.note("product_uid", f.Metadata.Product.UID)
	w.note("tenant_uid", f.Metadata.TenantUID)
	var cves, standards []string
	for _, one := range f.Vulnerabilities {
		v := &one.value
		cves = append(cves, string(cmp.Or(v.Cve.UID, v.Title)))
		w.note("exploit_available", v.IsExploitAvailable)
		w.note("fix_available", v.IsFixAvailable)
		w.note("epss", v.Cve.Epss.Score)
	}
	for _, s := range f.Compliance.Standards {
		standards = append(standards, string(s))
	}
	w.note("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
	w.note("standards", ingest.Text(strings.Join(standards, ", ")))
}

// add keeps an entity that names something.
func (w *walk) add(role alert.Role, kind entity.Kind, value ingest.Text, more ...string) *alert.Evidence {
	v := strings.TrimSpace(string(value))
	if blank(v) {
		return &alert.Evidence{} // so that callers may go on describing what is not kept
	}
	e := entity.Entity{Kind: kind, Value: v}
	for i := 0; i+1 < len(more); i += 2 {
		if !blank(more[i+1]) {
			e = e.With(more[i], more[i+1])
		}
	}
	w.found = append(w.found, alert.Evidence{Entity: e, Role: role})
	return &w.found[len(w.found)-1]
}

// note keeps a further fact of the finding.
func (w *walk) note(name string, value ingest.Text) {
	if v := strings.TrimSpace(string(value)); !blank(v) && w.extra[name] == "" {
		w.extra[name] = v
	}
}

// maxNames bounds the other names of one entity; a node of a large cluster has several hundred addresses.
const maxNames = 1000

// also gives an entity another name, unless that is a placeholder.
func also(e *alert.Evidence, kind entity.Kind, value ingest.Text) {
	if v := strings.TrimSpace(string(value)); !blank(v) && len(e.Aliases) < maxNames {
		e.Entity = e.Also(kind, v)
	}
}

// blank reports the spellings of "nothing" that findings contain.
func blank(v string) bool {
	switch strings.ToLower(v) {
	case "", "-", "n/a", "null", "none", "unknown", "0.0.0.0", "::", "{}", "[]":
		return true
	}
	return false
}
