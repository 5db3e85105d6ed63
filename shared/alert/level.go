package alert

import (
	"strings"
)

// Severity is how bad an alert is: the Graph's words, and critical kept apart as an extension that the Graph
// shows as high.
type Severity string

// The severities, mild to grave.
const (
	Unknown       Severity = "unknown"
	Informational Severity = "informational"
	Low           Severity = "low"
	Medium        Severity = "medium"
	High          Severity = "high"
	Critical      Severity = "critical"
)

var ranks = map[Severity]int{Informational: 1, Low: 2, Medium: 3, High: 4, Critical: 5}

// Rank orders severities: 0 (unknown) to 5 (critical).
func (s Severity) Rank() int { return ranks[s] }

// Graph is the severity in the Graph's words, which know no critical.
func (s Severity) Graph() Severity {
	switch {
	case s == Critical:
		return High
	case s.Rank() == 0:
		return Unknown
	}
	return s
}

// ParseSeverity reads the words that providers share, in any case: "High", "INFO", "moderate", "warning", "fatal".
// Any other word is Unknown.
func ParseSeverity(word string) Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "informational", "info", "information", "none", "notice", "debug":
		return Informational
	case "low", "minor":
		return Low
	case "medium", "moderate", "warning", "warn":
		return Medium
	case "high", "error", "major", "severe":
		return High
	case "critical", "fatal", "emergency", "alert", "extreme":
		return Critical
	}
	return Unknown
}

// SeverityOfScore reads a score with the provider's own bounds: the first bound that score reaches, from the gravest
// down, names it; below them all it is Unknown.
func SeverityOfScore(score, critical, high, medium, low, informational float64) Severity {
	switch {
	case score >= critical:
		return Critical
	case score >= high:
		return High
	case score >= medium:
		return Medium
	case score >= low:
		return Low
	case score >= informational:
		return Informational
	}
	return Unknown
}

// Status is where work on an alert stands, in the Graph's words.
type Status string

// The statuses. StatusUnknown is for words nobody knows; a provider that states none reports StatusNew.
const (
	StatusUnknown    Status = "unknown"
	StatusNew        Status = "new"
	StatusInProgress Status = "inProgress"
	StatusResolved   Status = "resolved"
)

// statusSeparators drops what separates the words of a status: "In Progress", "IN_PROGRESS".
var statusSeparators = strings.NewReplacer(" ", "", "_", "", "-", "")

// ParseStatus reads the words that providers share, in any case; an empty word is StatusNew, one nobody knows
// StatusUnknown.
func ParseStatus(word string) Status {
	switch strings.ToLower(statusSeparators.Replace(strings.TrimSpace(word))) {
	case "", "new", "active", "open", "firing", "unresolved", "created", "notified", "detected", "reopened":
		return StatusNew
	case "inprogress", "investigating", "acknowledged", "triaged", "assigned":
		return StatusInProgress
	case "resolved", "closed", "inactive", "dismissed", "suppressed", "archived", "ignored", "falsepositive",
		"fixed", "deleted", "rejected", "redirected", "muted", "remediated", "mitigated":
		return StatusResolved
	}
	return StatusUnknown
}
