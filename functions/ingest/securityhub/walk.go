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
	ingest.Gather
	account alert.Account
	members []string
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
	w.Note("record_state", f.RecordState)
	w.Note("compliance_status", f.Compliance.Status)
	w.Note("security_control", f.Compliance.SecurityControlID)
	w.Note("generator", f.GeneratorID)
	w.Note("product_arn", f.ProductArn)
	w.Note("note", f.Note.Text)
	var cves []string
	for _, v := range f.Vulnerabilities {
		cves = append(cves, string(v.ID))
		w.Note("fix_available", v.FixAvailable)
		w.Note("exploit_available", v.ExploitAvailable)
		w.Note("epss", v.EpssScore)
	}
	w.Note("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
}

// threats walks what the finding knows of the attacker's tools and addresses.
func (w *walk) threats(f *finding) {
	for _, t := range f.ThreatIntelIndicators {
		switch kind := strings.ToUpper(string(t.Type)); {
		case strings.HasPrefix(kind, "IPV"):
			w.Add(alert.Attacker, entity.IP, t.Value)
		case kind == "DOMAIN":
			w.Add(alert.Attacker, entity.Domain, t.Value)
		case kind == "URL":
			w.Add(alert.Attacker, entity.URL, t.Value)
		case strings.HasPrefix(kind, "HASH_"):
			w.Add(alert.Attacker, entity.FileHash, t.Value)
		case kind == "PROCESS":
			w.Add(alert.Attacker, entity.Process, t.Value)
		case kind == "EMAIL_ADDRESS":
			w.Add(alert.Attacker, entity.Mailbox, t.Value)
		default:
			w.Add(alert.Attacker, entity.Other, t.Value, entity.AttrKind, string(t.Type))
		}
	}
	for _, m := range f.Malware {
		w.Note("malware", m.Name)
		w.Add(alert.Attacker, entity.File, m.Path, "malware", string(m.Name))
	}
	for _, t := range f.Threats {
		w.Note("malware", t.Name)
		for _, p := range t.FilePaths {
			if ingest.Blank(string(p.Hash)) {
				w.Add(alert.Attacker, entity.File, cmp.Or(p.FilePath, p.FileName), "malware", string(t.Name))
				continue
			}
			w.Add(alert.Attacker, entity.FileHash, p.Hash, entity.AttrPath, string(cmp.Or(p.FilePath, p.FileName)))
		}
	}
}

// sequence walks an attack sequence that was forwarded whole.
func (w *walk) sequence(s *sequence) {
	for _, a := range s.Actors {
		w.user(&accessKey{UserName: a.User.Name, PrincipalID: a.User.UID, PrincipalType: a.User.Type, AccessKeyID: a.User.CredentialUID}, alert.Victim)
	}
	for _, e := range s.Endpoints {
		w.Add(alert.Attacker, entity.IP, e.IP, entity.AttrCountry, string(e.Location.Country), entity.AttrCity, string(e.Location.City),
			entity.AttrOrg, string(e.AutonomousSystem.Name))
		w.Add(alert.Attacker, entity.Domain, e.Domain)
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
			w.Add(alert.Attacker, entity.IP, v)
		case strings.Contains(lower, "kubernetesapicallaction/sourceips"):
			w.Add(alert.Attacker, entity.IP, v)
		case strings.HasSuffix(lower, "dnsrequestaction/domain"):
			w.Add(alert.Attacker, entity.Domain, v)
		case strings.HasSuffix(lower, "process/executablesha256"), strings.Contains(lower, "filepaths") && strings.HasSuffix(lower, "/hash"):
			w.Add(alert.Attacker, entity.FileHash, v)
		case strings.HasSuffix(lower, "kubernetesuserdetails/username"), strings.HasSuffix(lower, "rdsdbuserdetails/user"):
			w.Add(alert.Victim, entity.User, v)
		case strings.HasSuffix(lower, "awsapicallaction/api"):
			w.Note("api", v)
		case strings.HasSuffix(lower, "awsapicallaction/servicename"):
			w.Note("api_service", v)
		case strings.HasSuffix(lower, "service/resourcerole"):
			w.Note("resource_role", v)
		case lower == "aws/inspector/inspectorscore":
			w.Note("inspector_score", v)
		}
	}
}
