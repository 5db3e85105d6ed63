package guardduty

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// actionMapper adds what was done, and from where.
type actionMapper struct{ *evidenceMapper }

// addAction walks what was done, and from where.
func (m actionMapper) addAction(a *action) {
	m.addConnection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		m.addConnection(&a.PortProbeAction.PortProbeDetails[i])
	}
	m.addAPICall(&a.AwsApiCallAction)
	m.addDNSRequest(&a.DNSRequestAction)
	m.addKubernetesCall(a)
	m.addLoginAttempt(&a.RdsLoginAttemptAction)
}

func (m actionMapper) addConnection(c *connection) {
	m.addRemoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port), string(c.Protocol))
	m.AddFact("direction", c.ConnectionDirection)
	m.AddFact("local_port", c.LocalPortDetails.Port)
	m.AddFact("protocol", c.Protocol)
}

func (m actionMapper) addAPICall(c *apiCall) {
	m.addRemoteIP(&c.RemoteIPDetails, "", "")
	m.AddEntity(alert.Context, entity.Domain, c.DomainDetails.Domain)
	m.AddFact("api", c.API)
	m.AddFact("api_service", c.ServiceName)
	m.AddFact("caller_type", c.CallerType)
	m.AddFact("error_code", c.ErrorCode)
	m.AddFact("user_agent", c.UserAgent)
	m.AddFact("remote_account", c.RemoteAccountDetails.AccountID)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		m.addAffectedResource(kind, c.AffectedResources[kind])
	}
}

// addAffectedResource is a resource the call changed, under its CloudFormation type, of which EventBridge lowers the
// first letter.
func (m actionMapper) addAffectedResource(kind string, value ingest.Text) {
	if after, ok := strings.CutPrefix(kind, "aWS::"); ok {
		kind = "AWS::" + after
	}
	if v := string(value); kind == "AWS::S3::Bucket" && !strings.HasPrefix(v, "arn:") && !ingest.IsBlank(v) {
		value = ingest.Text("arn:" + m.partition + ":s3:::" + v)
	}
	m.AddEntity(alert.Victim, entity.Resource, value, entity.AttrType, kind)
}

func (m actionMapper) addDNSRequest(d *dnsRequest) {
	m.AddEntity(m.remote, entity.Domain, cmp.Or(d.Domain, d.DomainWithSuffix))
	m.AddFact("registered_domain", d.DomainWithSuffix) // may be a provider's, shared by everyone
	m.AddFact("vpc_owner", d.VpcOwnerAccountID)
}

func (m actionMapper) addKubernetesCall(a *action) {
	c := &a.KubernetesAPICallAction
	m.addRemoteIP(&c.RemoteIPDetails, "", "")
	for _, ip := range c.SourceIPs {
		m.AddEntity(m.remote, entity.IP, ip)
	}
	m.AddFact("request_uri", c.RequestURI)
	m.AddFact("verb", c.Verb)
	m.AddFact("user_agent", c.UserAgent)
	m.AddFact("status_code", c.StatusCode)
	m.AddFact("kubernetes_resource", c.Resource)
	m.AddFact("kubernetes_resource_name", c.ResourceName)
	m.AddFact("kubernetes_namespace", c.Namespace)
	p := &a.KubernetesPermissionCheckedDetails
	m.AddFact("checked_verb", p.Verb)
	m.AddFact("checked_resource", p.Resource)
	m.AddFact("checked_namespace", p.Namespace)
	m.AddFact("checked_allowed", p.Allowed)
	m.AddFact("role_binding", a.KubernetesRoleBindingDetails.Name)
	m.AddFact("role_binding_role", a.KubernetesRoleBindingDetails.RoleRefName)
	m.AddFact("role", a.KubernetesRoleDetails.Name)
}

func (m actionMapper) addLoginAttempt(l *loginAttempt) {
	m.addRemoteIP(&l.RemoteIPDetails, "", "")
	for _, at := range l.LoginAttributes {
		m.AddEntity(m.asset, entity.User, at.User, entity.AttrUserType, "database")
		m.AddFact("failed_logins", at.FailedLoginAttempts)
		m.AddFact("successful_logins", at.SuccessfulLoginAttempts)
	}
}

// addRemoteIP is the other side's address, in both versions where it states both.
func (m actionMapper) addRemoteIP(d *ipDetails, port, protocol string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		asn := string(d.Organization.Asn)
		if asn == "0" || asn == "-1" {
			asn = ""
		}
		m.AddEntity(m.remote, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrASN, asn, entity.AttrOrg, string(d.Organization.Org), entity.AttrPort, port, entity.AttrProtocol, protocol)
	}
}

// runtimeMapper adds what the agent on a machine, malware scans and threat lists know.
type runtimeMapper struct{ *evidenceMapper }

// addRuntime walks the process the agent saw, its ancestors, and what it touched.
func (m runtimeMapper) addRuntime(d *runtimeDetails) {
	p := &d.Process
	m.addProcess(alert.Attacker, p)
	for i := range p.Lineage {
		m.addProcess(alert.Context, &p.Lineage[i])
	}
	c := &d.Context
	for _, other := range []*process{c.ModifyingProcess, c.TargetProcess} {
		if other != nil {
			m.addProcess(alert.Context, other)
		}
	}
	for _, path := range []ingest.Text{c.ScriptPath, c.LibraryPath, c.ModuleFilePath, c.ThreatFilePath, c.ReleaseAgentPath, c.RuncBinaryPath} {
		m.AddEntity(alert.Context, entity.File, path)
	}
	m.addHash(alert.Context, c.ModuleSha256, c.ModuleFilePath)
	m.AddFact("ld_preload", c.LdPreloadValue)
	m.AddFact("socket", c.SocketPath)
	m.AddFact("mount_source", c.MountSource)
	m.AddFact("mount_target", c.MountTarget)
	m.AddFact("tool", c.ToolName)
	m.AddFact("tool_category", c.ToolCategory)
	m.AddFact("service", c.ServiceName)
	m.AddFact("command_line", c.CommandLineExample)
	m.AddFact("shell_history", c.ShellHistoryFilePath)
}

// addProcess keeps a process, its executable's hash, and the user it ran as.
func (m runtimeMapper) addProcess(role alert.Role, p *process) {
	sha := string(p.ExecutableSha256)
	parent := ""
	if len(p.Lineage) > 0 {
		parent = string(p.Lineage[0].Name)
	}
	e := m.AddEntity(role, entity.Process, cmp.Or(p.ExecutablePath, p.Name), entity.AttrPath, string(p.ExecutablePath),
		entity.AttrPID, string(p.PID), entity.AttrSHA256, sha, entity.AttrCommandLine, string(p.CommandLine), entity.AttrParentName, parent)
	if e.Name = string(p.Name); e.Name == e.Value {
		e.Name = ""
	}
	m.addHash(role, p.ExecutableSha256, p.ExecutablePath)
	m.AddEntity(alert.Context, entity.User, p.User, entity.AttrUserType, "operating system")
}

// addScans walks what malware scans found.
func (m runtimeMapper) addScans(s *service) {
	for _, t := range s.EbsVolumeScanDetails.ScanDetections.ThreatDetectedByName.ThreatNames {
		m.AddFact("threat", t.Name)
		for _, f := range t.FilePaths {
			m.addHash(alert.Attacker, f.Hash, cmp.Or(f.FilePath, f.FileName))
			m.AddEntity(alert.Context, entity.Resource, f.VolumeArn)
		}
	}
	m.AddFact("trigger_finding", s.EbsVolumeScanDetails.TriggerFindingID)
	m.AddFact("scan", cmp.Or(s.EbsVolumeScanDetails.ScanID, s.MalwareScanDetails.ScanID))
	for _, t := range s.MalwareScanDetails.Threats {
		m.AddFact("threat", t.Name)
		m.addHash(alert.Attacker, t.Hash, "")
		for _, p := range t.ItemPaths {
			m.addHash(alert.Attacker, p.Hash, p.NestedItemPath)
		}
		for _, d := range t.ItemDetails {
			m.addHash(alert.Attacker, d.Hash, d.ItemPath)
			m.AddEntity(m.asset, entity.Resource, d.ResourceArn)
		}
	}
}

// addThreatIntelligence keeps which lists knew the attacker, and what was unusual.
func (m runtimeMapper) addThreatIntelligence(s *service, info additional) {
	var lists, names []string
	for _, t := range s.Evidence.ThreatIntelligenceDetails {
		lists = append(lists, string(t.ThreatListName))
		for _, n := range t.ThreatNames {
			names = append(names, string(n))
		}
		m.addHash(alert.Attacker, t.ThreatFileSha256, "")
	}
	m.AddFact("threat_list", ingest.Text(strings.Join(lists, ", ")))
	m.AddFact("threat_name", ingest.Text(strings.Join(names, ", ")))
	m.AddFact("threat_list", info.ThreatListName)
	m.AddFact("threat_name", info.ThreatName)
	m.AddFact("user_feedback", s.UserFeedback)
	if v := s.Detection.Anomaly.Unusual.Behavior; v.Kind() == '{' {
		if text, err := json.Marshal(v, json.Deterministic(true)); err == nil {
			m.AddFact("unusual_behavior", ingest.Text(text))
		}
	}
}
