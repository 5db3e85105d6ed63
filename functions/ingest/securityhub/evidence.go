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

// walker gathers what one finding names. Things that appear twice are merged by the caller.
type walker struct {
	ingest.Collector
	account alert.Account
	members []string
}

func (w *walker) addFinding(f *finding) {
	for i := range f.Resources {
		w.addResource(&f.Resources[i])
	}
	w.addAction(&f.Action)
	w.addNetwork(&f.Network)
	w.addProcess(&f.Process)
	w.addThreats(f)
	w.addSequence(&f.Detection.Sequence)
	w.addProductFields(f.ProductFields)
	for _, r := range f.RelatedFindings {
		if r.ID != "" {
			w.members = append(w.members, string(r.ID))
		}
	}
	w.AddFact("record_state", f.RecordState)
	w.AddFact("compliance_status", f.Compliance.Status)
	w.AddFact("security_control", f.Compliance.SecurityControlID)
	w.AddFact("generator", f.GeneratorID)
	w.AddFact("product_arn", f.ProductArn)
	w.AddFact("note", f.Note.Text)
	var cves []string
	for _, v := range f.Vulnerabilities {
		cves = append(cves, string(v.ID))
		w.AddFact("fix_available", v.FixAvailable)
		w.AddFact("exploit_available", v.ExploitAvailable)
		w.AddFact("epss", v.EpssScore)
	}
	w.AddFact("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
}

// addThreats walks what the finding knows of the attacker's tools and addresses.
func (w *walker) addThreats(f *finding) {
	for _, t := range f.ThreatIntelIndicators {
		switch kind := strings.ToUpper(string(t.Type)); {
		case strings.HasPrefix(kind, "IPV"):
			w.AddEntity(alert.Attacker, entity.IP, t.Value)
		case kind == "DOMAIN":
			w.AddEntity(alert.Attacker, entity.Domain, t.Value)
		case kind == "URL":
			w.AddEntity(alert.Attacker, entity.URL, t.Value)
		case strings.HasPrefix(kind, "HASH_"):
			w.AddEntity(alert.Attacker, entity.FileHash, t.Value)
		case kind == "PROCESS":
			w.AddEntity(alert.Attacker, entity.Process, t.Value)
		case kind == "EMAIL_ADDRESS":
			w.AddEntity(alert.Attacker, entity.Mailbox, t.Value)
		default:
			w.AddEntity(alert.Attacker, entity.Other, t.Value, entity.AttrKind, string(t.Type))
		}
	}
	for _, m := range f.Malware {
		w.AddFact("malware", m.Name)
		w.AddEntity(alert.Attacker, entity.File, m.Path, "malware", string(m.Name))
	}
	for _, t := range f.Threats {
		w.AddFact("malware", t.Name)
		for _, p := range t.FilePaths {
			if ingest.IsBlank(string(p.Hash)) {
				w.AddEntity(alert.Attacker, entity.File, cmp.Or(p.FilePath, p.FileName), "malware", string(t.Name))
				continue
			}
			w.AddEntity(alert.Attacker, entity.FileHash, p.Hash, entity.AttrPath, string(cmp.Or(p.FilePath, p.FileName)))
		}
	}
}

// addSequence walks an attack sequence that was forwarded whole.
func (w *walker) addSequence(s *sequence) {
	for _, a := range s.Actors {
		w.addUser(&accessKey{UserName: a.User.Name, PrincipalID: a.User.UID, PrincipalType: a.User.Type, AccessKeyID: a.User.CredentialUID}, alert.Victim)
	}
	for _, e := range s.Endpoints {
		w.AddEntity(alert.Attacker, entity.IP, e.IP, entity.AttrCountry, string(e.Location.Country), entity.AttrCity, string(e.Location.City),
			entity.AttrOrg, string(e.AutonomousSystem.Name))
		w.AddEntity(alert.Attacker, entity.Domain, e.Domain)
	}
	for _, sig := range s.Signals {
		if strings.EqualFold(string(sig.Type), "FINDING") && sig.ID != "" {
			w.members = append(w.members, lastSegment(string(sig.ID)))
		}
	}
}

// addProductFields reads the addresses and names that GuardDuty and others flatten into key and value.
func (w *walker) addProductFields(fields map[string]ingest.Text) {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		v, lower := fields[key], strings.ToLower(key)
		switch {
		case strings.HasSuffix(lower, "remoteipdetails/ipaddressv4"), strings.HasSuffix(lower, "remoteipdetails/ipaddressv6"):
			w.AddEntity(alert.Attacker, entity.IP, v)
		case strings.Contains(lower, "kubernetesapicallaction/sourceips"):
			w.AddEntity(alert.Attacker, entity.IP, v)
		case strings.HasSuffix(lower, "dnsrequestaction/domain"):
			w.AddEntity(alert.Attacker, entity.Domain, v)
		case strings.HasSuffix(lower, "process/executablesha256"), strings.Contains(lower, "filepaths") && strings.HasSuffix(lower, "/hash"):
			w.AddEntity(alert.Attacker, entity.FileHash, v)
		case strings.HasSuffix(lower, "kubernetesuserdetails/username"), strings.HasSuffix(lower, "rdsdbuserdetails/user"):
			w.AddEntity(alert.Victim, entity.User, v)
		case strings.HasSuffix(lower, "awsapicallaction/api"):
			w.AddFact("api", v)
		case strings.HasSuffix(lower, "awsapicallaction/servicename"):
			w.AddFact("api_service", v)
		case strings.HasSuffix(lower, "service/resourcerole"):
			w.AddFact("resource_role", v)
		case lower == "aws/inspector/inspectorscore":
			w.AddFact("inspector_score", v)
		}
	}
}
