package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// failingAudit is an audit log that is gone once an entry was made to go along with its change: what was not written
// by then never is.
type failingAudit struct {
	auditStore
	gone *bool
}

func (c failingAudit) EncodeEntry(e AuditEntry) (incident.AuditEntry, error) {
	line, err := c.auditStore.EncodeEntry(e)
	*c.gone = true
	return line, err
}

func (c failingAudit) Append(ctx context.Context, e AuditEntry) error {
	if *c.gone {
		return fault.Errorf(fault.Unavailable, "gone")
	}
	return c.auditStore.Append(ctx, e)
}

// Each way of changing alerts and incidents has its entry although the server can write nothing after the change
// itself.
func TestAChangeBringsItsEntry(t *testing.T) {
	gone := false
	d := newDesk(t)
	d.base = serveAPI(t, d.audit.Store, func(s *Server) { s.Actions, s.AuditLog = d.fn, failingAudit{d.audit, &gone} })
	a, b := d.addAlert("1", "Mimikatz", "web-03"), d.addAlert("2", "Odd sign-in", "db-01")
	one, other := d.incidentOf(a), d.incidentOf(b)
	for _, tt := range []struct{ method, path, body, after string }{
		{"PATCH", "/v1.0/security/incidents/" + one, `{"displayName":"Dora's"}`, `"displayName":"Dora's"`},
		{"PATCH", "/v1.0/security/alerts_v2/" + a, `{"assignedTo":"dora"}`, `"assignedTo":"dora"`},
		{"PATCH", "/v1.0/security/incidents/" + one, `{"assignedTo":"eve"}`, `"alertsEdited":"1"`},
		{"POST", "/v1.0/security/incidents/" + one + "/comments", `{"comment":"look here"}`, `look here`},
		{"POST", "/api/v1/incidents/" + other + "/move", `{"alertIds":["` + a + `"]}`, a},
		{"POST", "/api/v1/incidents/" + other + "/split", `{"alertIds":["` + a + `"]}`, a},
		{"POST", "/api/v1/incidents/" + other + "/merge", `{"incidentIds":["$split"]}`, `$split`},
	} {
		split := d.incidentOf(a)
		path, body, after := tt.path, strings.ReplaceAll(tt.body, "$split", split), strings.ReplaceAll(tt.after, "$split", split)
		before := len(d.auditEntries())
		gone = false
		if answer := sendRequest(t, tt.method, d.base+path, body); answer.StatusCode >= 300 {
			t.Errorf("%s %s: %d %s", tt.method, path, answer.StatusCode, answer.body)
		}
		found := false
		for _, e := range d.auditEntries() {
			found = found || strings.Contains(string(e.Before)+string(e.After)+e.Target, after)
		}
		if len(d.auditEntries()) == before || !found {
			t.Errorf("%s %s: no entry tells of %s: %+v", tt.method, path, after, d.auditEntries())
		}
	}
}

// refusingReplayer takes nothing in again, and tells what the audit log had when it was asked.
type refusingReplayer struct {
	log *memoryAudit
	had []AuditEntry
	err error
}

func (r *refusingReplayer) Replay(context.Context, events.Rejection) (Replayed, error) {
	r.had = append([]AuditEntry{}, r.log.entries...)
	return Replayed{AlertIDs: []string{"gd1"}}, r.err
}

// What reaches beyond the store is noted before it is begun, and what became of it after.
func TestAReplayIsNotedBefore(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		last   string
		told   string
	}{
		{nil, http.StatusOK, auditDone, "gd1"},
		{fault.Errorf(fault.Invalid, "title: missing"), http.StatusOK, auditFailed, "title: missing"},
		{fault.Errorf(fault.Again, "the bus is gone"), http.StatusServiceUnavailable, auditFailed, ""},
	} {
		log := &memoryAudit{}
		r := &refusingReplayer{log: log, err: tt.err}
		base := serveAPI(t, numberedAlerts(1), func(s *Server) {
			s.AuditLog, s.Replayer, s.Quarantine = log, r, quarantineOf(t, events.Rejection{Route: "aws", Tenant: "contoso", Kind: "invalid", Reason: "no id"})
		})
		answer := sendRequest(t, "POST", base+"/api/v1/quarantine/replay", `{"all":true}`)
		if answer.StatusCode != tt.status {
			t.Errorf("%v: %d %s", tt.err, answer.StatusCode, answer.body)
		}
		if len(r.had) != 1 || r.had[0].Outcome != auditBegun || !strings.HasPrefix(r.had[0].Target, "quarantined record ") {
			t.Errorf("%v: when it was begun the log had %+v", tt.err, r.had)
		}
		if len(log.entries) != 2 || log.entries[1].Outcome != tt.last || log.entries[1].Request != log.entries[0].Request || !strings.Contains(string(log.entries[1].After), tt.told) {
			t.Errorf("%v: the log has %+v", tt.err, log.entries)
		}
	}
}
