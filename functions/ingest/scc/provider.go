// Package scc reads the findings of Google Security Command Center, of every class and tier: the notification that
// Pub/Sub carries, list and export rows, a bare finding, API v1 and v2, and the log entries of older Event Threat
// Detection.
//
//	record ─decode─▶ finding, resource ─normalize─▶ alert or exposure
//	                     └─evidence, account─▶ who, what, where
package scc

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Provider reads Security Command Center findings.
type Provider struct{}

// Name is "scc".
func (Provider) Name() string { return "scc" }

// Recognize accepts a notification, an export row, a bare finding, and a threat detection log entry.
func (Provider) Recognize(r ingest.Record) bool {
	switch {
	case r.Field("finding").Kind() == '{':
		return isFinding(ingest.NewRecord(r.Field("finding"), nil)) || r.Has("notificationConfigName")
	case r.Field("findings").Kind() == '{':
		return isFinding(ingest.NewRecord(r.Field("findings"), nil))
	case r.Field("jsonPayload").Kind() == '{':
		return bytes.Contains(r.Field("jsonPayload"), []byte(`"detectionCategory"`))
	}
	return isFinding(r)
}

func isFinding(r ingest.Record) bool {
	for _, name := range []string{"name", "canonicalName", "canonical_name"} {
		if v := r.Text(name); strings.Contains(v, "/findings/") && strings.Contains(v, "sources/") {
			return true
		}
	}
	return false
}

// Normalize gives threats and observations as alerts, every other class as exposures. A finding without a name that
// holds its source and id is fault.Invalid.
func (Provider) Normalize(r ingest.Record) (alert.Alert, error) {
	rec, err := decodeRecord(r.Raw)
	if err != nil {
		return alert.Alert{}, err
	}
	f := rec.Finding
	id, ok := findingID(cmp.Or(f.Name, f.CanonicalName))
	if !ok {
		return alert.Alert{}, fault.Errorf(fault.Invalid, "finding.name: %q is not …/sources/SOURCE/findings/FINDING", string(f.Name))
	}
	category := emptyUnset(f.Category)
	a := alert.Alert{
		Class:          classOf(f),
		Origin:         alert.Origin{Provider: "scc", ID: id},
		Reporter:       "scc",
		ReportID:       string(cmp.Or(f.Name, f.CanonicalName)),
		Product:        "Google Security Command Center",
		Type:           category,
		Title:          cmp.Or(category, fallbackTitle(f)),
		Description:    cmp.Or(string(f.Description), string(f.Source.V.Explanation)),
		Recommendation: cmp.Or(string(f.NextSteps), string(f.Source.V.Recommendation)),
		URL:            string(f.ExternalURI),
		NativeSeverity: emptyUnset(f.Severity),
		NativeStatus:   emptyUnset(f.State),
		Status:         statusOf(f),
		First:          ingest.Earliest(f.EventTime, f.CreateTime),
		Last:           ingest.FirstSet(f.EventTime, f.CreateTime),
		Updated:        latestTime(f.EventTime, f.CreateTime, f.MuteUpdateTime),
		Account:        accountOf(rec),
		Tactics:        tacticsOf(f),
		Techniques:     techniquesOf(f),
		Members:        memberIDs(f),
		Extra:          extraFacts(rec),
	}
	a.Severity = alert.ParseSeverity(a.NativeSeverity)
	if a.Severity == alert.Unknown && emptyUnset(f.FindingClass) == "OBSERVATION" {
		a.Severity = alert.Informational // it observes; it accuses nobody
	}
	if f.CanonicalName != "" && string(f.CanonicalName) != a.ReportID {
		a.CarriedIDs = []string{string(f.CanonicalName)}
	}
	a.Evidence = evidenceOf(rec, a)
	return a, nil
}

// findingID is the source and the finding id of a name, the same for API v1, v2 and the canonical name, which differ
// in parent and location only.
func findingID[T ~string](name T) (string, bool) {
	_, rest, ok := strings.Cut("/"+string(name), "/sources/")
	source, rest, _ := strings.Cut(rest, "/")
	_, id, found := strings.Cut("/"+rest, "/findings/")
	id, _, _ = strings.Cut(id, "/")
	return source + "/" + id, ok && found && source != "" && id != ""
}

// memberIDs are the findings that a toxic combination or chokepoint sums up, named like Origin.ID.
func memberIDs(f *finding) []string {
	var out []string
	for _, list := range []ingest.List[loose[related]]{f.ToxicCombination.V.RelatedFindings.V, f.Chokepoint.V.RelatedFindings.V} {
		for _, m := range list {
			if id, ok := findingID(cmp.Or(m.V.CanonicalName, m.V.Name)); ok {
				out = append(out, id)
			}
		}
	}
	return out
}

// fallbackTitle names a finding without category by the next best thing it says.
func fallbackTitle(f *finding) string {
	return cmp.Or(emptyUnset(f.ParentDisplayName), emptyUnset(f.ModuleName), emptyUnset(f.FindingClass), "Security Command Center finding")
}
