// Package sentinel reads Microsoft Sentinel: rows of the tables SecurityAlert and SecurityIncident, and the same two as
// resources of Microsoft.SecurityInsights. Most of what Sentinel shows was detected elsewhere; the alert is then that
// product's, with Sentinel as its reporter.
//
//	row ─strip suffixes─▶ columns ─┬─ SystemAlertId  ──▶ alert of {defender-for-cloud | defender-xdr | sentinel}
//	resource ─properties──────────┘└─ IncidentNumber ──▶ alert of type SecurityIncident, members by id
package sentinel

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// name is the room's name in Origin.Provider.
const name = "sentinel"

// Provider reads Sentinel. It keeps nothing.
type Provider struct{}

// Name is "sentinel".
func (Provider) Name() string { return name }

// Recognize knows a row by its columns and a resource by its type or id. An alert that Defender for Cloud exports
// itself has none of the columns that Sentinel adds.
func (Provider) Recognize(r ingest.Record) bool {
	switch {
	case r.Has("SystemAlertId"):
		return r.Has("VendorOriginalId") || r.Has("AlertSeverity") || strings.Contains(strings.ToLower(r.Text("ProductName")), "sentinel")
	case r.Has("SystemAlertId_s"), r.Has("SystemAlertId_g"), r.Has("IncidentName_g"), r.Has("IncidentName_s"):
		return true
	case r.Has("IncidentNumber"):
		return r.Has("IncidentName") || r.Has("AlertIds")
	}
	return isInsights(r.Text("type")) || strings.Contains(strings.ToLower(r.Text("id")), "/providers/microsoft.securityinsights/")
}

// Split takes the alerts out of an incident that a playbook's trigger sends with them, and keeps the incident beside.
func (Provider) Split(r ingest.Record) ([]ingest.Record, error) {
	alerts := ingest.NewRecord(r.Field("properties"), nil).Field("alerts")
	if alerts.Kind() != '[' {
		return []ingest.Record{r}, nil
	}
	list, err := ingest.Elements(alerts)
	if err != nil {
		return nil, err
	}
	out := make([]ingest.Record, 0, len(list)+1)
	for _, v := range list {
		if a := ingest.NewRecord(v, r.Context); a.Has("properties") {
			out = append(out, a)
		}
	}
	return append(out, r), nil
}

// Normalize reads an alert or an incident and ignores other resources of Sentinel's (rules, bookmarks, entities).
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	var raw jsontext.Value
	resource := false
	if p := r.Field("properties"); p.Kind() == '{' && !r.Has("SystemAlertId") {
		raw, resource = p, true
	} else {
		raw = plainColumns(r)
	}
	columns := ingest.NewRecord(raw, nil)
	switch {
	case columns.Has("systemAlertId"):
		return normalizeAlert(raw, r)
	case columns.Has("incidentNumber"), strings.HasSuffix(strings.ToLower(r.Text("type")), "/incidents"), columns.Has("incidentName"):
		return normalizeIncident(raw, r)
	case resource && strings.EqualFold(r.Text("kind"), "SecurityAlert"):
		return normalizeAlert(raw, r)
	}
	return alert.Alert{}, ingest.Ignore("a resource of Sentinel that is neither alert nor incident is no finding")
}

func isInsights(kind string) bool {
	const prefix = "microsoft.securityinsights/"
	return len(kind) > len(prefix) && strings.EqualFold(kind[:len(prefix)], prefix)
}

// plainColumns takes the type suffixes of custom tables ("SystemAlertId_g") off the column names; a row without them
// stays as it is.
func plainColumns(r ingest.Record) jsontext.Value {
	suffixed := false
	for _, m := range r.Fields {
		suffixed = suffixed || plainColumn(m.Name) != m.Name
	}
	if !suffixed || r.Has("SystemAlertId") || r.Has("IncidentName") {
		return r.Raw
	}
	var b bytes.Buffer
	b.WriteByte('{')
	seen := map[string]bool{}
	for _, m := range slices.SortedFunc(slices.Values(r.Fields), func(a, b ingest.Member) int { return strings.Compare(a.Name, b.Name) }) {
		plain := plainColumn(m.Name)
		folded := strings.ToLower(plain)
		quoted, err := jsontext.AppendQuote(nil, plain)
		if err != nil || seen[folded] {
			continue
		}
		seen[folded] = true
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(m.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func plainColumn(column string) string {
	for _, suffix := range []string{"_s", "_g", "_t", "_b", "_d"} {
		if plain, ok := strings.CutSuffix(column, suffix); ok && plain != "" {
			return plain
		}
	}
	return column
}
