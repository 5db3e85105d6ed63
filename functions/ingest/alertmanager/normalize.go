package alertmanager

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Normalize reads one alert. The fingerprint of its labels is its identity, whichever group or receiver it came
// through, so a later firing of the same labels is the same alert again. Labels of the wrong type are fault.Invalid.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	if !isAlert(r) {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "labels: missing")
	}
	var f firing
	if err := ingest.Decode(r.Raw, &f); err != nil {
		return alert.Alert{}, err
	}
	label := func(names ...string) string { return firstLabel(f.Labels, names...) }
	id := cmp.Or(string(f.Fingerprint), fingerprintOf(f.Labels))
	name := label("alertname", "rule")
	a := alert.Alert{
		Origin: alert.Origin{Provider: "alertmanager", ID: id}, Reporter: "alertmanager", ReportID: id, Product: "Prometheus Alertmanager",
		Type: name, Title: cmp.Or(name, firstLabel(f.Annotations, "summary", "title"), "Alertmanager alert"),
		Description:    firstLabel(f.Annotations, "description", "message", "summary", "info"),
		Recommendation: firstLabel(f.Annotations, "runbook_url", "runbook"),
		URL:            cmp.Or(string(f.GeneratorURL), firstLabel(f.Annotations, "dashboard"), r.Context["externalURL"]),
		NativeSeverity: label("severity", "priority", "level"),
		NativeStatus:   string(f.Status), Status: alert.ParseStatus(string(f.Status)),
		First: f.StartsAt.Time, Last: f.StartsAt.Time, Updated: f.StartsAt.Time,
		Evidence: evidenceOf(f.Labels), Extra: extraFacts(f),
	}
	a.Severity = alert.ParseSeverity(a.NativeSeverity)
	if a.Status == alert.StatusResolved && f.EndsAt.After(a.First) {
		a.Last, a.Updated = f.EndsAt.Time, f.EndsAt.Time
	}
	return a, nil
}

func firstLabel(m map[string]ingest.Text, names ...string) string {
	for _, n := range names {
		if v := strings.TrimSpace(string(m[n])); !ingest.IsPlaceholder(v) {
			return v
		}
	}
	return ""
}

// fingerprintOf is an identity for alerts whose sender left it out: like Alertmanager's own, a hash of the labels
// alone.
func fingerprintOf(labels map[string]ingest.Text) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		h.Write([]byte(name + "\xff" + string(labels[name]) + "\xff"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// extraFacts keeps labels by their names and annotations as "annotation." and theirs.
func extraFacts(f firing) map[string]string {
	out := make(map[string]string, len(f.Labels)+len(f.Annotations))
	for k, v := range f.Labels {
		out[k] = string(v)
	}
	for k, v := range f.Annotations {
		out["annotation."+k] = string(v)
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
