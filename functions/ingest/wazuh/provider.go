// Package wazuh reads Wazuh alerts: the native alert that integrations post, and the flat message of the webhook
// integration that puts everything into text.
//
//	rule, agent, data, syscheck ──▶ alert about the agent's machine
package wazuh

import "github.com/onepane/onepane/functions/ingest"

// Provider reads Wazuh alerts.
type Provider struct{}

// Name is "wazuh".
func (Provider) Name() string { return "wazuh" }

// Recognize accepts a native alert, also as an indexer document, and the flat message.
func (Provider) Recognize(r ingest.Record) bool {
	switch {
	case r.Field("rule").Kind() == '{':
		return r.Has("agent") && (r.Has("manager") || r.Has("decoder") || r.Has("location"))
	case r.Field("_source").Kind() == '{':
		return (Provider{}).Recognize(ingest.NewRecord(r.Field("_source"), nil))
	}
	return isFlat(r)
}
