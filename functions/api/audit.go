package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/api/odata"
)

// Entry is one write: who did what to which thing, and how it was before and after.
type Entry struct {
	ID      string         `json:"id"` // sorts by time
	Time    time.Time      `json:"time"`
	Tenant  string         `json:"tenantId,omitzero"` // whose thing it was; empty for what is not one tenant's
	By      string         `json:"by"`                // the principal's id
	ByName  string         `json:"byName"`
	Action  string         `json:"action"` // the route, as "PATCH /v1.0/security/incidents/{id}"
	Target  string         `json:"target"` // the thing, as "incident 10001"
	Before  jsontext.Value `json:"before,omitzero"`
	After   jsontext.Value `json:"after,omitzero"`
	Request string         `json:"requestId"`
}

// Audit keeps entries for good, or for as long as it is told to.
type Audit interface {
	// Append adds an entry. It is durable when nil is returned.
	Append(ctx context.Context, e Entry) error
	// Entries lists up to limit of a tenant's entries with ids before the given one ("" for the newest), newest first.
	Entries(ctx context.Context, tenant, before string, limit int) ([]Entry, error)
	// Tenants lists the tenants that have entries, "" among them for what is not one tenant's.
	Tenants(ctx context.Context) ([]string, error)
}

// entryID sorts by time; entries of one moment have ids of their own.
func entryID(at time.Time) string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return fmt.Sprintf("%016x-%s", uint64(at.UnixNano()), hex.EncodeToString(b[:]))
}

// audit notes a write that was done: every handler that changes something calls it, once for each thing, before it answers.
// Before and after are kept as JSON; nil is left out. What a handler forgets, handle notes without them.
func (c *call) audit(tenant, target string, before, after any) error {
	c.audited = true
	e := Entry{Tenant: tenant, Action: c.route.method + " " + c.route.path, Target: target, Request: c.requestID}
	var err error
	if e.Before, err = shown(before); err == nil {
		e.After, err = shown(after)
	}
	if err == nil {
		err = c.door().record(c.Context(), e)
	}
	if err != nil {
		return fmt.Errorf("note write to %s: %w", target, err)
	}
	return nil
}

// shown is v as JSON, nothing for nil.
func shown(v any) (jsontext.Value, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v, encoding)
}

// auditForgotten notes that a route which changes something was served, when its handler has not. The answer is given
// already, so that an error can only be logged.
func (c *call) auditForgotten() {
	if !c.route.writes() || c.audited {
		return
	}
	tenant, _ := tenantOf(c.Request)
	if tenant == "" && len(c.principal.Tenants) == 1 {
		tenant = c.principal.Tenants[0]
	}
	if !c.principal.May(tenant) { // nobody writes into another's log
		tenant = ""
	}
	if err := c.audit(tenant, c.URL.Path, nil, nil); err != nil {
		c.server.log().ErrorContext(c.Context(), "write is missing in the audit log", "path", c.URL.Path, "principal", c.principal.ID, "requestId", c.requestID, "error", err)
	}
}

// writes reports whether a route changes something.
func (rt route) writes() bool { return rt.method != http.MethodGet && rt.method != "" }

var auditLimits = limits{standard: 100, most: 1000}

func (c *call) listAudit() error {
	o, err := c.options(odata.Schema{}, []string{"$top"})
	if err != nil {
		return err
	}
	q, err := auditLimits.page(o)
	if err != nil {
		return err
	}
	only, err := tenantOf(c.Request)
	if err != nil {
		return err
	}
	top := max(q.Top, 1)
	es, err := c.door().entries(c.Context(), only, c.URL.Query().Get("before"), top)
	if err != nil {
		return err
	}
	out := collection{Value: []jsontext.Value{}}
	for _, e := range es {
		v, err := json.Marshal(e, encoding)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	if len(es) == top {
		out.Next = c.next("before", es[len(es)-1].ID)
	}
	return c.json(http.StatusOK, out)
}
