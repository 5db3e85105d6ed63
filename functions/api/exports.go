package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
)

// Exports are the ways out, as the API shows them. An export's name is fault.NotFound where there is none.
type Exports interface {
	// Exports lists all exports with how they do, in the order of the configuration.
	Exports(ctx context.Context) ([]Export, error)
	// Deliveries lists what an export sent last and what it set aside, the newest first.
	Deliveries(ctx context.Context, name string) ([]Delivery, error)
	// Start sends what last changed in a range once more; fault.Conflict while another range is at work.
	Start(ctx context.Context, name string, since, until time.Time) (ExportRun, error)
	// Replay sends the thing of one delivery again, as it is now. What the receiver does not take is a NotTakenError.
	Replay(ctx context.Context, name, delivery string) error
}

// NotTakenError says why a receiver did not take what was sent to it by hand.
type NotTakenError struct{ Reason string }

func (e *NotTakenError) Error() string { return e.Reason }

// Export is one way out on the wire.
type Export struct {
	ID           string     `json:"id"`
	Tenant       string     `json:"tenantId"`
	Target       string     `json:"target"`
	Backlog      int        `json:"backlog"` // changes not yet seen through, at most 10,000
	Lag          float64    `json:"lagSeconds"`
	Sent         int64      `json:"sent"`
	DeadLettered int64      `json:"setAside"`
	Failures     int        `json:"failures"` // in a row
	LastSent     time.Time  `json:"lastSent,omitzero"`
	LastRun      time.Time  `json:"lastRun,omitzero"`
	LastError    string     `json:"lastError,omitzero"`
	LastErrorAt  time.Time  `json:"lastErrorAt,omitzero"`
	NextAttempt  string     `json:"nextAttempt,omitzero"`
	Run          *ExportRun `json:"run,omitzero"` // the last range on demand
}

// ExportRun is a range that is sent on demand.
type ExportRun struct {
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	State     string    `json:"state"` // running, done or failed
	Total     int64     `json:"total"`
	Read      int64     `json:"read"`
	Sent      int64     `json:"sent"`
	LastError string    `json:"lastError,omitzero"`
}

// Delivery is one record's fate.
type Delivery struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind"`
	Thing        string    `json:"thingId"`
	Time         time.Time `json:"time"`
	DeadLettered bool      `json:"setAside,omitzero"`
	Reason       string    `json:"reason,omitzero"`
}

func listExports(req *request) error {
	only, err := requestedTenant(req.Request)
	if err != nil {
		return err
	}
	all, err := req.tenantScope().visibleExports(req.Context(), only)
	if err != nil {
		return err
	}
	return writeAll(req, all)
}

func getExport(req *request) error {
	e, err := req.tenantScope().findExport(req.Context(), req.PathValue("id"))
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, e)
}

func listDeliveries(req *request) error {
	ds, err := req.tenantScope().exportDeliveries(req.Context(), req.PathValue("id"))
	if err != nil {
		return err
	}
	return writeAll(req, ds)
}

// runExport begins a range; GET on the export shows how far it is.
func runExport(req *request) error {
	e, err := req.tenantScope().findExport(req.Context(), req.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := req.readBody(maxRequest)
	if err != nil {
		return err
	}
	var in struct {
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
	}
	if err := json.Unmarshal(body, &in, json.RejectUnknownMembers(true)); err != nil || in.Since.IsZero() {
		return fault.Errorf(fault.Invalid, `The body must be {"since":"2026-03-03T00:00:00Z","until":"…"}.`)
	}
	if in.Until.IsZero() {
		in.Until = req.server.timeNow()
	}
	var run ExportRun
	err = req.runAudited(e.Tenant, "export "+e.ID, ExportRun{Since: in.Since, Until: in.Until}, func() (any, error) {
		run, err = req.tenantScope().runExport(req.Context(), e, in.Since, in.Until)
		return run, err
	})
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusAccepted, run)
}

func replayDelivery(req *request) error {
	e, err := req.tenantScope().findExport(req.Context(), req.PathValue("id"))
	if err != nil {
		return err
	}
	id := req.PathValue("did")
	known, err := req.tenantScope().exportDeliveries(req.Context(), e.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(known, func(d Delivery) bool { return d.ID == id }) {
		return notFound("delivery", id)
	}
	err = req.runAudited(e.Tenant, "delivery "+clipText(id)+" of export "+e.ID, nil, func() (any, error) {
		return map[string]string{"replayed": id}, req.tenantScope().replayDelivery(req.Context(), e, id)
	})
	var not *NotTakenError
	if errors.As(err, &not) { // the receiver's 401 is not the caller's
		return newFailure(http.StatusBadGateway, "receiverFailed", "The receiver of export '"+e.ID+"' did not take it: "+not.Reason)
	}
	if err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, map[string]string{"id": id})
}
