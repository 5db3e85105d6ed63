package guardduty

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

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
