package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/correlation"
	"github.com/onepane/onepane/shared/incident"
)

// AuditEntry is one write: who did what to which thing, and how it was before and after. It is written together with
// what it tells of. What reaches beyond the store has two, with one request id: begun, and what became of it.
type AuditEntry struct {
	ID      string         `json:"id"` // sorts by time
	Time    time.Time      `json:"time"`
	Tenant  string         `json:"tenantId,omitzero"` // whose thing it was; empty for what is not one tenant's
	By      string         `json:"by"`                // the principal's id
	ByName  string         `json:"byName"`
	Action  string         `json:"action"` // the route, as "PATCH /v1.0/security/incidents/{id}"
	Target  string         `json:"target"` // the thing, as "incident 10001"
	Before  jsontext.Value `json:"before,omitzero"`
	After   jsontext.Value `json:"after,omitzero"`
	Outcome string         `json:"outcome,omitzero"` // of what reaches beyond the store
	Request string         `json:"requestId"`
}

// The outcomes of what reaches beyond the store. What was begun and has no other may have been done or not: a crash
// came between.
const (
	auditBegun  = "begun"
	auditDone   = "done"
	auditFailed = "failed"
)

// AuditLine is a line of the audit log, and whose journal it is for.
type AuditLine struct {
	Tenant string
	incident.AuditEntry
}

// AuditLog keeps entries for good, or for as long as it is told to.
type AuditLog interface {
	// Line is e as it lies in a journal, for those who write it together with what it tells of.
	EncodeEntry(e AuditEntry) (incident.AuditEntry, error)
	// Append adds an entry by itself. It is durable when nil is returned.
	Append(ctx context.Context, e AuditEntry) error
	// Entries lists up to limit of a tenant's entries with ids before the given one ("" for the newest), newest first.
	Entries(ctx context.Context, tenant, before string, limit int) ([]AuditEntry, error)
	// Tenants lists the tenants that have entries, "" among them for what is not one tenant's.
	Tenants(ctx context.Context) ([]string, error)
}

// newAuditID sorts by time; entries of one moment have ids of their own.
func newAuditID(at time.Time) string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return fmt.Sprintf("%016x-%s", uint64(at.UnixNano()), hex.EncodeToString(b[:]))
}

// Every handler that changes something says so, for each thing: with line when the change can carry its entry, else
// by attempt. Before and after are kept as JSON; nil is left out. What a handler forgets, handle notes without them.

// newAuditLine makes the entry that is written together with a change; nil when no audit log is kept.
func (req *request) newAuditLine(tenant, target string, before, after any) (*AuditLine, error) {
	req.audited = true
	e, err := req.newAuditEntry(tenant, target, before, after)
	if err != nil {
		return nil, err
	}
	n, err := req.tenantScope().encodeAudit(e)
	if err != nil {
		return nil, fmt.Errorf("note write to %s: %w", target, err)
	}
	return n, nil
}

// runAudited does what reaches beyond the store, where no entry can go along: that it was begun is noted before, what
// became of it after. What is shown as what was before, what do gives as what is after it.
func (req *request) runAudited(tenant, target string, what any, do func() (any, error)) error {
	if err := req.appendAudit(tenant, target, what, nil, auditBegun); err != nil {
		return err
	}
	after, err := do()
	if err == nil {
		return req.appendAudit(tenant, target, nil, after, auditDone)
	}
	if unnoted := req.appendAudit(tenant, target, nil, map[string]string{"error": failureOf(err).Message}, auditFailed); unnoted != nil {
		return errors.Join(err, unnoted)
	}
	return err
}

// appendAudit adds an entry by itself.
func (req *request) appendAudit(tenant, target string, before, after any, outcome string) error {
	req.audited = true
	e, err := req.newAuditEntry(tenant, target, before, after)
	if err != nil {
		return err
	}
	e.Outcome = outcome
	if err := req.tenantScope().appendAudit(req.Context(), e); err != nil {
		return fmt.Errorf("note write to %s: %w", target, err)
	}
	return nil
}

func (req *request) newAuditEntry(tenant, target string, before, after any) (e AuditEntry, err error) {
	e = AuditEntry{Tenant: tenant, Action: req.route.method + " " + req.route.path, Target: target, Request: req.requestID}
	if e.Before, err = auditJSON(before); err == nil {
		e.After, err = auditJSON(after)
	}
	if err != nil {
		return e, fmt.Errorf("note write to %s: %w", target, err)
	}
	return e, nil
}

// auditJSON is v as JSON, nothing for nil.
func auditJSON(v any) (jsontext.Value, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v, graph.Encoding)
}

// auditUnaudited notes that a route which changes something was served, when its handler has not. The answer is given
// already, so that an error can only be logged.
func (req *request) auditUnaudited() {
	if !req.route.isWrite() || req.audited {
		return
	}
	tenant, _ := requestedTenant(req.Request)
	if tenant == "" && len(req.principal.Tenants) == 1 {
		tenant = req.principal.Tenants[0]
	}
	if !req.principal.CanReach(tenant) { // nobody writes into another's log
		tenant = ""
	}
	if err := req.appendAudit(tenant, req.URL.Path, nil, nil, ""); err != nil {
		req.server.loggerOrDiscard().ErrorContext(req.Context(), "write is missing in the audit log", "path", req.URL.Path, "principal", req.principal.ID, "requestId", req.requestID, "error", err)
	}
}

// isWrite reports whether a route changes something.
func (rt route) isWrite() bool { return rt.method != http.MethodGet && rt.method != "" }

var auditLimits = pageLimits{defaultTop: 100, maxTop: 1000}

func listAudit(req *request) error {
	o, err := req.parseOptions(odata.Schema{}, []string{"$top"})
	if err != nil {
		return err
	}
	q, err := auditLimits.pageQuery(o)
	if err != nil {
		return err
	}
	only, err := requestedTenant(req.Request)
	if err != nil {
		return err
	}
	top := max(q.Top, 1)
	es, err := req.tenantScope().auditEntries(req.Context(), only, req.URL.Query().Get("before"), top)
	if err != nil {
		return err
	}
	out := collection{Value: []jsontext.Value{}}
	for _, e := range es {
		v, err := json.Marshal(e, graph.Encoding)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	if len(es) == top {
		out.Next = req.nextLink("before", es[len(es)-1].ID)
	}
	return req.writeJSON(http.StatusOK, out)
}

// applyAction does an action for the principal, with its entries in the audit log.
func (req *request) applyAction(tenant string, a correlation.Action) (correlation.ActionResult, error) {
	by := correlation.Actor{Name: cmp.Or(req.principal.Name, req.principal.ID), IfMatch: req.ifMatchTag()}
	by.Audit = func(records []incident.AuditRecord) (out []incident.AuditEntry, err error) {
		for _, r := range records {
			n, err := req.newAuditLine(tenant, r.Kind+" "+r.ID, r.Before, r.After)
			if err != nil {
				return nil, err
			}
			if n != nil {
				out = append(out, n.AuditEntry)
			}
		}
		return out, nil
	}
	req.audited = true // what changed nothing is no entry
	return req.tenantScope().applyAction(req.Context(), tenant, a, by)
}
