// Package alertmanager reads the webhook of Prometheus Alertmanager, version 4: one delivery is a group of alerts
// with labels, firing and resolved side by side.
//
//	{"alerts":[…]} ─Split─▶ one record per alert ─Normalize─▶ alert
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

// Provider reads Alertmanager groups and the alerts in them.
type Provider struct{}

// Name is "alertmanager".
func (Provider) Name() string { return "alertmanager" }

// Recognize accepts a group, and an alert that Split or a rule of its own took out of one.
func (Provider) Recognize(r ingest.Record) bool {
	if r.Field("alerts").Kind() == '[' {
		return r.Has("groupKey") || r.Has("receiver") || r.Has("groupLabels") || r.Has("commonLabels")
	}
	return isAlert(r)
}

func isAlert(r ingest.Record) bool {
	return r.Has("labels", "startsAt") && (r.Has("fingerprint") || r.Has("annotations") || r.Has("endsAt"))
}

// Split gives the alerts of a group. They carry "externalURL" and "receiver" in Context.
func (Provider) Split(r ingest.Record) ([]ingest.Record, error) {
	list := r.Field("alerts")
	if list.Kind() != '[' {
		return []ingest.Record{r}, nil
	}
	elements, err := ingest.Elements(list)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "alerts: %w", err)
	}
	if len(elements) == 0 {
		r.Ignored = "a group without alerts"
		return []ingest.Record{r}, nil
	}
	context := maps.Clone(r.Context)
	if context == nil {
		context = map[string]string{}
	}
	for _, name := range []string{"externalURL", "receiver"} {
		if v := r.Text(name); v != "" {
			context[name] = v
		}
	}
	out := make([]ingest.Record, len(elements))
	for i, e := range elements {
		out[i] = ingest.NewRecord(e, context)
		if e.Kind() != '{' {
			out[i].Err = fault.Errorf(fault.Invalid, "alerts[%d]: a JSON %s is no alert", i, e.Kind())
		}
	}
	return out, nil
}

// firing is what we read of one alert.
type firing struct {
	Fingerprint  ingest.Text            `json:"fingerprint"`
	Status       ingest.Text            `json:"status"`
	Labels       map[string]ingest.Text `json:"labels"`
	Annotations  map[string]ingest.Text `json:"annotations"`
	StartsAt     ingest.Time            `json:"startsAt"`
	EndsAt       ingest.Time            `json:"endsAt"` // year 1 while it fires, or when it would expire
	GeneratorURL ingest.Text            `json:"generatorURL"`
}

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

// fingerprintOf stands in where a sender left it out: like Alertmanager's own, it follows from the labels alone.
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
