package scc

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
)

// extra keeps further facts under the names Google gives them. Security marks are "mark." and their key.
func extra(rec record) map[string]string {
	f, r := rec.Finding, rec.Resource.V
	out := map[string]string{}
	keep := func(name, value string) {
		if value != "" && value != "0" {
			out[name] = value
		}
	}
	keep("findingClass", set(f.FindingClass))
	keep("mute", set(f.Mute))
	keep("parentDisplayName", set(f.ParentDisplayName))
	keep("moduleName", set(f.ModuleName))
	keep("findingProviderId", set(f.FindingProviderID))
	keep("serviceName", set(f.Access.V.ServiceName))
	keep("methodName", set(f.Access.V.MethodName))
	keep("userAgent", set(f.Access.V.UserAgent))
	keep("cve", set(f.Vulnerability.V.CVE.ID))
	keep("attackExposureScore", set(f.AttackExposure.V.Score))
	keep("toxicCombinationScore", set(f.ToxicCombination.V.Score))
	keep("totalExfiltratedBytes", set(f.Exfiltration.V.Bytes))
	keep("query", set(f.Database.V.Query))
	keep("resourceService", set(r.Service))
	keep("SeverityLevel", set(f.Source.V.SeverityLevel))
	keep("ScannerName", set(f.Source.V.ScannerName))
	keep("detectionPriority", set(f.Source.V.DetectionPriority))
	keep("ruleName", set(f.Source.V.DetectionCategory.V.RuleName))
	keep("compliances", compliances(f.Compliances.V))
	keep("signatures", signatures(f.Indicator.V.Signatures.V))
	for _, b := range f.IAMBindings.V {
		keep("iamRole", strings.TrimSpace(out["iamRole"]+" "+set(b.Role)))
	}
	for k, v := range f.Marks.V.Marks.V {
		keep("mark."+k, set(v))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// compliances lists the broken controls as "cis 1.2: 5.2, 5.3; pci 3.2.1: 1.1".
func compliances(list ingest.List[compliance]) string {
	parts := make([]string, 0, len(list))
	for _, c := range list {
		ids := make([]string, len(c.IDs))
		for i, id := range c.IDs {
			ids[i] = string(id)
		}
		parts = append(parts, strings.TrimSpace(set(c.Standard)+" "+set(c.Version))+": "+strings.Join(ids, ", "))
	}
	return strings.Join(parts, "; ")
}

func signatures(list ingest.List[signature]) string {
	var parts []string
	for _, s := range list {
		for _, name := range []string{set(s.Memory.BinaryFamily), set(s.Yara.Rule)} {
			if name != "" {
				parts = append(parts, name)
			}
		}
	}
	return strings.Join(parts, ", ")
}
