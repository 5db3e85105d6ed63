package scc

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// sourceDetails is what we read of sourceProperties: every source writes what it likes, in PascalCase the scanners,
// in camelCase Event Threat Detection, in Snake_Case Container Threat Detection.
type sourceDetails struct {
	ScannerName       ingest.Text                  `json:"ScannerName"`
	SeverityLevel     ingest.Text                  `json:"SeverityLevel"`
	Explanation       ingest.Text                  `json:"Explanation"`
	Recommendation    ingest.Text                  `json:"Recommendation"`
	ProjectID         ingest.Text                  `json:"ProjectId"`
	DetectionPriority ingest.Text                  `json:"detectionPriority"`
	DetectionCategory loose[detectionCategory]     `json:"detectionCategory"`
	Affected          loose[ingest.List[affected]] `json:"affectedResources"`
	Properties        loose[properties]            `json:"properties"`
	VM                ingest.Text                  `json:"VM_Instance_Name"`
	PodName           ingest.Text                  `json:"Pod_Name"`
	PodNamespace      ingest.Text                  `json:"Pod_Namespace"`
	ContainerName     ingest.Text                  `json:"Container_Name"`
	ContainerImage    ingest.Text                  `json:"Container_Image_Uri"`
	ContainerImageID  ingest.Text                  `json:"Container_Image_Id"`
	BinaryPath        ingest.Text                  `json:"Process_Binary_Fullpath"`
	Arguments         ingest.List[ingest.Text]     `json:"Process_Arguments"`
	PID               ingest.Text                  `json:"Pid"`
	ParentPID         ingest.Text                  `json:"Parent_Pid"`
	ShellIP           ingest.Text                  `json:"Reverse_Shell_Stdin_Redirection_Dst_Ip"`
}

type detectionCategory struct {
	RuleName    ingest.Text `json:"ruleName"`
	SubRuleName ingest.Text `json:"subRuleName"`
	Technique   ingest.Text `json:"technique"`
	Indicator   ingest.Text `json:"indicator"`
}

type affected struct {
	Name ingest.Text `json:"gcpResourceName"`
}

// properties are the facts of a detection rule, found by the names that the rules share, however deep they lie.
type properties struct{ facts []fact }

type fact struct {
	kind  entity.Kind // entity.Other is the project
	value string
	role  alert.Role
}

// factNames says what a property names, by its name in lower case.
var factNames = map[string]fact{
	"principalemail": {kind: entity.User}, "useremail": {kind: entity.User}, "externalmember": {kind: entity.User},
	"member": {kind: entity.User}, "members": {kind: entity.User}, "username": {kind: entity.User}, "serviceaccountname": {kind: entity.User},
	"callerip": {kind: entity.IP, role: alert.Attacker}, "sourceip": {kind: entity.IP, role: alert.Attacker},
	"srcip": {kind: entity.IP}, "destip": {kind: entity.IP}, "dstip": {kind: entity.IP}, "destinationip": {kind: entity.IP},
	"ip": {kind: entity.IP}, "ips": {kind: entity.IP, role: alert.Attacker}, "ipaddress": {kind: entity.IP}, "indicatorip": {kind: entity.IP, role: alert.Attacker},
	"domain": {kind: entity.Domain, role: alert.Attacker}, "domains": {kind: entity.Domain, role: alert.Attacker},
	"queryname": {kind: entity.Domain, role: alert.Attacker}, "vmname": {kind: entity.Host}, "instancedetails": {kind: entity.Resource},
	"projectid": {kind: entity.Other}, "project": {kind: entity.Other}, "project_id": {kind: entity.Other},
}

// UnmarshalJSON walks the whole value once. It fails on nothing but malformed JSON.
func (p *properties) UnmarshalJSON(b []byte) error {
	dec := jsontext.NewDecoder(strings.NewReader(string(b)))
	for {
		kind := dec.PeekKind()
		if kind == 0 || kind == jsontext.KindInvalid {
			return nil
		}
		depth := dec.StackDepth()
		holder, length := dec.StackIndex(depth)
		tok, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		if kind != '"' || holder == '{' && length%2 == 0 {
			continue
		}
		name := dec.StackPointer()
		last := name.LastToken()
		if holder == '[' {
			last = name.Parent().LastToken()
		}
		if f, ok := factNames[strings.ToLower(last)]; ok {
			f.value = tok.String()
			p.facts = append(p.facts, f)
		}
	}
}

// ProjectID is the project that the rule names.
func (p properties) ProjectID() string {
	for _, f := range p.facts {
		if f.kind == entity.Other {
			return f.value
		}
	}
	return ""
}

// addSourceProperties adds what older findings say only in sourceProperties.
func (m *evidenceMapper) addSourceProperties(s sourceDetails) {
	for _, a := range s.Affected.V {
		if name := emptyUnset(a.Name); name != "" && !strings.HasPrefix(name, "//cloudresourcemanager.googleapis.com/") {
			m.addEntity(entity.Resource, name, "")
		}
	}
	for _, f := range s.Properties.V.facts {
		m.addSourceFact(f)
	}
	m.addEntity(entity.Host, emptyUnset(s.VM), alert.Victim)
	m.addPod(emptyUnset(s.PodNamespace), emptyUnset(s.PodName))
	m.addContainer(container{Name: s.ContainerName, URI: s.ContainerImage, ImageID: s.ContainerImageID})
	if path := emptyUnset(s.BinaryPath); path != "" {
		m.addProcess(process{Name: ingest.Text(path), Binary: loose[file]{V: file{Path: ingest.Text(path)}}, Args: s.Arguments, PID: s.PID, ParentPID: s.ParentPID})
	}
	m.addEntity(entity.IP, emptyUnset(s.ShellIP), alert.Attacker)
}

func (m *evidenceMapper) addSourceFact(f fact) {
	switch v := emptyUnset(f.value); {
	case v == "" || f.kind == entity.Other:
	case f.kind == entity.User:
		m.addPrincipal(v)
	case f.kind == entity.Resource:
		m.addEntity(entity.Resource, "//compute.googleapis.com/"+strings.TrimLeft(v, "/"), alert.Victim)
	case f.kind == entity.Domain:
		m.addEntity(entity.Domain, strings.TrimSuffix(v, "."), f.role)
	default:
		m.addEntity(f.kind, v, f.role)
	}
}

// logPayload is a detection that Event Threat Detection wrote to Cloud Logging before notifications existed.
type logPayload struct {
	FindingID ingest.Text `json:"findingId"`
	EventTime ingest.Time `json:"eventTime"`
	SourceID  struct {
		Organization ingest.Text `json:"customerOrganizationNumber"`
		Project      ingest.Text `json:"projectNumber"`
	} `json:"sourceId"`
	sourceDetails // the rest is what findings keep in sourceProperties
}

// fromLog makes a finding of a log entry. Its source has no number there, so the log's own name stands for it.
func (rec record) fromLog() *finding {
	l := rec.Log
	rule := cmp.Or(emptyUnset(l.DetectionCategory.V.SubRuleName), emptyUnset(l.DetectionCategory.V.RuleName))
	f := &finding{
		Name:     "organizations/" + cmp.Or(l.SourceID.Organization, "unknown") + "/sources/event-threat-detection/findings/" + cmp.Or(l.FindingID, rec.InsertID),
		Category: ingest.Text(rule), State: "ACTIVE", FindingClass: "THREAT", EventTime: l.EventTime,
		Source: loose[sourceDetails]{l.sourceDetails, true},
	}
	for _, a := range l.Affected.V {
		if f.ResourceName == "" {
			f.ResourceName = a.Name
		}
	}
	return f
}

// UnmarshalJSON reads an object of values, or an array of {"key", "value"}.
func (t *texts) UnmarshalJSON(b []byte) error {
	*t = texts{}
	if jsontext.Value(b).Kind() == '{' {
		return json.Unmarshal(b, (*map[string]ingest.Text)(t))
	}
	var list []struct{ Key, Value ingest.Text }
	if err := json.Unmarshal(b, &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		return err
	}
	for _, kv := range list {
		(*t)[string(kv.Key)] = kv.Value
	}
	return nil
}
