package ocsf

import (
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/alert"
)

// The classes of findings.
const (
	securityFinding      = 2001 // retired in 1.1, but still sent
	vulnerabilityFinding = 2002
	complianceFinding    = 2003
	applicationPosture   = 2007
)

// postureTypes start the type words of findings about weaknesses, whatever their class.
var postureTypes = []string{"Software and Configuration Checks", "Posture Management", "Vulnerabilities", "Exposure"}

// classOf tells posture from activity. Several scanners send their checks as detections, with the result of the check
// as status code (PASS, FAIL, MANUAL).
func classOf(f *event, info *finding) alert.Class {
	switch int(f.ClassUID.Value) {
	case vulnerabilityFinding, complianceFinding, applicationPosture:
		return alert.Exposure
	}
	if f.Compliance.isSet() || len(f.Vulnerabilities) > 0 || checkResult(f) != "" {
		return alert.Exposure
	}
	for _, t := range info.Types {
		for _, p := range postureTypes {
			if strings.HasPrefix(string(t), p) {
				return alert.Exposure
			}
		}
	}
	return alert.Threat
}

// checkResult is a scanner's verdict in the status code; "" when the code is none.
func checkResult(f *event) string {
	switch code := strings.ToUpper(strings.TrimSpace(string(f.StatusCode))); code {
	case "PASS", "PASSED", "FAIL", "FAILED", "MANUAL", "MUTED":
		return code
	}
	return ""
}

// severityOf reads severity_id: 1 informational to 5 critical and 6 fatal. 0 and 99 leave it to the word.
func severityOf(f *event) (alert.Severity, string) {
	native := strings.TrimSpace(string(f.Severity))
	if native == "" && f.SeverityID.Set {
		native = strconv.FormatFloat(f.SeverityID.Value, 'f', -1, 64)
	}
	switch int(f.SeverityID.Value) {
	case 1:
		return alert.Informational, native
	case 2:
		return alert.Low, native
	case 3:
		return alert.Medium, native
	case 4:
		return alert.High, native
	case 5, 6:
		return alert.Critical, native
	}
	return alert.ParseSeverity(string(f.Severity)), native
}

// statusOf reads the finding's state: state_id in class 2001, where status_id meant success or failure, else status_id.
// A closing activity and a passed check end it.
func statusOf(f *event) (alert.Status, string) {
	native, id := string(f.Status), int(f.StatusID.Value)
	if int(f.ClassUID.Value) == securityFinding && f.StateID.Set {
		id = int(f.StateID.Value)
	}
	if native == "" {
		native = string(f.State)
	}
	if f.ActivityID.Value == 3 || f.Compliance.hasPassed() || strings.HasPrefix(checkResult(f), "PASS") {
		return alert.StatusResolved, native
	}
	switch id {
	case 1:
		return alert.StatusNew, native
	case 2:
		return alert.StatusInProgress, native
	case 3, 4, 5, 6: // suppressed, resolved, archived, deleted
		return alert.StatusResolved, native
	}
	return alert.ParseStatus(native), native
}
