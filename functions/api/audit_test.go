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

// cut is an audit log that is gone once an entry was made to go along with its change: what was not written by then never is.
type cut struct {
	ledger
	gone *bool
}

func (c cut) Line(e Entry) (incident.AuditEntry, error) {
	line, err := c.ledger.Line(e)
	*c.gone = true
	return line, err
}

func (c cut) Append(ctx context.Context, e Entry) error {
	if *c.gone {
		return fault.Errorf(fault.Unavailable, "gone")
	}
	return c.ledger.Append(ctx, e)
}

// Each way of changing alerts and incidents has its entry although the server can write nothing after the change itself.
func TestAChangeBringsItsEntry(t *testing.T) {
	gone := false
	d := newDesk(t)
	d.base = serve(t, d.audit.Store, func(s *Server) { s.Hand, s.Audit = d.fn, cut{d.audit, &gone} })
	a, b := d.alert("1", "Mimikatz", "web-03"), d.alert("2", "Odd sign-in", "db-01")
	one, other := d.of(a), d.of(b)
	for _, tt := range []struct{ method, path, body, after string }{
		{"PATCH", "/v1.0/security/incidents/" + one, `{"displayName":"Dora's"}`, `"displayName":"Dora's"`},
		{"PATCH", "/v1.0/security/alerts_v2/" + a, `{"assignedTo":"dora"}`, `"assignedTo":"dora"`},
		{"PATCH", "/v1.0/security/incidents/" + one, `{"assignedTo":"eve"}`, `"alertsEdited":"1"`},
		{"POST", "/v1.0/security/incidents/" + one + "/comments", `{"comment":"look here"}`, `look here`},
		{"POST", "/api/v1/incidents/" + other + "/move", `{"alertIds":["` + a + `"]}`, a},
		{"POST", "/api/v1/incidents/" + other + "/split", `{"alertIds":["` + a + `"]}`, a},
		{"POST", "/api/v1/incidents/" + other + "/merge", `{"incidentIds":["$split"]}`, `$split`},
	} {
		split := d.of(a)
		path, body, after := tt.path, strings.ReplaceAll(tt.body, "$split", split), strings.ReplaceAll(tt.after, "$split", split)
		before := len(d.entries())
		gone = false
		if answer := send(t, tt.method, d.base+path, body); answer.StatusCode >= 300 {
			t.Errorf("%s %s: %d %s", tt.method, path, answer.StatusCode, answer.body)
		}
		found := false
		for _, e := range d.entries() {
			found = found || strings.Contains(string(e.Before)+string(e.After)+e.Target, after)
		}
		if len(d.entries()) == before || !found {
			t.Errorf("%s %s: no entry tells of %s: %+v", tt.method, path, after, d.entries())
		}
	}
}

// refuser takes nothing in again, and tells what the audit log had when it was asked.
type refuser struct {
	log *memoryAudit
	had []Entry
	err error
}

func (r *refuser) Replay(context.Context, events.Rejection) (Replayed, error) {
	r.had = append([]Entry{}, r.log.entries...)
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
		{nil, http.StatusOK, completed, "gd1"},
		{fault.Errorf(fault.Invalid, "title: missing"), http.StatusOK, failed, "title: missing"},
		{fault.Errorf(fault.Again, "the bus is gone"), http.StatusServiceUnavailable, failed, ""},
	} {
		log := &memoryAudit{}
		r := &refuser{log: log, err: tt.err}
		base := serve(t, crowd(1), func(s *Server) {
			s.Audit, s.Replayer, s.Shelf = log, r, shelfOf(t, events.Rejection{Route: "aws", Tenant: "contoso", Kind: "invalid", Reason: "no id"})
		})
		answer := send(t, "POST", base+"/api/v1/quarantine/replay", `{"all":true}`)
		if answer.StatusCode != tt.status {
			t.Errorf("%v: %d %s", tt.err, answer.StatusCode, answer.body)
		}
		if len(r.had) != 1 || r.had[0].Outcome != begun || !strings.HasPrefix(r.had[0].Target, "quarantined record ") {
			t.Errorf("%v: when it was begun the log had %+v", tt.err, r.had)
		}
		if len(log.entries) != 2 || log.entries[1].Outcome != tt.last || log.entries[1].Request != log.entries[0].Request || !strings.Contains(string(log.entries[1].After), tt.told) {
			t.Errorf("%v: the log has %+v", tt.err, log.entries)
		}
	}
}
