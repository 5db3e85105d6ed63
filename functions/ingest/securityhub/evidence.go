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

// evidenceMapper gathers what one finding names. Things that appear twice are merged by the caller.
type evidenceMapper struct {
	ingest.Collector
	account alert.Account
	members []string
}

func (m *evidenceMapper) addFinding(f *finding) {
	for i := range f.Resources {
		m.addResource(&f.Resources[i])
	}
	m.addAction(&f.Action)
	m.addNetwork(&f.Network)
	m.addProcess(&f.Process)
	m.addThreats(f)
	m.addSequence(&f.Detection.Sequence)
	m.addProductFields(f.ProductFields)
	for _, r := range f.RelatedFindings {
		if r.ID != "" {
			m.members = append(m.members, string(r.ID))
		}
	}
	m.AddFact("record_state", f.RecordState)
	m.AddFact("compliance_status", f.Compliance.Status)
	m.AddFact("security_control", f.Compliance.SecurityControlID)
	m.AddFact("generator", f.GeneratorID)
	m.AddFact("product_arn", f.ProductArn)
	m.AddFact("note", f.Note.Text)
	var cves []string
	for _, v := range f.Vulnerabilities {
		cves = append(cves, string(v.ID))
		m.AddFact("fix_available", v.FixAvailable)
		m.AddFact("exploit_available", v.ExploitAvailable)
		m.AddFact("epss", v.EpssScore)
	}
	m.AddFact("vulnerabilities", ingest.Text(strings.Join(cves, ", ")))
}

// addThreats walks what the finding knows of the attacker's tools and addresses.
func (m *evidenceMapper) addThreats(f *finding) {
	for _, t := range f.ThreatIntelIndicators {
		switch kind := strings.ToUpper(string(t.Type)); {
		case strings.HasPrefix(kind, "IPV"):
			m.AddEntity(alert.Attacker, entity.IP, t.Value)
		case kind == "DOMAIN":
			m.AddEntity(alert.Attacker, entity.Domain, t.Value)
		case kind == "URL":
			m.AddEntity(alert.Attacker, entity.URL, t.Value)
		case strings.HasPrefix(kind, "HASH_"):
			m.AddEntity(alert.Attacker, entity.FileHash, t.Value)
		case kind == "PROCESS":
			m.AddEntity(alert.Attacker, entity.Process, t.Value)
		case kind == "EMAIL_ADDRESS":
			m.AddEntity(alert.Attacker, entity.Mailbox, t.Value)
		default:
			m.AddEntity(alert.Attacker, entity.Other, t.Value, entity.AttrKind, string(t.Type))
		}
	}
	for _, found := range f.Malware {
		m.AddFact("malware", found.Name)
		m.AddEntity(alert.Attacker, entity.File, found.Path, "malware", string(found.Name))
	}
	for _, t := range f.Threats {
		m.AddFact("malware", t.Name)
		for _, p := range t.FilePaths {
			if ingest.IsBlank(string(p.Hash)) {
				m.AddEntity(alert.Attacker, entity.File, cmp.Or(p.FilePath, p.FileName), "malware", string(t.Name))
				continue
			}
			m.AddEntity(alert.Attacker, entity.FileHash, p.Hash, entity.AttrPath, string(cmp.Or(p.FilePath, p.FileName)))
		}
	}
}

// addSequence walks an attack sequence that was forwarded whole.
func (m *evidenceMapper) addSequence(s *sequence) {
	for _, a := range s.Actors {
		m.addUser(&accessKey{UserName: a.User.Name, PrincipalID: a.User.UID, PrincipalType: a.User.Type, AccessKeyID: a.User.CredentialUID}, alert.Victim)
	}
	for _, e := range s.Endpoints {
		m.AddEntity(alert.Attacker, entity.IP, e.IP, entity.AttrCountry, string(e.Location.Country), entity.AttrCity, string(e.Location.City),
			entity.AttrOrg, string(e.AutonomousSystem.Name))
		m.AddEntity(alert.Attacker, entity.Domain, e.Domain)
	}
	for _, sig := range s.Signals {
		if strings.EqualFold(string(sig.Type), "FINDING") && sig.ID != "" {
			m.members = append(m.members, ingest.LastSegment(string(sig.ID)))
		}
	}
}

// addProductFields reads the addresses and names that GuardDuty and others flatten into key and value.
func (m *evidenceMapper) addProductFields(fields map[string]ingest.Text) {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		v, lower := fields[key], strings.ToLower(key)
		switch {
		case strings.HasSuffix(lower, "remoteipdetails/ipaddressv4"), strings.HasSuffix(lower, "remoteipdetails/ipaddressv6"):
			m.AddEntity(alert.Attacker, entity.IP, v)
		case strings.Contains(lower, "kubernetesapicallaction/sourceips"):
			m.AddEntity(alert.Attacker, entity.IP, v)
		case strings.HasSuffix(lower, "dnsrequestaction/domain"):
			m.AddEntity(alert.Attacker, entity.Domain, v)
		case strings.HasSuffix(lower, "process/executablesha256"), strings.Contains(lower, "filepaths") && strings.HasSuffix(lower, "/hash"):
			m.AddEntity(alert.Attacker, entity.FileHash, v)
		case strings.HasSuffix(lower, "kubernetesuserdetails/username"), strings.HasSuffix(lower, "rdsdbuserdetails/user"):
			m.AddEntity(alert.Victim, entity.User, v)
		case strings.HasSuffix(lower, "awsapicallaction/api"):
			m.AddFact("api", v)
		case strings.HasSuffix(lower, "awsapicallaction/servicename"):
			m.AddFact("api_service", v)
		case strings.HasSuffix(lower, "service/resourcerole"):
			m.AddFact("resource_role", v)
		case lower == "aws/inspector/inspectorscore":
			m.AddFact("inspector_score", v)
		}
	}
}
