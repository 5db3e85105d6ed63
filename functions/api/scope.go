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
)

// tenantScope is what one principal may meet of what is stored, and a handler's only way to it. It shows the
// principal's tenants and knows of no others, whatever a handler asks for; a request that nobody has authenticated has
// the zero principal, who sees nothing. A test reads the sources: nothing but this file and scope_reader.go touches
// the server's own contracts.
type tenantScope struct {
	scopedReader
	server *Server
}

// tenantScope is the one that this request goes through.
func (req *request) tenantScope() tenantScope {
	return tenantScope{req.scopedReader(), req.server}
}

// scopedReader is the store as this request may read it.
func (req *request) scopedReader() scopedReader {
	return scopedReader{req.server.Reader, req.principal}
}

// quarantinePage lists one page of quarantine, of one tenant unless only is empty. What belongs to no tenant yet is
// for those who may meet all. A record that cannot be read is shown as what it is.
func (b tenantScope) quarantinePage(ctx context.Context, only, cursor string, limit int) ([]quarantinedEvent, string, error) {
	if b.server.Quarantine == nil {
		return nil, "", notKept("quarantine")
	}
	if only != "" {
		if err := b.checkTenant(only); err != nil {
			return nil, "", err
		}
	}
	evs, next, err := b.server.Quarantine.List(ctx, cursor, limit)
	if err != nil {
		return nil, "", err
	}
	out := make([]quarantinedEvent, 0, len(evs))
	for _, e := range evs {
		r, err := events.ParseRejection(e)
		if err != nil {
			r = events.Rejection{Kind: fault.Of(err).String(), Reason: err.Error(), Tenant: e.Tenant, Received: e.Time, Body: string(e.Data), Size: len(e.Data), Cut: true}
		}
		if b.principal.CanReach(r.Tenant) && (only == "" || only == r.Tenant) {
			out = append(out, quarantinedEvent{e.ID, r})
		}
	}
	return out, next, nil
}

// removeQuarantined takes a record out of quarantine that was listed here.
func (b tenantScope) removeQuarantined(ctx context.Context, s quarantinedEvent) error {
	if err := b.checkTenant(s.rejection.Tenant); err != nil {
		return err
	}
	return b.server.Quarantine.Remove(ctx, s.id)
}

// applyAction does what the principal decided in one of its tenants.
func (b tenantScope) applyAction(ctx context.Context, tenant string, a correlation.Action, by correlation.Actor) (d correlation.ActionResult, err error) {
	if err := b.checkTenant(tenant); err != nil {
		return d, err
	}
	if b.server.Actions == nil {
		return d, newFailure(http.StatusNotImplemented, "notSupported", "This server cannot edit.")
	}
	return b.server.Actions.Act(ctx, tenant, a, by)
}

// appendAudit adds to the audit log, as the principal's doing. A server without one keeps none.
func (b tenantScope) appendAudit(ctx context.Context, e AuditEntry) error {
	if b.server.AuditLog == nil {
		return nil
	}
	return b.server.AuditLog.Append(ctx, b.attributeEntry(e))
}

// encodeAudit is an entry of the audit log, as the principal's doing, for who writes it; nil when the server keeps
// none.
func (b tenantScope) encodeAudit(e AuditEntry) (*AuditLine, error) {
	if b.server.AuditLog == nil {
		return nil, nil
	}
	line, err := b.server.AuditLog.EncodeEntry(b.attributeEntry(e))
	return &AuditLine{e.Tenant, line}, err
}

// attributeEntry makes an entry the principal's doing, now.
func (b tenantScope) attributeEntry(e AuditEntry) AuditEntry {
	e.Time, e.By, e.ByName = b.server.timeNow().UTC(), b.principal.ID, b.principal.Name
	e.ID = newAuditID(e.Time)
	return e
}

// auditEntries lists the audit log before an entry's id ("" for the newest), newest first, of one tenant unless only
// is empty. What belongs to no tenant is for those who may meet all.
func (b tenantScope) auditEntries(ctx context.Context, only, before string, limit int) ([]AuditEntry, error) {
	if b.server.AuditLog == nil {
		return nil, notKept("audit log")
	}
	tenants := []string{only}
	if only == "" {
		tenants = b.principal.Tenants
	}
	if only == "" && b.principal.AllTenants {
		var err error
		if tenants, err = b.server.AuditLog.Tenants(ctx); err != nil {
			return nil, err
		}
	}
	var out []AuditEntry
	for _, tenant := range sortedUnique(tenants) {
		if err := b.checkTenant(tenant); err != nil {
			return nil, err
		}
		es, err := b.server.AuditLog.Entries(ctx, tenant, before, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	slices.SortFunc(out, func(a, b AuditEntry) int { return cmp.Compare(b.ID, a.ID) })
	return out[:min(limit, len(out))], nil
}

// visibleKeys lists the API keys that see nothing which the principal does not.
func (b tenantScope) visibleKeys(ctx context.Context) ([]Key, error) {
	if b.server.Keys == nil {
		return nil, notKept("API keys")
	}
	all, err := b.server.Keys.List(ctx)
	return slices.DeleteFunc(all, func(k Key) bool { return !b.coversKey(k) }), err
}

// createKey makes a key that can do nothing which the principal cannot.
func (b tenantScope) createKey(ctx context.Context, k Key, note func(made Key) (*AuditLine, error)) (Key, string, error) {
	if b.server.Keys == nil {
		return k, "", notKept("API keys")
	}
	if !b.coversKey(k) {
		return k, "", fault.Errorf(fault.Denied, "A key may see only tenants that you see.")
	}
	if k.Rights()&^b.principal.Rights != 0 {
		return k, "", fault.Errorf(fault.Denied, "A key may have only roles that you have.")
	}
	return b.server.Keys.Create(ctx, k, note)
}

// revokeKey ends a key; one that the principal does not see is not found.
func (b tenantScope) revokeKey(ctx context.Context, id string, note func(before, after Key) (*AuditLine, error)) (Key, error) {
	all, err := b.visibleKeys(ctx)
	if err != nil {
		return Key{}, err
	}
	if !slices.ContainsFunc(all, func(k Key) bool { return k.ID == id }) {
		return Key{}, notFound("key", id)
	}
	return b.server.Keys.Revoke(ctx, id, note)
}

func (b tenantScope) coversKey(k Key) bool {
	if k.AllTenants || len(k.Tenants) == 0 {
		return b.principal.AllTenants
	}
	return !slices.ContainsFunc(k.Tenants, func(t string) bool { return !b.principal.CanReach(t) })
}

// visibleExports lists those of the principal's tenants, of one unless only is empty.
func (b tenantScope) visibleExports(ctx context.Context, only string) ([]Export, error) {
	if only != "" {
		if err := b.checkTenant(only); err != nil {
			return nil, err
		}
	}
	if b.server.Exports == nil {
		return nil, nil
	}
	all, err := b.server.Exports.Exports(ctx)
	return slices.DeleteFunc(all, func(e Export) bool { return !b.principal.CanReach(e.Tenant) || only != "" && e.Tenant != only }), err
}

// findExport finds one; another tenant's is not found.
func (b tenantScope) findExport(ctx context.Context, name string) (Export, error) {
	all, err := b.visibleExports(ctx, "")
	if err != nil {
		return Export{}, err
	}
	i := slices.IndexFunc(all, func(e Export) bool { return e.ID == name })
	if i < 0 {
		return Export{}, notFound("export", name)
	}
	return all[i], nil
}

func (b tenantScope) exportDeliveries(ctx context.Context, name string) ([]Delivery, error) {
	e, err := b.findExport(ctx, name)
	if err != nil {
		return nil, err
	}
	return b.server.Exports.Deliveries(ctx, e.ID)
}

// runExport begins a range of an export that was found here.
func (b tenantScope) runExport(ctx context.Context, e Export, since, until time.Time) (ExportRun, error) {
	if err := b.checkTenant(e.Tenant); err != nil {
		return ExportRun{}, err
	}
	return b.server.Exports.Start(ctx, e.ID, since, until)
}

// replayDelivery sends one delivery of an export that was found here again.
func (b tenantScope) replayDelivery(ctx context.Context, e Export, id string) error {
	if err := b.checkTenant(e.Tenant); err != nil {
		return err
	}
	return b.server.Exports.Replay(ctx, e.ID, id)
}

// tenantSettings are one tenant's.
func (b tenantScope) tenantSettings(ctx context.Context, tenant string) (Setting, error) {
	if err := b.checkTenant(tenant); err != nil {
		return Setting{}, err
	}
	if b.server.Settings == nil {
		return Setting{}, notKept("settings")
	}
	return b.server.Settings.Settings(ctx, tenant)
}

// replaceSettings replaces the settings that were found here.
func (b tenantScope) replaceSettings(ctx context.Context, s Setting, tuning map[string]string, note func(after Setting) (*AuditLine, error)) (Setting, error) {
	if err := b.checkTenant(s.Tenant); err != nil {
		return Setting{}, err
	}
	return b.server.Settings.Set(ctx, s.Tenant, s.Version, tuning, note)
}

// canReadQuarantine says whether there is a quarantine, and the principal may know of it.
func (b tenantScope) canReadQuarantine() bool {
	return b.server.Quarantine != nil && b.principal.Can(ReadAlerts)
}

func notKept(what string) error {
	return newFailure(http.StatusNotImplemented, "notSupported", "This server keeps no "+what+".")
}
