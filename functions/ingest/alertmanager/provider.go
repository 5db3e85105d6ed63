// Package alertmanager reads the webhook of Prometheus Alertmanager, version 4: one delivery is a group of alerts
// with labels, firing and resolved side by side.
//
//	{"alerts":[…]} ─Split─▶ one record per alert ─Normalize─▶ alert
package alertmanager

import "github.com/onepane/onepane/functions/ingest"

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
