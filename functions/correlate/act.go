package correlate

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// Lister lists the alerts of an incident as of the tenant's newest version.
type Lister interface {
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error)
}

// Act does what a person decided, on the same state and with the same care as alerts are correlated: a lost race is run
// again on what is there then. Resolving or assigning an incident goes on to its alerts, at most incident.MaxActed in one
// commit, the incident first, so that doing it again finishes what broke off. The error's kind is that of State.Act, or
// of the store. What was done is in Done.Records, and by.Note is asked what the journal says of it: each commit has its entries
// with it. Of the alerts that an edit goes on to both have how many.
func (f *Function) Act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error) {
	done, err := f.act(ctx, tenant, a, by)
	if err != nil {
		return done, err
	}
	edit, ok := a.(correlation.EditIncident)
	if !ok {
		return done, nil
	}
	passed, ok := edit.AlertEdit()
	if !ok || f.Alerts == nil {
		return done, nil
	}
	by.IfMatch = "" // it was about the incident
	n, err := f.pass(ctx, tenant, done.Incident, passed, by)
	if n > 0 {
		done.Changed = true
		done.Records = append(done.Records, f.passedOn(by, done.Incident, n))
	}
	return done, err
}

// passedOn tells of the alerts that an incident's edit went on to.
func (f *Function) passedOn(by correlation.Actor, id string, alerts int) incident.AuditRecord {
	return incident.AuditRecord{Who: by.Name, When: f.Now(), What: "edit", Kind: "incident", ID: id, After: map[string]string{"alertsEdited": strconv.Itoa(alerts)}}
}

// act does one action in one commit.
func (f *Function) act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error) {
	c := f.cached(tenant)
	c.Lock()
	defer c.Unlock()
	for try := 1; ; try++ {
		done, err := f.decide(ctx, tenant, c, a, by)
		if err == nil {
			return done, nil
		}
		if fault.Of(err) != fault.Conflict || try == maxTries {
			return correlation.ActionResult{}, err
		}
		if f.Meter != nil {
			f.Meter.Conflict()
		}
	}
}

// decide runs one round of load, decide, commit on c, whose lock is held. What was not committed is not kept.
func (f *Function) decide(ctx context.Context, tenant string, c *cached, a correlation.Action, by correlation.Actor) (done correlation.ActionResult, err error) {
	f.fresh(tenant, c)
	decided := false
	defer func() {
		if err != nil && (decided || fault.Of(err) == fault.Conflict) {
			c.state = nil
		}
	}()
	if err := f.fill(ctx, tenant, c, func() incident.Refs { return c.state.Needs(a) }); err != nil {
		return done, err
	}
	if err := f.current(ctx, tenant, c); err != nil {
		return done, err
	}
	whole, err := f.whole(ctx, tenant, c.state.Sources(a))
	if err != nil {
		return done, err
	}
	by.At = f.Now()
	if done, err = c.state.Act(a, by, whole); err != nil {
		return done, err
	}
	changes := c.state.Take()
	if decided = !changes.Empty(); !decided {
		return done, nil
	}
	if by.Audit != nil {
		if changes.AuditEntries, err = by.Audit(done.Records); err != nil {
			return done, fmt.Errorf("note what is done: %w", err)
		}
	}
	if err := f.Store.Commit(ctx, tenant, c.version, changes); err != nil {
		return done, storeError("commit", err)
	}
	c.version++
	return done, nil
}

// current makes sure that a kept state is the newest: a refusal commits nothing that would show that it is not.
func (f *Function) current(ctx context.Context, tenant string, c *cached) error {
	loaded, err := f.Store.Load(ctx, tenant, incident.Refs{})
	if err != nil {
		return storeError("load state", err)
	}
	return c.at(tenant, loaded.Version)
}

// whole lists the alerts of incidents that lose some. Should they have changed since the state was loaded, the commit fails.
func (f *Function) whole(ctx context.Context, tenant string, ids []string) (map[string][]incident.AlertRecord, error) {
	out := map[string][]incident.AlertRecord{}
	if f.Alerts == nil {
		return out, nil
	}
	for _, id := range ids {
		const most = 200
		for q := (query.Query{Top: most}); ; q.Skip += most {
			page, err := f.Alerts.IncidentAlerts(ctx, tenant, id, q)
			if err != nil {
				return nil, storeError("list alerts of incident "+id, err)
			}
			out[id] = append(out[id], page.Items...)
			if !page.More {
				break
			}
		}
	}
	return out, nil
}

// pass edits the alerts of an incident as the incident was, as far as they differ, and counts them. Those that are edited
// leave the list, so that its first page is always what is left to do.
func (f *Function) pass(ctx context.Context, tenant, id string, edit correlation.Edit, by correlation.Actor) (n int, err error) {
	q := query.Query{Top: correlation.MaxAlertsPerAction, Where: unlike(edit)}
	if note := by.Audit; note != nil {
		by.Audit = func(edited []incident.AuditRecord) ([]incident.AuditEntry, error) {
			return note([]incident.AuditRecord{f.passedOn(by, id, len(edited))})
		}
	}
	for {
		page, err := f.Alerts.IncidentAlerts(ctx, tenant, id, q)
		if err != nil {
			return n, storeError("list alerts of incident "+id, err)
		}
		ids := make([]string, len(page.Items))
		for i, m := range page.Items {
			ids[i] = m.Alert.ID
		}
		if len(ids) == 0 {
			return n, nil
		}
		done, err := f.act(ctx, tenant, correlation.EditAlerts{IDs: ids, Edit: edit}, by)
		if err != nil {
			return n, fmt.Errorf("the incident was changed, not all of its alerts: %w", err)
		}
		n += len(done.Records)
		if !page.More || !done.Changed {
			return n, nil
		}
	}
}

// unlike selects the alerts that an edit changes.
func unlike(e correlation.Edit) query.Expr {
	var status, owner query.Expr
	if e.Status != nil {
		status = query.Compare{Field: query.Status, Op: query.Ne, Text: *e.Status}
	}
	if e.AssignedTo != nil {
		owner = query.Compare{Field: query.AssignedTo, Op: query.Ne, Text: *e.AssignedTo}
	}
	if status == nil || owner == nil { // a nil side would hold for all
		return cmp.Or(status, owner)
	}
	return query.Or{Left: status, Right: owner}
}
