package guardduty

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// runtime walks the process the agent saw, its ancestors, and what it touched.
func (w *walk) runtime(d *runtimeDetails) {
	p := &d.Process
	w.process(alert.Attacker, p)
	for i := range p.Lineage {
		w.process(alert.Context, &p.Lineage[i])
	}
	c := &d.Context
	for _, other := range []*process{c.ModifyingProcess, c.TargetProcess} {
		if other != nil {
			w.process(alert.Context, other)
		}
	}
	for _, path := range []ingest.Text{c.ScriptPath, c.LibraryPath, c.ModuleFilePath, c.ThreatFilePath, c.ReleaseAgentPath, c.RuncBinaryPath} {
		w.Add(alert.Context, entity.File, path)
	}
	w.hash(alert.Context, c.ModuleSha256, c.ModuleFilePath)
	w.Note("ld_preload", c.LdPreloadValue)
	w.Note("socket", c.SocketPath)
	w.Note("mount_source", c.MountSource)
	w.Note("mount_target", c.MountTarget)
	w.Note("tool", c.ToolName)
	w.Note("tool_category", c.ToolCategory)
	w.Note("service", c.ServiceName)
	w.Note("command_line", c.CommandLineExample)
	w.Note("shell_history", c.ShellHistoryFilePath)
}

// process keeps a process, its executable's hash, and the user it ran as.
func (w *walk) process(role alert.Role, p *process) {
	sha := string(p.ExecutableSha256)
	parent := ""
	if len(p.Lineage) > 0 {
		parent = string(p.Lineage[0].Name)
	}
	e := w.Add(role, entity.Process, cmp.Or(p.ExecutablePath, p.Name), entity.AttrPath, string(p.ExecutablePath),
		entity.AttrPID, string(p.PID), entity.AttrSHA256, sha, entity.AttrCommandLine, string(p.CommandLine), entity.AttrParentName, parent)
	if e.Name = string(p.Name); e.Name == e.Value {
		e.Name = ""
	}
	w.hash(role, p.ExecutableSha256, p.ExecutablePath)
	w.Add(alert.Context, entity.User, p.User, entity.AttrUserType, "operating system")
}

// scans walks what malware scans found.
func (w *walk) scans(s *service) {
	for _, t := range s.EbsVolumeScanDetails.ScanDetections.ThreatDetectedByName.ThreatNames {
		w.Note("threat", t.Name)
		for _, f := range t.FilePaths {
			w.hash(alert.Attacker, f.Hash, cmp.Or(f.FilePath, f.FileName))
			w.Add(alert.Context, entity.Resource, f.VolumeArn)
		}
	}
	w.Note("trigger_finding", s.EbsVolumeScanDetails.TriggerFindingID)
	w.Note("scan", cmp.Or(s.EbsVolumeScanDetails.ScanID, s.MalwareScanDetails.ScanID))
	for _, t := range s.MalwareScanDetails.Threats {
		w.Note("threat", t.Name)
		w.hash(alert.Attacker, t.Hash, "")
		for _, p := range t.ItemPaths {
			w.hash(alert.Attacker, p.Hash, p.NestedItemPath)
		}
		for _, d := range t.ItemDetails {
			w.hash(alert.Attacker, d.Hash, d.ItemPath)
			w.Add(w.asset, entity.Resource, d.ResourceArn)
		}
	}
}

// intelligence keeps which lists knew the attacker, and what was unusual.
func (w *walk) intelligence(s *service, info additional) {
	var lists, names []string
	for _, t := range s.Evidence.ThreatIntelligenceDetails {
		lists = append(lists, string(t.ThreatListName))
		for _, n := range t.ThreatNames {
			names = append(names, string(n))
		}
		w.hash(alert.Attacker, t.ThreatFileSha256, "")
	}
	w.Note("threat_list", ingest.Text(strings.Join(lists, ", ")))
	w.Note("threat_name", ingest.Text(strings.Join(names, ", ")))
	w.Note("threat_list", info.ThreatListName)
	w.Note("threat_name", info.ThreatName)
	w.Note("user_feedback", s.UserFeedback)
	if v := s.Detection.Anomaly.Unusual.Behavior; v.Kind() == '{' {
		if text, err := json.Marshal(v, json.Deterministic(true)); err == nil {
			w.Note("unusual_behavior", ingest.Text(text))
		}
	}
}
