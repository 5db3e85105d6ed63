package incident

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
)

// Edit is what a person writes on an alert or an incident. What is nil stays as it is; an empty text clears.
type Edit struct {
	Status         *string // an incident's: active, inProgress, resolved; an alert's: new, inProgress, resolved
	AssignedTo     *string
	Classification *string // the Graph's words
	Determination  *string
	Comment        string // is added to those that are there

	// What follows only incidents have.
	Name             *string // empty: named by its alerts again
	Severity         *string // informational, low, medium, high or critical; empty: the gravest alert's from then on
	Description      *string
	Summary          *string
	ResolvingComment *string
	Tags             *[]string
}

// EditIncident edits one incident. Resolving or assigning it is meant for its alerts too: Passes says what.
type EditIncident struct {
	ID string
	Edit
}

// EditAlerts edits alerts, at most MaxActed of them, all alike.
type EditAlerts struct {
	IDs []string
	Edit
}

// The bounds of what a person writes, in characters.
const (
	MaxComment  = 30_000 // unified-api reference, 4.3
	maxComments = 500    // on one thing
	maxText     = 30_000
	maxName     = 500
	maxTags     = 100
	maxTag      = 200
)

// determinations are those that a classification allows (unified-api reference, 1.4), and the two that the product gave up in 2022
// and old clients still send.
var determinations = map[string][]string{
	"truePositive": {"multiStagedAttack", "maliciousUserActivity", "compromisedAccount", "malware", "phishing", "unwantedSoftware",
		"other", "apt", "securityPersonnel"},
	"informationalExpectedActivity": {"securityTesting", "lineOfBusinessApplication", "confirmedActivity", "other", "securityPersonnel"},
	"falsePositive":                 {"notMalicious", "notEnoughDataToValidate", "other"},
}

// Passes is what an edit of an incident means for its alerts: resolving it resolves those that are not, assigning it assigns
// all (unified-api reference, 3.1). Opening it again leaves them resolved.
func (e Edit) Passes() (Edit, bool) {
	var pass Edit
	if e.Status != nil && *e.Status == string(Resolved) {
		pass.Status = e.Status
	}
	if e.AssignedTo != nil && *e.AssignedTo != "" {
		pass.AssignedTo = e.AssignedTo
	}
	return pass, pass.Status != nil || pass.AssignedTo != nil
}

func (e EditIncident) needs(m *missing) { m.incident(e.ID) }

func (e EditIncident) do(s *State, d *deed) error {
	inc, err := s.living(e.ID)
	if err != nil {
		return err
	}
	if d.by.IfMatch != "" && d.by.IfMatch != inc.Tag() {
		return fault.Errorf(fault.Precondition, "Incident %s: %w.", inc.ID, ErrStale)
	}
	next := *inc
	if err := e.on(&next, d.by); err != nil {
		return err
	}
	d.Incident = inc.ID
	if !d.record("edit", "incident", inc.ID, inc.account(), next.account()) {
		return nil
	}
	next.Updated, next.ModifiedBy = later(d.by.At, inc.Updated), d.by.Name
	*inc = next
	s.changedIncidents.add(inc.ID)
	return nil
}

// on writes the edit on an incident.
func (e Edit) on(i *Incident, by Actor) error {
	if err := e.work(&i.Work, by); err != nil {
		return err
	}
	if e.Status != nil {
		if !slices.Contains([]string{string(Active), string(InProgress), string(Resolved)}, *e.Status) {
			return badField("status", "can be 'active', 'inProgress' or 'resolved', not '"+clipped(*e.Status)+"'")
		}
		i.Status = Status(*e.Status)
	}
	if e.Severity != nil {
		s := alert.Severity(*e.Severity)
		if s != "" && s.Rank() == 0 {
			return badField("severity", "can be 'informational', 'low', 'medium' or 'high', not '"+clipped(*e.Severity)+"'")
		}
		i.SeveritySet = s != ""
		if s != "" {
			i.Severity = s
		}
	}
	if e.Tags != nil {
		if len(*e.Tags) > maxTags || slices.ContainsFunc(*e.Tags, func(t string) bool { return t == "" || utf8.RuneCountInString(t) > maxTag }) {
			return badField("customTags", fmt.Sprintf("takes at most %d tags of 1 to %d characters", maxTags, maxTag))
		}
		i.Tags = union([]string{}, *e.Tags)
	}
	return e.texts(i)
}

// texts writes what a person words freely.
func (e Edit) texts(i *Incident) error {
	for _, t := range []struct {
		field string
		value *string
		to    *string
		most  int
	}{
		{"description", e.Description, &i.Description, maxText}, {"summary", e.Summary, &i.Summary, maxText},
		{"resolvingComment", e.ResolvingComment, &i.ResolvingComment, MaxComment}, {"displayName", e.Name, &i.Name, maxName},
	} {
		if err := bounded(t.field, t.value, t.most); err != nil {
			return err
		}
		if t.value != nil {
			*t.to = *t.value
		}
	}
	if e.Name != nil {
		i.NameSet = strings.TrimSpace(*e.Name) != ""
		i.describe()
	}
	return nil
}

// work writes the part of an edit that alerts and incidents have alike.
func (e Edit) work(w *Work, by Actor) error {
	if err := bounded("assignedTo", e.AssignedTo, maxName); err != nil {
		return err
	}
	if e.AssignedTo != nil {
		w.AssignedTo = *e.AssignedTo
	}
	if e.Classification != nil {
		if w.Classification = *e.Classification; w.Classification == "unknown" {
			w.Classification = ""
		}
		if _, known := determinations[w.Classification]; !known && w.Classification != "" {
			return badField("classification", "cannot be '"+clipped(w.Classification)+"'")
		}
		if e.Determination == nil && !slices.Contains(determinations[w.Classification], w.Determination) {
			w.Determination = "" // it belonged to the other one
		}
	}
	if e.Determination != nil {
		if w.Determination = *e.Determination; w.Determination == "unknown" {
			w.Determination = ""
		}
		if w.Determination != "" && !slices.Contains(determinations[w.Classification], w.Determination) {
			if w.Classification == "" {
				return badField("determination", "needs a classification")
			}
			return badField("determination", "cannot be '"+clipped(w.Determination)+"' where the classification is '"+w.Classification+"'")
		}
	}
	if e.Comment == "" {
		return nil
	}
	if n := utf8.RuneCountInString(e.Comment); n > MaxComment {
		return badField("comment", fmt.Sprintf("has %d characters; at most %d are kept", n, MaxComment))
	}
	if len(w.Comments) >= maxComments {
		return fault.Errorf(fault.TooLarge, "There are %d comments already, and no more are kept.", maxComments)
	}
	w.Comments = append(slices.Clip(w.Comments), Comment{Text: e.Comment, By: by.Name, Created: by.At})
	return nil
}

// bounded bounds a text.
func bounded(field string, value *string, most int) error {
	if value != nil && utf8.RuneCountInString(*value) > most {
		return badField(field, fmt.Sprintf("has more than %d characters", most))
	}
	return nil
}

func (e EditAlerts) needs(m *missing) {
	for _, id := range e.IDs[:min(len(e.IDs), MaxAlertsPerAction)] {
		m.member(id)
	}
}

func (e EditAlerts) do(s *State, d *deed) error {
	if len(e.IDs) > MaxAlertsPerAction {
		return fault.Errorf(fault.TooLarge, "At most %d alerts are changed at once, not %d.", MaxAlertsPerAction, len(e.IDs))
	}
	var all, edited []*AlertRecord
	for _, id := range e.IDs {
		m, err := s.alert(id)
		if err != nil {
			return err
		}
		if slices.Contains(all, m) {
			continue
		}
		next := *m
		if d.by.IfMatch != "" && d.by.IfMatch != m.Tag() {
			return fault.Errorf(fault.Precondition, "Alert %s: %w.", m.Alert.ID, ErrStale)
		}
		if err := e.onAlert(&next, d.by); err != nil {
			return err
		}
		all, edited = append(all, m), append(edited, &next)
	}
	for i, m := range all {
		d.Alerts = append(d.Alerts, m.Alert.ID)
		if inc := s.incident(m.Incident); inc != nil {
			d.Incident = inc.ID
		}
		if !d.record("edit", "alert", m.Alert.ID, m.account(), edited[i].account()) {
			continue
		}
		edited[i].Updated = later(d.by.At, m.Updated)
		*m = *edited[i]
		s.changedMembers.add(m.Alert.ID)
		s.stir(d.Incident, d.by)
	}
	return nil
}

// onAlert writes the edit on an alert.
func (e Edit) onAlert(m *AlertRecord, by Actor) error {
	if e.Name != nil || e.Severity != nil || e.Description != nil || e.Summary != nil || e.ResolvingComment != nil || e.Tags != nil {
		return fault.Errorf(fault.Invalid, "An alert takes status, assignedTo, classification, determination and comments.")
	}
	if err := e.work(&m.Work, by); err != nil {
		return err
	}
	if e.Status != nil {
		st := alert.Status(*e.Status)
		if st != alert.StatusNew && st != alert.StatusInProgress && st != alert.StatusResolved {
			return badField("status", "can be 'new', 'inProgress' or 'resolved', not '"+clipped(*e.Status)+"'")
		}
		m.Status, m.StatusSet = st, true
		m.resolved(by.At)
	}
	return nil
}

// stir moves an incident's time of change: one of its alerts changed.
func (s *State) stir(id string, by Actor) {
	if inc := s.incidents[id]; inc != nil {
		inc.Updated, inc.ModifiedBy = later(by.At, inc.Updated), by.Name
		s.changedIncidents.add(id)
	}
}

// account is what a record tells of an incident.
func (i Incident) account() map[string]string {
	out := i.Work.account()
	out["status"], out["severity"], out["displayName"] = string(i.Status), string(i.Severity), i.Name
	out["description"], out["summary"], out["resolvingComment"] = i.Description, i.Summary, i.ResolvingComment
	out["customTags"] = strings.Join(i.Tags, ", ")
	out["set"] = fmt.Sprint("name ", i.NameSet, ", severity ", i.SeveritySet)
	return out
}

func (m AlertRecord) account() map[string]string {
	out := m.Work.account()
	out["status"] = string(m.Status)
	return out
}

func (w Work) account() map[string]string {
	out := map[string]string{"assignedTo": w.AssignedTo, "classification": w.Classification, "determination": w.Determination}
	out["comments"] = strconv.Itoa(len(w.Comments))
	if n := len(w.Comments); n > 0 {
		out["comment"] = w.Comments[n-1].Text
	}
	return out
}

// Tag changes whenever something that a person can see or edit of the incident does.
func (i Incident) Tag() string {
	return tag(i.account(), i.Updated, i.Alerts)
}

// Tag changes whenever something that a person can see or edit of the alert does.
func (m AlertRecord) Tag() string { return tag(m.account(), m.Updated, len(m.Alert.Sightings)) }

func tag(account map[string]string, updated time.Time, n int) string {
	b, err := json.Marshal(account, json.Deterministic(true))
	if err != nil { // texts only: cannot happen
		return ""
	}
	h := fnv.New64a()
	h.Write(b) // never fails
	fmt.Fprint(h, updated.UnixNano(), n)
	return strconv.FormatUint(h.Sum64(), 36)
}
