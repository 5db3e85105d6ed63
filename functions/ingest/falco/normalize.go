package falco

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

// Normalize reads one alert. Falco has no ids: without falcosidekick's uuid one is derived from rule, host, time and
// output, so that a re-delivery names the same alert. A wrong type in rule, time or output_fields is fault.Invalid.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var e event
	if err := ingest.Decode(r.Raw, &e); err != nil {
		return alert.Alert{}, err
	}
	if e.Rule == "" {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "rule: missing")
	}
	id := cmp.Or(string(e.UUID), derivedID(e))
	tags := make([]string, len(e.Tags))
	for i, t := range e.Tags {
		tags[i] = string(t)
	}
	a := alert.Alert{
		Origin: alert.Origin{Provider: "falco", ID: id}, Reporter: "falco", ReportID: id, Product: "Falco",
		Type: string(e.Rule), Title: string(e.Rule), Description: string(e.Output),
		Severity: severityOf(string(e.Priority)), NativeSeverity: string(e.Priority), Status: alert.StatusNew,
		First: e.Time.Time, Last: e.Time.Time, Updated: e.Time.Time,
		Tactics: tacticsOf(tags), Techniques: attack.FindTechniques(tags...), Evidence: evidenceOf(e),
	}
	extra := map[string]string{"source": string(e.Source), "tags": strings.Join(tags, ", ")}
	for k, v := range e.OutputFields {
		extra[k] = string(v)
	}
	for k, v := range extra {
		if ingest.IsPlaceholder(v) {
			delete(extra, k)
		}
	}
	if len(extra) > 0 {
		a.Extra = extra
	}
	return a, nil
}

func derivedID(e event) string {
	h := sha256.Sum256([]byte(strings.Join([]string{string(e.Rule), string(e.Hostname), e.Time.UTC().Format("2006-01-02T15:04:05.999999999Z"), string(e.Output)}, "\x00")))
	return hex.EncodeToString(h[:16])
}

// severityOf reads syslog's eight priorities. Debug and Informational are the same to whoever reads alerts.
func severityOf(priority string) alert.Severity {
	switch strings.ToLower(priority) {
	case "emergency", "alert", "critical":
		return alert.Critical
	case "error":
		return alert.High
	case "warning":
		return alert.Medium
	case "notice":
		return alert.Low
	case "informational", "info", "debug":
		return alert.Informational
	}
	return alert.Unknown
}

// tacticsOf reads the tags "mitre_credential_access" that Falco's own rules carry.
func tacticsOf(tags []string) []attack.Tactic {
	var out []attack.Tactic
	for _, tag := range tags {
		word, _ := strings.CutPrefix(strings.ToLower(tag), "mitre_")
		if t := attack.FromWord(word); t != "" {
			out = append(out, t)
		}
	}
	return attack.SortTactics(out)
}
