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

// addAction walks what was done, and from where.
func (w *walker) addAction(a *action) {
	w.addConnection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		w.addConnection(&a.PortProbeAction.PortProbeDetails[i])
	}
	w.addAPICall(&a.AwsApiCallAction)
	w.addDNSRequest(&a.DNSRequestAction)
	w.addKubernetesCall(a)
	w.addLoginAttempt(&a.RdsLoginAttemptAction)
}

func (w *walker) addConnection(c *connection) {
	w.addRemoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port), string(c.Protocol))
	w.AddFact("direction", c.ConnectionDirection)
	w.AddFact("local_port", c.LocalPortDetails.Port)
	w.AddFact("protocol", c.Protocol)
}

func (w *walker) addAPICall(c *apiCall) {
	w.addRemoteIP(&c.RemoteIPDetails, "", "")
	w.AddEntity(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.AddFact("api", c.API)
	w.AddFact("api_service", c.ServiceName)
	w.AddFact("caller_type", c.CallerType)
	w.AddFact("error_code", c.ErrorCode)
	w.AddFact("user_agent", c.UserAgent)
	w.AddFact("remote_account", c.RemoteAccountDetails.AccountID)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.addAffectedResource(kind, c.AffectedResources[kind])
	}
}

// addAffectedResource is a resource the call changed, under its CloudFormation type, of which EventBridge lowers the first letter.
func (w *walker) addAffectedResource(kind string, value ingest.Text) {
	if after, ok := strings.CutPrefix(kind, "aWS::"); ok {
		kind = "AWS::" + after
	}
	if v := string(value); kind == "AWS::S3::Bucket" && !strings.HasPrefix(v, "arn:") && !ingest.IsBlank(v) {
		value = ingest.Text("arn:" + w.partition + ":s3:::" + v)
	}
	w.AddEntity(alert.Victim, entity.Resource, value, entity.AttrType, kind)
}

func (w *walker) addDNSRequest(d *dnsRequest) {
	w.AddEntity(w.remote, entity.Domain, cmp.Or(d.Domain, d.DomainWithSuffix))
	w.AddFact("registered_domain", d.DomainWithSuffix) // may be a provider's, shared by everyone
	w.AddFact("vpc_owner", d.VpcOwnerAccountID)
}

func (w *walker) addKubernetesCall(a *action) {
	c := &a.KubernetesAPICallAction
	w.addRemoteIP(&c.RemoteIPDetails, "", "")
	for _, ip := range c.SourceIPs {
		w.AddEntity(w.remote, entity.IP, ip)
	}
	w.AddFact("request_uri", c.RequestURI)
	w.AddFact("verb", c.Verb)
	w.AddFact("user_agent", c.UserAgent)
	w.AddFact("status_code", c.StatusCode)
	w.AddFact("kubernetes_resource", c.Resource)
	w.AddFact("kubernetes_resource_name", c.ResourceName)
	w.AddFact("kubernetes_namespace", c.Namespace)
	p := &a.KubernetesPermissionCheckedDetails
	w.AddFact("checked_verb", p.Verb)
	w.AddFact("checked_resource", p.Resource)
	w.AddFact("checked_namespace", p.Namespace)
	w.AddFact("checked_allowed", p.Allowed)
	w.AddFact("role_binding", a.KubernetesRoleBindingDetails.Name)
	w.AddFact("role_binding_role", a.KubernetesRoleBindingDetails.RoleRefName)
	w.AddFact("role", a.KubernetesRoleDetails.Name)
}

func (w *walker) addLoginAttempt(l *loginAttempt) {
	w.addRemoteIP(&l.RemoteIPDetails, "", "")
	for _, at := range l.LoginAttributes {
		w.AddEntity(w.asset, entity.User, at.User, entity.AttrUserType, "database")
		w.AddFact("failed_logins", at.FailedLoginAttempts)
		w.AddFact("successful_logins", at.SuccessfulLoginAttempts)
	}
}

// addRemoteIP is the other side's address, in both versions where it states both.
func (w *walker) addRemoteIP(d *ipDetails, port, protocol string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		asn := string(d.Organization.Asn)
		if asn == "0" || asn == "-1" {
			asn = ""
		}
		w.AddEntity(w.remote, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrASN, asn, entity.AttrOrg, string(d.Organization.Org), entity.AttrPort, port, entity.AttrProtocol, protocol)
	}
}

// addRuntime walks the process the agent saw, its ancestors, and what it touched.
func (w *walker) addRuntime(d *runtimeDetails) {
	p := &d.Process
	w.addProcess(alert.Attacker, p)
	for i := range p.Lineage {
		w.addProcess(alert.Context, &p.Lineage[i])
	}
	c := &d.Context
	for _, other := range []*process{c.ModifyingProcess, c.TargetProcess} {
		if other != nil {
			w.addProcess(alert.Context, other)
		}
	}
	for _, path := range []ingest.Text{c.ScriptPath, c.LibraryPath, c.ModuleFilePath, c.ThreatFilePath, c.ReleaseAgentPath, c.RuncBinaryPath} {
		w.AddEntity(alert.Context, entity.File, path)
	}
	w.addHash(alert.Context, c.ModuleSha256, c.ModuleFilePath)
	w.AddFact("ld_preload", c.LdPreloadValue)
	w.AddFact("socket", c.SocketPath)
	w.AddFact("mount_source", c.MountSource)
	w.AddFact("mount_target", c.MountTarget)
	w.AddFact("tool", c.ToolName)
	w.AddFact("tool_category", c.ToolCategory)
	w.AddFact("service", c.ServiceName)
	w.AddFact("command_line", c.CommandLineExample)
	w.AddFact("shell_history", c.ShellHistoryFilePath)
}

// addProcess keeps a process, its executable's hash, and the user it ran as.
func (w *walker) addProcess(role alert.Role, p *process) {
	sha := string(p.ExecutableSha256)
	parent := ""
	if len(p.Lineage) > 0 {
		parent = string(p.Lineage[0].Name)
	}
	e := w.AddEntity(role, entity.Process, cmp.Or(p.ExecutablePath, p.Name), entity.AttrPath, string(p.ExecutablePath),
		entity.AttrPID, string(p.PID), entity.AttrSHA256, sha, entity.AttrCommandLine, string(p.CommandLine), entity.AttrParentName, parent)
	if e.Name = string(p.Name); e.Name == e.Value {
		e.Name = ""
	}
	w.addHash(role, p.ExecutableSha256, p.ExecutablePath)
	w.AddEntity(alert.Context, entity.User, p.User, entity.AttrUserType, "operating system")
}

// addScans walks what malware scans found.
func (w *walker) addScans(s *service) {
	for _, t := range s.EbsVolumeScanDetails.ScanDetections.ThreatDetectedByName.ThreatNames {
		w.AddFact("threat", t.Name)
		for _, f := range t.FilePaths {
			w.addHash(alert.Attacker, f.Hash, cmp.Or(f.FilePath, f.FileName))
			w.AddEntity(alert.Context, entity.Resource, f.VolumeArn)
		}
	}
	w.AddFact("trigger_finding", s.EbsVolumeScanDetails.TriggerFindingID)
	w.AddFact("scan", cmp.Or(s.EbsVolumeScanDetails.ScanID, s.MalwareScanDetails.ScanID))
	for _, t := range s.MalwareScanDetails.Threats {
		w.AddFact("threat", t.Name)
		w.addHash(alert.Attacker, t.Hash, "")
		for _, p := range t.ItemPaths {
			w.addHash(alert.Attacker, p.Hash, p.NestedItemPath)
		}
		for _, d := range t.ItemDetails {
			w.addHash(alert.Attacker, d.Hash, d.ItemPath)
			w.AddEntity(w.asset, entity.Resource, d.ResourceArn)
		}
	}
}

// addThreatIntelligence keeps which lists knew the attacker, and what was unusual.
func (w *walker) addThreatIntelligence(s *service, info additional) {
	var lists, names []string
	for _, t := range s.Evidence.ThreatIntelligenceDetails {
		lists = append(lists, string(t.ThreatListName))
		for _, n := range t.ThreatNames {
			names = append(names, string(n))
		}
		w.addHash(alert.Attacker, t.ThreatFileSha256, "")
	}
	w.AddFact("threat_list", ingest.Text(strings.Join(lists, ", ")))
	w.AddFact("threat_name", ingest.Text(strings.Join(names, ", ")))
	w.AddFact("threat_list", info.ThreatListName)
	w.AddFact("threat_name", info.ThreatName)
	w.AddFact("user_feedback", s.UserFeedback)
	if v := s.Detection.Anomaly.Unusual.Behavior; v.Kind() == '{' {
		if text, err := json.Marshal(v, json.Deterministic(true)); err == nil {
			w.AddFact("unusual_behavior", ingest.Text(text))
		}
	}
}
