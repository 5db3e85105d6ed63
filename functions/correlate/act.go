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

// Lister lists the alerts of an incident, as of the tenant's newest version.
type Lister interface {
	IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (query.Page[incident.AlertRecord], error)
}

// Act commits what a person decided, on the same engine as alerts are correlated on, and decides again after a lost
// race. Resolving or assigning an incident edits its alerts too, after the incident and at most
// correlation.MaxAlertsPerAction in one commit, so that the same action finishes one that broke off. The error's kind
// is that of Engine.Act, or of the store. ActionResult.Records says what was done, and by.Audit returns the audit
// log's entries for it, which are in the same commit. Of the alerts that an edit of an incident edits too, both say
// only how many they are.
func (f *Function) Act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error) {
	done, err := f.commitAction(ctx, tenant, a, by)
	if err != nil {
		return done, err
	}
	edit, ok := a.(correlation.EditIncident)
	if !ok {
		return done, nil
	}
	alertEdit, ok := edit.AlertEdit()
	if !ok || f.Alerts == nil {
		return done, nil
	}
	by.IfMatch = "" // of the incident, not of its alerts
	n, err := f.editAlerts(ctx, tenant, done.Incident, alertEdit, by)
	if n > 0 {
		done.Changed = true
		done.Records = append(done.Records, f.editedRecord(by, done.Incident, n))
	}
	return done, err
}

// editedRecord returns the record that an incident's edit edited so many of its alerts.
func (f *Function) editedRecord(by correlation.Actor, id string, alerts int) incident.AuditRecord {
	return incident.AuditRecord{Who: by.Name, When: f.Now(), What: "edit", Kind: "incident", ID: id, After: map[string]string{"alertsEdited": strconv.Itoa(alerts)}}
}

// commitAction decides and commits one action, again after a lost race.
func (f *Function) commitAction(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (correlation.ActionResult, error) {
	c := f.engineOf(tenant)
	c.Lock()
	defer c.Unlock()
	for try := 1; ; try++ {
		done, err := f.decideAction(ctx, tenant, c, a, by)
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

// decideAction loads, decides and commits once; the caller holds c's lock. An engine with decisions that are not
// committed is dropped.
func (f *Function) decideAction(ctx context.Context, tenant string, c *tenantEngine, a correlation.Action, by correlation.Actor) (done correlation.ActionResult, err error) {
	f.prepareEngine(tenant, c)
	decided := false
	defer func() {
		if err != nil && (decided || fault.Of(err) == fault.Conflict) {
			c.engine = nil
		}
	}()
	if err := f.loadMissing(ctx, tenant, c, func() incident.Refs { return c.engine.Needs(a) }); err != nil {
		return done, err
	}
	if err := f.checkNewest(ctx, tenant, c); err != nil {
		return done, err
	}
	alerts, err := f.listAlerts(ctx, tenant, c.engine.Sources(a))
	if err != nil {
		return done, err
	}
	by.At = f.Now()
	if done, err = c.engine.Act(a, by, alerts); err != nil {
		return done, err
	}
	changes := c.engine.Take()
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

// checkNewest returns fault.Conflict unless the engine is of the store's newest version. An action that is refused
// commits nothing, so no commit would find that out.
func (f *Function) checkNewest(ctx context.Context, tenant string, c *tenantEngine) error {
	loaded, err := f.Store.Load(ctx, tenant, incident.Refs{})
	if err != nil {
		return storeError("load state", err)
	}
	return c.checkVersion(tenant, loaded.Version)
}

// listAlerts lists the alerts of incidents, by incident. If they have changed since the engine's version, the commit
// fails.
func (f *Function) listAlerts(ctx context.Context, tenant string, ids []string) (map[string][]incident.AlertRecord, error) {
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

// editAlerts edits the alerts of an incident that differ from the edit, and returns how many. An edited alert no
// longer differs, so the first page of the list is always what is left to do.
func (f *Function) editAlerts(ctx context.Context, tenant, id string, edit correlation.Edit, by correlation.Actor) (n int, err error) {
	q := query.Query{Top: correlation.MaxAlertsPerAction, Where: differsFrom(edit)}
	if note := by.Audit; note != nil {
		by.Audit = func(edited []incident.AuditRecord) ([]incident.AuditEntry, error) {
			return note([]incident.AuditRecord{f.editedRecord(by, id, len(edited))})
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
		done, err := f.commitAction(ctx, tenant, correlation.EditAlerts{IDs: ids, Edit: edit}, by)
		if err != nil {
			return n, fmt.Errorf("the incident was changed, not all of its alerts: %w", err)
		}
		n += len(done.Records)
		if !page.More || !done.Changed {
			return n, nil
		}
	}
}

// differsFrom selects the alerts that an edit would change.
func differsFrom(e correlation.Edit) query.Expr {
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
