package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// bound is what one principal may meet of what is stored, and a handler's only door to it. It shows the principal's
// tenants and knows of no others, whatever a handler asks for; a request that nobody has vouched for has the zero
// principal, who sees nothing. A test reads the sources: nothing but this file touches the server's own contracts.
type bound struct {
	server    *Server
	reader    Reader
	principal Principal
}

// door is the one that this request goes through.
func (c *call) door() bound { return bound{c.server, c.server.Reader, c.principal} }

// reader is the door as a Reader: a method that is added there will not compile until it is bound here.
func (c *call) reader() Reader { return c.door() }

// tenants are those whose data a request shows: all that the principal may meet, or only one of them.
func (b bound) tenants(ctx context.Context, only string) ([]string, error) {
	if only == "" {
		return b.Tenants(ctx)
	}
	return []string{only}, b.check(only)
}

// check is fault.Denied for a tenant that the principal may not meet, whether it exists or not.
func (b bound) check(tenant string) error {
	if !b.principal.May(tenant) {
		return fault.Errorf(fault.Denied, "You may not read tenant '%s'.", clip(tenant))
	}
	return nil
}

func (b bound) Tenants(ctx context.Context) ([]string, error) {
	if !b.principal.AllTenants {
		return sorted(b.principal.Tenants), nil
	}
	all, err := b.reader.Tenants(ctx)
	return sorted(all), err
}

func (b bound) Alert(ctx context.Context, tenant, id string) (m incident.AlertRecord, err error) {
	if err := b.check(tenant); err != nil {
		return m, err
	}
	return b.reader.Alert(ctx, tenant, id)
}

func (b bound) Alerts(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := b.check(tenant); err != nil {
		return p, err
	}
	return b.reader.Alerts(ctx, tenant, q)
}

func (b bound) Exposures(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := b.check(tenant); err != nil {
		return p, err
	}
	return b.reader.Exposures(ctx, tenant, q)
}

func (b bound) Incident(ctx context.Context, tenant, id string) (i incident.Incident, err error) {
	if err := b.check(tenant); err != nil {
		return i, err
	}
	return b.reader.Incident(ctx, tenant, id)
}

func (b bound) Incidents(ctx context.Context, tenant string, q query.Query) (p query.Page[incident.Incident], err error) {
	if err := b.check(tenant); err != nil {
		return p, err
	}
	return b.reader.Incidents(ctx, tenant, q)
}

func (b bound) IncidentAlerts(ctx context.Context, tenant, id string, q query.Query) (p query.Page[incident.AlertRecord], err error) {
	if err := b.check(tenant); err != nil {
		return p, err
	}
	return b.reader.IncidentAlerts(ctx, tenant, id, q)
}

func (b bound) Mentions(ctx context.Context, tenant string, m incident.MentionQuery) ([]incident.Mention, error) {
	if err := b.check(tenant); err != nil {
		return nil, err
	}
	return b.reader.Mentions(ctx, tenant, m)
}

func (b bound) Identity(ctx context.Context, tenant, name string) (i incident.Identity, err error) {
	if err := b.check(tenant); err != nil {
		return i, err
	}
	return b.reader.Identity(ctx, tenant, name)
}

func (b bound) Sources(ctx context.Context, tenant string) ([]incident.Source, error) {
	if err := b.check(tenant); err != nil {
		return nil, err
	}
	return b.reader.Sources(ctx, tenant)
}

// Stats counts what the principal may see. Whoever does not see all tenants is counted for tenant by tenant.
func (b bound) Stats(ctx context.Context) (sum query.Stats, err error) {
	if b.principal.AllTenants {
		return b.reader.Stats(ctx)
	}
	one := query.Query{Top: 1, Count: true}
	for _, tenant := range b.principal.Tenants {
		alerts, err := b.reader.Alerts(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		exposures, err := b.reader.Exposures(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		incidents, err := b.reader.Incidents(ctx, tenant, one)
		if err != nil {
			return sum, err
		}
		sum.Alerts, sum.Exposures, sum.Incidents = sum.Alerts+alerts.Total, sum.Exposures+exposures.Total, sum.Incidents+incidents.Total
	}
	return sum, nil
}

// shelved lists one page of quarantine, of one tenant unless only is empty. What belongs to no tenant yet is for those who
// may meet all. A record on the shelf that cannot be read is shown as what it is.
func (b bound) shelved(ctx context.Context, only, cursor string, limit int) ([]shelved, string, error) {
	if b.server.Shelf == nil {
		return nil, "", notKept("quarantine")
	}
	if only != "" {
		if err := b.check(only); err != nil {
			return nil, "", err
		}
	}
	evs, next, err := b.server.Shelf.List(ctx, cursor, limit)
	if err != nil {
		return nil, "", err
	}
	out := make([]shelved, 0, len(evs))
	for _, e := range evs {
		r, err := events.ParseRejection(e)
		if err != nil {
			r = events.Rejection{Kind: fault.Of(err).String(), Reason: err.Error(), Tenant: e.Tenant, Received: e.Time, Body: string(e.Data), Size: len(e.Data), Cut: true}
		}
		if b.principal.May(r.Tenant) && (only == "" || only == r.Tenant) {
			out = append(out, shelved{e.ID, r})
		}
	}
	return out, next, nil
}

// remove takes a record off the shelf that was listed here.
func (b bound) remove(ctx context.Context, s shelved) error {
	if err := b.check(s.rejection.Tenant); err != nil {
		return err
	}
	return b.server.Shelf.Remove(ctx, s.id)
}

// act does what the principal decided in one of its tenants.
func (b bound) act(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (d correlation.ActionResult, err error) {
	if err := b.check(tenant); err != nil {
		return d, err
	}
	if b.server.Hand == nil {
		return d, fail(http.StatusNotImplemented, "notSupported", "This server cannot edit.")
	}
	return b.server.Hand.Act(ctx, tenant, a, by)
}

// record adds to the audit log, as the principal's doing. A server without one keeps none.
func (b bound) record(ctx context.Context, e Entry) error {
	if b.server.Audit == nil {
		return nil
	}
	return b.server.Audit.Append(ctx, b.signed(e))
}

// line is an entry of the audit log, as the principal's doing, for who writes it; nil when the server keeps none.
func (b bound) line(e Entry) (*Noted, error) {
	if b.server.Audit == nil {
		return nil, nil
	}
	line, err := b.server.Audit.Line(b.signed(e))
	return &Noted{e.Tenant, line}, err
}

// signed makes an entry the principal's doing, now.
func (b bound) signed(e Entry) Entry {
	e.Time, e.By, e.ByName = b.server.now().UTC(), b.principal.ID, b.principal.Name
	e.ID = entryID(e.Time)
	return e
}

// entries lists the audit log before an entry's id ("" for the newest), newest first, of one tenant unless only is empty.
// What belongs to no tenant is for those who may meet all.
func (b bound) entries(ctx context.Context, only, before string, limit int) ([]Entry, error) {
	if b.server.Audit == nil {
		return nil, notKept("audit log")
	}
	tenants := []string{only}
	if only == "" {
		tenants = b.principal.Tenants
	}
	if only == "" && b.principal.AllTenants {
		var err error
		if tenants, err = b.server.Audit.Tenants(ctx); err != nil {
			return nil, err
		}
	}
	var out []Entry
	for _, tenant := range sorted(tenants) {
		if err := b.check(tenant); err != nil {
			return nil, err
		}
		es, err := b.server.Audit.Entries(ctx, tenant, before, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(b.ID, a.ID) })
	return out[:min(limit, len(out))], nil
}

// keys lists the API keys that see nothing which the principal does not.
func (b bound) keys(ctx context.Context) ([]Key, error) {
	if b.server.Keys == nil {
		return nil, notKept("API keys")
	}
	all, err := b.server.Keys.List(ctx)
	return slices.DeleteFunc(all, func(k Key) bool { return !b.covers(k) }), err
}

// makeKey makes a key that can do nothing which the principal cannot.
func (b bound) makeKey(ctx context.Context, k Key, note func(made Key) (*Noted, error)) (Key, string, error) {
	if b.server.Keys == nil {
		return k, "", notKept("API keys")
	}
	if !b.covers(k) {
		return k, "", fault.Errorf(fault.Denied, "A key may see only tenants that you see.")
	}
	if k.Rights()&^b.principal.Rights != 0 {
		return k, "", fault.Errorf(fault.Denied, "A key may have only roles that you have.")
	}
	return b.server.Keys.Create(ctx, k, note)
}

// revokeKey ends a key; one that the principal does not see is not found.
func (b bound) revokeKey(ctx context.Context, id string, note func(before, after Key) (*Noted, error)) (Key, error) {
	all, err := b.keys(ctx)
	if err != nil {
		return Key{}, err
	}
	if !slices.ContainsFunc(all, func(k Key) bool { return k.ID == id }) {
		return Key{}, notFound("key", id)
	}
	return b.server.Keys.Revoke(ctx, id, note)
}

func (b bound) covers(k Key) bool {
	if k.AllTenants || len(k.Tenants) == 0 {
		return b.principal.AllTenants
	}
	return !slices.ContainsFunc(k.Tenants, func(t string) bool { return !b.principal.May(t) })
}

// exports lists those of the principal's tenants, of one unless only is empty.
func (b bound) exports(ctx context.Context, only string) ([]Export, error) {
	if only != "" {
		if err := b.check(only); err != nil {
			return nil, err
		}
	}
	if b.server.Exports == nil {
		return nil, nil
	}
	all, err := b.server.Exports.Exports(ctx)
	return slices.DeleteFunc(all, func(e Export) bool { return !b.principal.May(e.Tenant) || only != "" && e.Tenant != only }), err
}

// export finds one; another tenant's is not found.
func (b bound) export(ctx context.Context, name string) (Export, error) {
	all, err := b.exports(ctx, "")
	if err != nil {
		return Export{}, err
	}
	i := slices.IndexFunc(all, func(e Export) bool { return e.ID == name })
	if i < 0 {
		return Export{}, notFound("export", name)
	}
	return all[i], nil
}

func (b bound) deliveries(ctx context.Context, name string) ([]Delivery, error) {
	e, err := b.export(ctx, name)
	if err != nil {
		return nil, err
	}
	return b.server.Exports.Deliveries(ctx, e.ID)
}

// runExport begins a range of an export that was found here.
func (b bound) runExport(ctx context.Context, e Export, since, until time.Time) (ExportRun, error) {
	if err := b.check(e.Tenant); err != nil {
		return ExportRun{}, err
	}
	return b.server.Exports.Start(ctx, e.ID, since, until)
}

// replayDelivery sends one delivery of an export that was found here again.
func (b bound) replayDelivery(ctx context.Context, e Export, id string) error {
	if err := b.check(e.Tenant); err != nil {
		return err
	}
	return b.server.Exports.Replay(ctx, e.ID, id)
}

// settings are one tenant's.
func (b bound) settings(ctx context.Context, tenant string) (Setting, error) {
	if err := b.check(tenant); err != nil {
		return Setting{}, err
	}
	if b.server.Settings == nil {
		return Setting{}, notKept("settings")
	}
	return b.server.Settings.Settings(ctx, tenant)
}

// set replaces the settings that were found here.
func (b bound) set(ctx context.Context, s Setting, tuning map[string]string, note func(after Setting) (*Noted, error)) (Setting, error) {
	if err := b.check(s.Tenant); err != nil {
		return Setting{}, err
	}
	return b.server.Settings.Set(ctx, s.Tenant, s.Version, tuning, note)
}

// quarantines says whether there is a quarantine, and the principal may know of it.
func (b bound) quarantines() bool { return b.server.Shelf != nil && b.principal.Can(ReadAlerts) }

func notKept(what string) error {
	return fail(http.StatusNotImplemented, "notSupported", "This server keeps no "+what+".")
}
