package wazuh

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

// Normalize reads one alert. Wazuh's id is unique per manager only, so the manager is part of the identity. A record
// without rule is fault.Invalid.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	if r.Field("rule") == nil && r.Field("_source") != nil {
		r = ingest.NewRecord(r.Field("_source"), r.Context)
	}
	if r.Field("rule").Kind() != '{' && isFlat(r) {
		return normalizeFlat(r)
	}
	var n native
	if err := ingest.Decode(r.Raw, &n); err != nil {
		return alert.Alert{}, err
	}
	if n.Rule.ID == "" && n.Rule.Description == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "rule.id: missing")
	}
	id := string(n.ID)
	if id == "" {
		id = digestOf(string(n.Rule.ID), string(n.Agent.ID), n.Timestamp.String(), string(n.FullLog))
	}
	a := alert.Alert{
		Origin: alert.Origin{Provider: "wazuh", ID: cmp.Or(string(n.Manager.Name), "manager") + "/" + id}, Reporter: "wazuh", ReportID: id,
		Product: "Wazuh", Type: "rule " + string(n.Rule.ID), Title: cmp.Or(string(n.Rule.Description), "Wazuh rule "+string(n.Rule.ID)),
		Description: string(n.FullLog), Status: alert.StatusNew, First: n.Timestamp.Time, Last: n.Timestamp.Time, Updated: n.Timestamp.Time,
		Techniques: attack.FindTechniques(nonBlankTexts(n.Rule.Mitre.ID)...), Evidence: evidenceOf(n), Extra: extraFacts(n),
		Severity: alert.Unknown,
	}
	if n.Rule.Level.Set {
		a.Severity, a.NativeSeverity = severityOf(n.Rule.Level.Value), formatNumber(n.Rule.Level.Value)
	}
	for _, t := range n.Rule.Mitre.Tactic {
		if tactic := attack.FromWord(string(t)); tactic != "" {
			a.Tactics = append(a.Tactics, tactic)
		}
	}
	a.Tactics = attack.SortTactics(a.Tactics)
	return a, nil
}

// severityOf reads the rule level, 0 to 16, in the bands of Wazuh's own dashboard; 0 to 3 are system notices.
func severityOf(level float64) alert.Severity {
	return alert.SeverityOfScore(level, 15, 12, 7, 4, 0)
}

func extraFacts(n native) map[string]string {
	out := map[string]string{
		"manager": string(n.Manager.Name), "location": string(n.Location), "groups": strings.Join(nonBlankTexts(n.Rule.Groups), ", "),
		"mitre_technique": strings.Join(nonBlankTexts(n.Rule.Mitre.Technique), ", "), "cluster_node": string(n.Cluster.Node),
	}
	if n.Rule.FiredTimes.Set {
		out["firedtimes"] = formatNumber(n.Rule.FiredTimes.Value)
	}
	for _, name := range []string{"vulnerability.cve", "vulnerability.severity", "vulnerability.package.name", "syscheck.event"} {
		out[name] = cmp.Or(n.Data[name], n.Syscheck[strings.TrimPrefix(name, "syscheck.")])
	}
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func nonBlankTexts(list ingest.List[ingest.Text]) []string {
	out := make([]string, 0, len(list))
	for _, t := range list {
		if t != "" && !slices.Contains(out, string(t)) {
			out = append(out, string(t))
		}
	}
	return out
}

func digestOf(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}
