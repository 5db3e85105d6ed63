package wazuh

import (
	"strconv"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
)

// message is what the webhook integration posts: the facts are lines of the description ("Agent Name web-03").
type message struct {
	Message     ingest.Text `json:"message"`
	Severity    ingest.Text `json:"severity"`
	Description ingest.Text `json:"description"`
	CreatedAt   ingest.Text `json:"created_at"`
}

func isFlat(r ingest.Record) bool {
	return r.Field("message").Kind() == '"' && r.Has("severity") && strings.HasPrefix(r.Text("description"), "Rule ID ")
}

// normalizeFlat reads the message. It has no id, so one is derived from everything it says.
func normalizeFlat(r ingest.Record) (alert.Alert, error) {
	var m message
	if err := ingest.Decode(r.Raw, &m); err != nil {
		return alert.Alert{}, err
	}
	at, err := ingest.ParseTime(string(m.CreatedAt))
	if err != nil {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "created_at: %w", err)
	}
	line := map[string]string{}
	for l := range strings.Lines(string(m.Description)) {
		for _, name := range []string{"Rule ID", "Level", "Agent ID", "Agent Name", "Full Log"} {
			if v, ok := strings.CutPrefix(l, name+" "); ok {
				line[name] = strings.TrimSpace(v)
			}
		}
	}
	id := digestOf(string(m.Message), string(m.Description), string(m.CreatedAt))
	a := alert.Alert{
		Origin: alert.Origin{Provider: "wazuh", ID: id}, Reporter: "wazuh", ReportID: id, Product: "Wazuh", Type: "rule " + line["Rule ID"],
		Title: string(m.Message), Description: string(m.Description), Severity: alert.ParseSeverity(string(m.Severity)),
		NativeSeverity: string(m.Severity), Status: alert.StatusNew, First: at, Last: at, Updated: at,
	}
	if level, err := strconv.ParseFloat(line["Level"], 64); err == nil {
		a.Extra = map[string]string{"level": line["Level"]}
		if a.Severity == alert.Unknown {
			a.Severity = severityOf(level)
		}
	}
	var set ingest.EvidenceSet
	set.Add(alert.Evidence{Entity: entity.Entity{Kind: entity.Host, Value: line["Agent Name"]}, Role: alert.Victim})
	a.Evidence = set.List()
	return a, nil
}
