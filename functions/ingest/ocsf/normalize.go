package ocsf

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
)

// setTimes sets First, Last and Updated, each instant from its text where there is one: senders get the zone of the
// number wrong, not that of the text.
func setTimes(a *alert.Alert, f *event, info *finding) {
	created, seen := info.createdTime(), info.firstSeenTime()
	if !seen.IsZero() && seen.Nanosecond() == 0 && created.Truncate(1e9).Equal(seen.Time) {
		seen = created // the same moment, of which one spelling lost its fraction
	}
	at, start, end := preferText(f.TimeDT, f.Time), preferText(f.StartTimeDT, f.StartTime), preferText(f.EndTimeDT, f.EndTime)
	a.First = ingest.FirstSet(seen, created, start, at, info.lastSeenTime(), info.modifiedTime())
	a.Last = ingest.FirstSet(info.lastSeenTime(), end, info.modifiedTime(), at, created)
	if a.Last.Before(a.First) {
		a.Last = a.First
	}
	a.Updated = ingest.FirstSet(info.modifiedTime(), preferText(f.Metadata.ModifiedTimeDT, f.Metadata.ModifiedTime), at, info.lastSeenTime(), created)
}

// attackOf reads tactics and techniques: of the ATT&CK objects, else of the type words.
func attackOf(f *event, info *finding) ([]attack.Tactic, []string) {
	var tactics []attack.Tactic
	var words []string
	for _, list := range []ingest.List[attackObject]{f.Attacks, info.Attacks} {
		for _, at := range list {
			for _, t := range append(at.Tactics, at.Tactic) {
				tactics = append(tactics, cmp.Or(attack.FromWord(string(t.UID)), attack.FromWord(string(t.Name))))
			}
			words = append(words, string(at.SubTechnique.UID), string(at.Technique.UID))
		}
	}
	for _, t := range info.Types {
		part := strings.SplitN(string(t), "/", 3)
		if len(part) > 1 {
			tactics = append(tactics, cmp.Or(attack.Parse(attack.ASFFType, part[0]+"/"+part[1]), attack.Parse(attack.GuardDuty, part[1])))
		}
	}
	if isFromSecurityHub(f) && len(attack.SortTactics(tactics)) == 0 {
		for _, t := range append(info.Types, info.Analytic.Name) {
			purpose, _, _ := strings.Cut(ingest.LastSegment(string(t)), ":")
			tactics = append(tactics, attack.Parse(attack.GuardDuty, purpose))
		}
	}
	return attack.SortTactics(tactics), attack.FindTechniques(words...)
}

// memberIDs are the ids of what the finding sums up: an incident's findings, or those it says belong to it.
func memberIDs(f *event, info *finding) []string {
	var out []string
	for _, list := range []ingest.List[struct{ UID ingest.Text }]{f.FindingInfoList, info.RelatedEvents} {
		for _, e := range list {
			if e.UID != "" && e.UID != info.UID {
				out = append(out, string(e.UID))
			}
		}
	}
	return out
}

func firstText(list ingest.List[ingest.Text]) ingest.Text {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// The classes of findings.
const (
	securityFinding      = 2001 // retired in 1.1, but still sent
	vulnerabilityFinding = 2002
	complianceFinding    = 2003
	applicationPosture   = 2007
)

// postureTypes start the type words of findings about weaknesses, whatever their class.
var postureTypes = []string{"Software and Configuration Checks", "Posture Management", "Vulnerabilities", "Exposure"}

// classOf is Exposure for posture, Threat for activity. Several scanners send their checks as detections, with the
// result of the check as status code (PASS, FAIL, MANUAL).
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
