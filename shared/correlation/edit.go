package correlation

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
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

// EditIncident edits one incident. Resolving or assigning it is meant for its alerts too: AlertEdit says what.
type EditIncident struct {
	ID string
	Edit
}

// EditAlerts edits alerts, at most MaxAlertsPerAction of them, all alike.
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

// determinations are those that a classification allows (unified-api reference, 1.4), and the two that the product gave
// up in 2022 and old clients still send.
var determinations = map[string][]string{
	"truePositive": {"multiStagedAttack", "maliciousUserActivity", "compromisedAccount", "malware", "phishing", "unwantedSoftware",
		"other", "apt", "securityPersonnel"},
	"informationalExpectedActivity": {"securityTesting", "lineOfBusinessApplication", "confirmedActivity", "other", "securityPersonnel"},
	"falsePositive":                 {"notMalicious", "notEnoughDataToValidate", "other"},
}

// AlertEdit is what an edit of an incident means for its alerts: resolving it resolves those that are not, assigning it
// assigns all (unified-api reference, 3.1). Opening it again leaves them resolved.
func (e Edit) AlertEdit() (Edit, bool) {
	var pass Edit
	if e.Status != nil && *e.Status == string(incident.Resolved) {
		pass.Status = e.Status
	}
	if e.AssignedTo != nil && *e.AssignedTo != "" {
		pass.AssignedTo = e.AssignedTo
	}
	return pass, pass.Status != nil || pass.AssignedTo != nil
}

func (e EditIncident) followNeeds(l *lookahead) { l.followIncident(e.ID) }

func (e EditIncident) performOn(run *actionRun) error {
	inc, err := run.requireActive(e.ID)
	if err != nil {
		return err
	}
	if run.actor.IfMatch != "" && run.actor.IfMatch != inc.Tag() {
		return fault.Errorf(fault.Precondition, "Incident %s: %w.", inc.ID, ErrStale)
	}
	next := *inc
	if err := e.editIncident(&next, run.actor); err != nil {
		return err
	}
	run.Incident = inc.ID
	if !run.auditChange("edit", "incident", inc.ID, inc.AuditFields(), next.AuditFields()) {
		return nil
	}
	*inc = next
	run.markEdited(inc)
	return nil
}

// editIncident writes the edit on an incident.
func (e Edit) editIncident(i *incident.Incident, by Actor) error {
	if err := e.editWork(&i.Work, by); err != nil {
		return err
	}
	if e.Status != nil {
		if !slices.Contains([]string{string(incident.Active), string(incident.InProgress), string(incident.Resolved)}, *e.Status) {
			return badField("status", "can be 'active', 'inProgress' or 'resolved', not '"+clipText(*e.Status)+"'")
		}
		i.Status = incident.Status(*e.Status)
	}
	if e.Severity != nil {
		s := alert.Severity(*e.Severity)
		if s != "" && s.Rank() == 0 {
			return badField("severity", "can be 'informational', 'low', 'medium' or 'high', not '"+clipText(*e.Severity)+"'")
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
		i.Tags = incident.Union([]string{}, *e.Tags)
	}
	return e.editTexts(i)
}

// editTexts writes what a person words freely.
func (e Edit) editTexts(i *incident.Incident) error {
	for _, t := range []struct {
		field string
		value *string
		to    *string
		most  int
	}{
		{"description", e.Description, &i.Description, maxText}, {"summary", e.Summary, &i.Summary, maxText},
		{"resolvingComment", e.ResolvingComment, &i.ResolvingComment, MaxComment}, {"displayName", e.Name, &i.Name, maxName},
	} {
		if err := checkLength(t.field, t.value, t.most); err != nil {
			return err
		}
		if t.value != nil {
			*t.to = *t.value
		}
	}
	if e.Name != nil {
		i.SetName(*e.Name)
	}
	return nil
}

// editWork writes the part of an edit that alerts and incidents have alike.
func (e Edit) editWork(w *incident.Work, by Actor) error {
	if err := checkLength("assignedTo", e.AssignedTo, maxName); err != nil {
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
			return badField("classification", "cannot be '"+clipText(w.Classification)+"'")
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
			return badField("determination", "cannot be '"+clipText(w.Determination)+"' where the classification is '"+w.Classification+"'")
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
	w.Comments = append(slices.Clip(w.Comments), incident.Comment{Text: e.Comment, By: by.Name, Created: by.At})
	return nil
}

// checkLength refuses a text of more characters.
func checkLength(field string, value *string, most int) error {
	if value != nil && utf8.RuneCountInString(*value) > most {
		return badField(field, fmt.Sprintf("has more than %d characters", most))
	}
	return nil
}

func (e EditAlerts) followNeeds(l *lookahead) {
	for _, id := range e.IDs[:min(len(e.IDs), MaxAlertsPerAction)] {
		l.followAlert(id)
	}
}

func (e EditAlerts) performOn(run *actionRun) error {
	if len(e.IDs) > MaxAlertsPerAction {
		return fault.Errorf(fault.TooLarge, "At most %d alerts are changed at once, not %d.", MaxAlertsPerAction, len(e.IDs))
	}
	var all []*incident.AlertRecord
	var edited []incident.AlertRecord
	for _, id := range e.IDs {
		rec, err := run.requireAlert(id)
		if err != nil {
			return err
		}
		if slices.Contains(all, rec) {
			continue
		}
		if run.actor.IfMatch != "" && run.actor.IfMatch != rec.Tag() {
			return fault.Errorf(fault.Precondition, "Alert %s: %w.", rec.Alert.ID, ErrStale)
		}
		next := *rec
		if err := e.editAlert(&next, run.actor); err != nil {
			return err
		}
		all, edited = append(all, rec), append(edited, next)
	}
	for i, rec := range all {
		run.Alerts = append(run.Alerts, rec.Alert.ID)
		inc := run.survivorOf(rec.Incident)
		if inc != nil {
			run.Incident = inc.ID
		}
		if !run.auditChange("edit", "alert", rec.Alert.ID, rec.AuditFields(), edited[i].AuditFields()) {
			continue
		}
		edited[i].Updated = incident.Later(run.actor.At, rec.Updated)
		*rec = edited[i]
		run.alerts.Change(rec.Alert.ID, rec)
		if inc != nil {
			run.markEdited(inc)
		}
	}
	return nil
}

// editAlert writes the edit on an alert.
func (e Edit) editAlert(r *incident.AlertRecord, by Actor) error {
	if e.Name != nil || e.Severity != nil || e.Description != nil || e.Summary != nil || e.ResolvingComment != nil || e.Tags != nil {
		return fault.Errorf(fault.Invalid, "An alert takes status, assignedTo, classification, determination and comments.")
	}
	if err := e.editWork(&r.Work, by); err != nil {
		return err
	}
	if e.Status != nil {
		st := alert.Status(*e.Status)
		if st != alert.StatusNew && st != alert.StatusInProgress && st != alert.StatusResolved {
			return badField("status", "can be 'new', 'inProgress' or 'resolved', not '"+clipText(*e.Status)+"'")
		}
		r.Status, r.StatusSet = st, true
		r.KeepResolved(by.At)
	}
	return nil
}
