// Package falco reads the alerts of Falco, as it writes them itself and as falcosidekick forwards them, bare or
// inside CloudEvents.
//
//	rule, priority, time, output_fields ──▶ alert about a host, a container, a process
package falco

import "github.com/onepane/onepane/functions/ingest"

// Provider reads Falco alerts.
type Provider struct{}

// Name is "falco".
func (Provider) Name() string { return "falco" }

// Recognize accepts what has Falco's rule, priority and output.
func (Provider) Recognize(r ingest.Record) bool {
	return r.Field("rule").Kind() == '"' && r.Has("priority", "output") && (r.Has("output_fields") || r.Has("time"))
}
