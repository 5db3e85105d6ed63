package contract

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/bus"
)

// checkQueues: the queues exist by the names the code knows, and are what the driver takes for granted.
func checkQueues(s *site) {
	names, _ := s.modules[Azure].locals["queues"].(map[string]any)
	if len(names) != len(Queues) {
		s.addProblem("azure: queues %v, want %d", names, len(Queues))
	}
	for name, want := range Queues {
		if names[name] != name {
			s.addProblem("azure: queue %q is called %v", name, names[name])
		}
		q := s.findResource(Azure, "azapi_resource", name)
		s.expectAttributes(Azure, q, map[string]any{
			"name": ref("local.queues." + name), "lifecycle.prevent_destroy": true,
			"body.properties.requiresSession":                  want.Sessions,
			"body.properties.requiresDuplicateDetection":       want.Duplicates,
			"body.properties.maxDeliveryCount":                 int64(bus.MaxDeliveries),
			"body.properties.deadLetteringOnMessageExpiration": true,
		})
	}
	alerts := s.findResource(Azure, "azapi_resource", bus.AlertsQueue)
	if w := s.durationOf(alerts, "duplicateDetectionHistoryTimeWindow"); w < 10*time.Minute || w > 7*24*time.Hour {
		s.addProblem("azure: duplicate window of %v: a retried publish comes within minutes", w)
	}
	if l := s.durationOf(alerts, "lockDuration"); l > 5*time.Minute {
		s.addProblem("azure: lockDuration %v: five minutes are the most there is", l)
	}
	s.checkClaimRetention(alerts)
}

// A claim outlives the message that names it, on the queue and then in quarantine.
func (s *site) checkClaimRetention(alerts *resource) {
	quarantine := s.findResource(Azure, "azapi_resource", bus.QuarantineQueue)
	life := s.durationOf(alerts, "defaultMessageTimeToLive") + s.durationOf(quarantine, "defaultMessageTimeToLive")
	days, _ := s.modules[Azure].locals["claim_days"].(int64)
	if kept := time.Duration(days) * 24 * time.Hour; kept <= life {
		s.addProblem("azure: claims are kept %v, messages live up to %v", kept, life)
	}
}

// durationOf reads an ISO 8601 property.
func (s *site) durationOf(r *resource, property string) time.Duration {
	text, _ := r.attribute("body", "properties", property).(string)
	d, err := isoDuration(text)
	if err != nil {
		s.addProblem("azure: %s: %s: %v", r, property, err)
	}
	return d
}

// isoDuration reads P14D and PT5M: a number of days, or of hours, minutes and seconds.
func isoDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(strings.TrimPrefix(text, "P"), "D"); ok && text[0] == 'P' {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	if rest, ok := strings.CutPrefix(text, "PT"); ok {
		return time.ParseDuration(strings.ToLower(rest))
	}
	return 0, fmt.Errorf("%q is no duration", text)
}
