package scc

import (
	"strings"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
)

// classOf tells what happened from what is merely so. Findings from before classes existed are told apart by what the
// old scanners and detectors put in them; when nothing tells, it is a threat, because an alert too many is cheaper
// than one too few.
func classOf(f *finding) alert.Class {
	switch c := strings.ToUpper(emptyUnset(f.FindingClass)); c {
	case "THREAT", "OBSERVATION":
		return alert.Threat
	case "":
		return classOfOldFinding(f)
	default: // vulnerabilities, misconfigurations, errors of SCC itself, and classes still to come: states, not activity
		return alert.Exposure
	}
}

func classOfOldFinding(f *finding) alert.Class {
	switch category := emptyUnset(f.Category); {
	case f.Source.V.DetectionCategory.OK || oldThreats[category]:
		return alert.Threat
	case f.Source.V.ScannerName != "":
		return alert.Exposure
	case category != "" && isScannerCategory(category):
		return alert.Exposure
	}
	return alert.Threat
}

// oldThreats are categories of Anomaly Detection that look like a scanner's.
var oldThreats = map[string]bool{
	"ACCOUNT_HAS_LEAKED_CREDENTIALS": true, "LEAKED_CREDENTIALS": true, "CRYPTOMINING": true,
	"RESOURCE_USED_FOR_CRYPTOMINING": true, "OUTBOUND_INTRUSION_ATTEMPT": true, "SUSPICIOUS_ACTIVITY": true,
}

// isScannerCategory reports whether a category is written as the scanners write theirs: OPEN_FIREWALL, XSS.
func isScannerCategory(category string) bool {
	return strings.IndexFunc(category, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0
}

// statusOf reads state and mute: what is inactive or muted needs no work.
func statusOf(f *finding) alert.Status {
	if emptyUnset(f.Mute) == "MUTED" {
		return alert.StatusResolved
	}
	return alert.ParseStatus(emptyUnset(f.State))
}

func latestTime(ts ...ingest.Time) time.Time {
	var out time.Time
	for _, t := range ts {
		if t.After(out) {
			out = t.Time
		}
	}
	return out
}
