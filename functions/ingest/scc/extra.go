package scc

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
)

// extraFacts keeps further facts under the names Google gives them. Security marks are "mark." and their key.
func extraFacts(rec record) map[string]string {
	f, r := rec.Finding, rec.Resource.V
	out := map[string]string{}
	keep := func(name, value string) {
		if value != "" && value != "0" {
			out[name] = value
		}
	}
	keep("findingClass", emptyUnset(f.FindingClass))
	keep("mute", emptyUnset(f.Mute))
	keep("parentDisplayName", emptyUnset(f.ParentDisplayName))
	keep("moduleName", emptyUnset(f.ModuleName))
	keep("findingProviderId", emptyUnset(f.FindingProviderID))
	keep("serviceName", emptyUnset(f.Access.V.ServiceName))
	keep("methodName", emptyUnset(f.Access.V.MethodName))
	keep("userAgent", emptyUnset(f.Access.V.UserAgent))
	keep("cve", emptyUnset(f.Vulnerability.V.CVE.ID))
	keep("attackExposureScore", emptyUnset(f.AttackExposure.V.Score))
	keep("toxicCombinationScore", emptyUnset(f.ToxicCombination.V.Score))
	keep("totalExfiltratedBytes", emptyUnset(f.Exfiltration.V.Bytes))
	keep("query", emptyUnset(f.Database.V.Query))
	keep("resourceService", emptyUnset(r.Service))
	keep("SeverityLevel", emptyUnset(f.Source.V.SeverityLevel))
	keep("ScannerName", emptyUnset(f.Source.V.ScannerName))
	keep("detectionPriority", emptyUnset(f.Source.V.DetectionPriority))
	keep("ruleName", emptyUnset(f.Source.V.DetectionCategory.V.RuleName))
	keep("compliances", listCompliances(f.Compliances.V))
	keep("signatures", listSignatures(f.Indicator.V.Signatures.V))
	for _, b := range f.IAMBindings.V {
		keep("iamRole", strings.TrimSpace(out["iamRole"]+" "+emptyUnset(b.Role)))
	}
	for k, v := range f.Marks.V.Marks.V {
		keep("mark."+k, emptyUnset(v))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// listCompliances lists the broken controls as "cis 1.2: 5.2, 5.3; pci 3.2.1: 1.1".
func listCompliances(list ingest.List[compliance]) string {
	parts := make([]string, 0, len(list))
	for _, c := range list {
		ids := make([]string, len(c.IDs))
		for i, id := range c.IDs {
			ids[i] = string(id)
		}
		parts = append(parts, strings.TrimSpace(emptyUnset(c.Standard)+" "+emptyUnset(c.Version))+": "+strings.Join(ids, ", "))
	}
	return strings.Join(parts, "; ")
}

func listSignatures(list ingest.List[signature]) string {
	var parts []string
	for _, s := range list {
		for _, name := range []string{emptyUnset(s.Memory.BinaryFamily), emptyUnset(s.Yara.Rule)} {
			if name != "" {
				parts = append(parts, name)
			}
		}
	}
	return strings.Join(parts, ", ")
}
