// Package ocsf writes alerts as Detection Findings (2004) and incidents as Incident Findings (2005) of the Open
// Cybersecurity Schema Framework. Each change is an event of its own: metadata.uid names it, finding_info.uid and
// metadata.correlation_uid say what it is about.
//
//	alert ────▶ 2004: finding_info, evidences, resources, observables ─┐
//	incident ─▶ 2005: finding_info_list ───────────────────────────────┴─▶ Lake: where it is kept
package ocsf

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// The versions an Encoder can write.
const (
	V15 = "1.5.0"
	V16 = "1.6.0"
	V18 = "1.8.0"
)

// Encoder writes one version of OCSF.
type Encoder struct {
	Version   string // default V16
	Product   string // of Onepane itself: its version
	PortalURL string // where links lead; events have none when it is empty
}

// The classes.
const (
	Detection = 2004
	Incident  = 2005
)

// MaxAlerts is how many of an incident's alerts its event lists.
const MaxAlerts = 100

// Encode is an export.Encoder.
func (e Encoder) Encode(r export.Row) ([]byte, error) {
	data, err := json.Marshal(e.Event(r), json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode %s %s: %w", r.Kind, r.Thing, err)
	}
	return data, nil
}

// Event is r as an event.
func (e Encoder) Event(r export.Row) Event {
	if e.Version == "" {
		e.Version = V16
	}
	if r.Incident != nil {
		return e.incidentEvent(r)
	}
	return e.detectionEvent(r)
}

// The words that ids stand for. A caption is the enumeration's, or is not there.
var (
	activities = map[int]string{1: "Create", 2: "Update", 3: "Close"}
	severities = map[alert.Severity]int{alert.Informational: 1, alert.Low: 2, alert.Medium: 3, alert.High: 4, alert.Critical: 5}
	severity   = map[int]string{0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
	statuses   = map[int]string{0: "Unknown", 1: "New", 2: "In Progress", 4: "Resolved", 5: "Closed"}
	verdicts   = map[int]string{1: "False Positive", 2: "True Positive", 5: "Benign"}
	priorities = map[int]string{1: "Low", 2: "Medium", 3: "High", 4: "Critical"}
)

// newEvent is what both classes have.
func (e Encoder) newEvent(r export.Row, class int, name string, s alert.Severity, closed bool) Event {
	activity := 2
	switch {
	case closed:
		activity = 3
	case !r.Updated.After(r.Created):
		activity = 1
	}
	id := severities[s]
	return Event{
		ActivityID: activity, ActivityName: activities[activity], CategoryUID: 2, CategoryName: "Findings", ClassUID: class, ClassName: name,
		TypeUID: class*100 + activity, TypeName: name + ": " + activities[activity], Time: unixMillis(r.Created), SeverityID: id, Severity: severity[id],
		Metadata: Metadata{
			Version: e.Version, UID: r.ID, TenantUID: r.Tenant, Product: Product{"Onepane", "Onepane", e.Product}, LoggedTime: unixMillis(r.Updated),
			Profiles: []string{"incident"},
		},
		Unmapped: map[string]string{},
	}
}

func unixMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (v *Event) setVerdict(w incident.Work) {
	switch w.Classification {
	case "truePositive":
		v.VerdictID = 2
	case "falsePositive":
		v.VerdictID = 1
	case "informationalExpectedActivity":
		v.VerdictID = 5
	}
	v.Verdict = verdicts[v.VerdictID]
	v.setUnmapped("determination", w.Determination)
	if w.AssignedTo != "" {
		v.Assignee = &Named{w.AssignedTo}
	}
	if n := len(w.Comments); n > 0 {
		v.Comment = w.Comments[n-1].Text
	}
}

func (v *Event) setUnmapped(name, value string) {
	if value != "" {
		v.Unmapped[name] = value
	}
}

func (v *Event) setStatus(id int) { v.StatusID, v.Status = id, statuses[id] }

func (e Encoder) detectionEvent(r export.Row) Event {
	m, a := r.Alert, r.Alert.Alert
	v := e.newEvent(r, Detection, "Detection Finding", a.Severity, m.Status == alert.StatusResolved)
	v.StartTime, v.EndTime, v.Count, v.Message = unixMillis(a.First), unixMillis(a.Last), a.Count, a.Title
	v.setStatus(map[alert.Status]int{alert.StatusNew: 1, alert.StatusInProgress: 2, alert.StatusResolved: 4}[m.Status])
	v.setVerdict(m.Work)
	is := m.Alert.Class != alert.Exposure
	v.IsAlert = &is
	v.Metadata.CorrelationUID, v.Metadata.EventCode, v.Metadata.ProcessedTime = m.Incident, a.Type, unixMillis(m.Created)
	f := findingOf(m)
	f.Desc, f.SrcURL, f.Analytic = a.Description, a.URL, analyticOf(a)
	v.FindingInfo, v.SrcURL = &f, r.Link(e.PortalURL)
	if c := cloudOf(a.Account); c != nil {
		v.Cloud = c
		v.Metadata.Profiles = append(v.Metadata.Profiles, "cloud")
	}
	if a.Recommendation != "" {
		v.Remediation = &Remediation{a.Recommendation}
	}
	v.addEvidence(e.Version, a.Evidence)
	v.setUnmapped("native_severity", a.NativeSeverity)
	v.setUnmapped("native_status", a.NativeStatus)
	return v
}

func analyticOf(a alert.Alert) *Analytic {
	if a.Type == "" {
		return nil
	}
	return &Analytic{a.Type, 1, "Rule"}
}

// attackVersion is the ATT&CK whose words are used.
const attackVersion = "16"

func findingOf(m *incident.AlertRecord) Finding {
	a := m.Alert
	f := Finding{
		UID: a.Origin.ID, UIDAlt: a.ID, Title: a.Title, CreatedTime: unixMillis(m.Created), ModifiedTime: unixMillis(m.Updated),
		FirstSeenTime: unixMillis(a.First), LastSeenTime: unixMillis(a.Last),
	}
	if a.Type != "" {
		f.Types = []string{a.Type}
	}
	if a.Product != "" {
		f.Product = &Product{Name: a.Product}
	}
	for _, t := range a.Tactics {
		if t.ID() != "" {
			f.Attacks = append(f.Attacks, Attack{Tactic: &Coded{t.ID(), t.Title()}, Version: attackVersion})
		}
	}
	for _, t := range a.Techniques {
		f.Attacks = append(f.Attacks, Attack{Technique: &Coded{UID: t}, Version: attackVersion})
	}
	return f
}

// providers are clouds as OCSF's examples spell them; account types are 10 AWS Account, 11 GCP Project, 13 Azure
// Subscription.
func cloudOf(a alert.Account) *Cloud {
	c := &Cloud{Region: a.Region}
	kind := 0
	word := ""
	switch a.Cloud {
	case entity.Amazon:
		c.Provider, kind, word = "AWS", 10, "AWS Account"
	case entity.Google:
		c.Provider, kind, word = "GCP", 11, "GCP Project"
		c.ProjectUID = a.ID
	case entity.Azure:
		c.Provider, kind, word = "Azure", 13, "Azure Subscription"
	default:
		return nil
	}
	if a.ID != "" {
		c.Account = &Account{UID: a.ID, Name: a.Name, TypeID: kind, Type: word}
	}
	return c
}

func (e Encoder) incidentEvent(r export.Row) Event {
	i := r.Incident
	closed := i.Status == incident.Resolved || i.Status == incident.Redirected
	v := e.newEvent(r, Incident, "Incident Finding", i.Severity, closed)
	v.StartTime, v.EndTime, v.Message, v.Desc = unixMillis(i.First), unixMillis(i.Last), i.Name, i.Summary
	v.setStatus(map[incident.Status]int{incident.Active: 1, incident.InProgress: 2, incident.Resolved: 4, incident.Redirected: 5}[i.Status])
	v.setVerdict(i.Work)
	if v.Assignee == nil {
		v.AssigneeGroup = &Named{"Unassigned"} // the class wants one of the two
	}
	v.PriorityID = priorityID(i.Severity)
	v.Priority = priorities[v.PriorityID]
	v.SrcURL = r.Link(e.PortalURL)
	v.Metadata.CorrelationUID = i.ID
	v.Findings = []Finding{}
	for n := range r.Alerts {
		v.Findings = append(v.Findings, findingOf(&r.Alerts[n]))
	}
	if len(v.Findings) == 0 { // what was merged away has no alerts left, and the class wants a finding
		v.Findings = append(v.Findings, Finding{UID: i.ID, Title: i.Name})
	}
	v.setUnmapped("redirect_incident_id", i.RedirectTo)
	return v
}

func priorityID(s alert.Severity) int {
	return map[alert.Severity]int{alert.Informational: 1, alert.Low: 1, alert.Medium: 2, alert.High: 3, alert.Critical: 4}[s]
}
