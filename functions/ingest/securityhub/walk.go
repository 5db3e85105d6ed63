package securityhub

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// walk gathers what one finding names. Things that appear twice are merged by the caller.
type walk struct {
	account alert.Account
	found   []alert.Evidence
	members []string
	extra   map[string]string
}

func (w *walk) finding(f *finding) {
	for i := range f.Resources {
		w.resource(&f.Resources[i])
	}
	w.action(&f.Action)
	w.network(&f.Network)
	w.process(&f.Process)
	w.threats(f)
	w.sequence(&f.Detection.Sequence)
	w.productFields(f.ProductFields)
	for _, r := range f.RelatedFindings {
		if r.ID != "" {
			w.members = append(w.members, string(r.ID))
		}
	}
	w.note("record_state", f.RecordState)
	w.note("compliance_status", f.Compliance.Status)
	w.note("security_control", f.Compliance.SecurityControlID)
	w.note("generator", f.GeneratorID)
	w.note("product_arn", f.ProductArn)
	w.note("note", f.Note.Text)
	var cves []string
	for _, v := range f.Vulnerabilities {
		cves = append(cves, string(v.ID))
		w.note("fix_available", v.FixAvailable)
		w.note("exploit_available", v.ExploitAvailable)
		w.note("epss", v.EpssScore)
	}
	w.note("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
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

// threats walks what the finding knows of the attacker's tools and addresses.
func (w *walk) threats(f *finding) {
	for _, t := range f.ThreatIntelIndicators {
		switch kind := strings.ToUpper(string(t.Type)); {
		case strings.HasPrefix(kind, "IPV"):
			w.add(alert.Attacker, entity.IP, t.Value)
		case kind == "DOMAIN":
			w.add(alert.Attacker, entity.Domain, t.Value)
		case kind == "URL":
			w.add(alert.Attacker, entity.URL, t.Value)
		case strings.HasPrefix(kind, "HASH_"):
			w.add(alert.Attacker, entity.FileHash, t.Value)
		case kind == "PROCESS":
			w.add(alert.Attacker, entity.Process, t.Value)
		case kind == "EMAIL_ADDRESS":
			w.add(alert.Attacker, entity.Mailbox, t.Value)
		default:
			w.add(alert.Attacker, entity.Other, t.Value, entity.AttrKind, string(t.Type))
		}
	}
	for _, m := range f.Malware {
		w.note("malware", m.Name)
		w.add(alert.Attacker, entity.File, m.Path, "malware", string(m.Name))
	}
	for _, t := range f.Threats {
		w.note("malware", t.Name)
		for _, p := range t.FilePaths {
			if blank(string(p.Hash)) {
				w.add(alert.Attacker, entity.File, cmp.Or(p.FilePath, p.FileName), "malware", string(t.Name))
				continue
			}
			w.add(alert.Attacker, entity.FileHash, p.Hash, entity.AttrPath, string(cmp.Or(p.FilePath, p.FileName)))
		}
	}
}

// sequence walks an attack sequence that was forwarded whole.
func (w *walk) sequence(s *sequence) {
	for _, a := range s.Actors {
		w.user(&accessKey{UserName: a.User.Name, PrincipalID: a.User.UID, PrincipalType: a.User.Type, AccessKeyID: a.User.CredentialUID}, alert.Victim)
	}
	for _, e := range s.Endpoints {
		w.add(alert.Attacker, entity.IP, e.IP, entity.AttrCountry, string(e.Location.Country), entity.AttrCity, string(e.Location.City),
			entity.AttrOrg, string(e.AutonomousSystem.Name))
		w.add(alert.Attacker, entity.Domain, e.Domain)
	}
	for _, sig := range s.Signals {
		if strings.EqualFold(string(sig.Type), "FINDING") && sig.ID != "" {
			w.members = append(w.members, lastSegment(string(sig.ID)))
		}
	}
}

// productFields reads the addresses and names that GuardDuty and others flatten into key and value.
func (w *walk) productFields(fields map[string]ingest.Text) {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		v, lower := fields[key], strings.ToLower(key)
		switch {
		case strings.HasSuffix(lower, "remoteipdetails/ipaddressv4"), strings.HasSuffix(lower, "remoteipdetails/ipaddressv6"):
			w.add(alert.Attacker, entity.IP, v)
		case strings.Contains(lower, "kubernetesapicallaction/sourceips"):
			w.add(alert.Attacker, entity.IP, v)
		case strings.HasSuffix(lower, "dnsrequestaction/domain"):
			w.add(alert.Attacker, entity.Domain, v)
		case strings.HasSuffix(lower, "process/executablesha256"), strings.Contains(lower, "filepaths") && strings.HasSuffix(lower, "/hash"):
			w.add(alert.Attacker, entity.FileHash, v)
		case strings.HasSuffix(lower, "kubernetesuserdetails/username"), strings.HasSuffix(lower, "rdsdbuserdetails/user"):
			w.add(alert.Victim, entity.User, v)
		case strings.HasSuffix(lower, "awsapicallaction/api"):
			w.note("api", v)
		case strings.HasSuffix(lower, "awsapicallaction/servicename"):
			w.note("api_service", v)
		case strings.HasSuffix(lower, "service/resourcerole"):
			w.note("resource_role", v)
		case lower == "aws/inspector/inspectorscore":
			w.note("inspector_score", v)
		}
	}
}
