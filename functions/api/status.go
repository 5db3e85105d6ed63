package api

import (
	_ "embed"
	"net/http"

	"github.com/onepane/onepane/shared/query"
)

// serverStatus tells how far the machine has come: Bus.Pending 0 means that all that was accepted is correlated.
type serverStatus struct {
	Bus     *Bus        `json:"bus,omitzero"` // counts all tenants, so only those who may see all are told
	Store   query.Stats `json:"store"`
	Version string      `json:"version"`
}

func getStatus(req *request) error {
	out := serverStatus{Version: req.server.Version}
	var err error
	if req.principal.AllTenants {
		out.Bus = &Bus{}
	}
	if req.server.Bus != nil && req.principal.AllTenants {
		if *out.Bus, err = req.server.Bus(req.Context()); err != nil {
			return err
		}
	}
	if out.Store, err = req.scopedReader().Stats(req.Context()); err != nil {
		return err
	}
	return req.writeJSON(http.StatusOK, out)
}

// serveHealthz says that the process runs, readyz that it can serve.
func serveHealthz(req *request) error {
	req.writeResponse(http.StatusOK, textType, []byte("ok\n"))
	return nil
}

func serveReadyz(req *request) error {
	if ready := req.server.Ready; ready != nil {
		if err := ready(req.Context()); err != nil {
			return err
		}
	}
	req.writeResponse(http.StatusOK, textType, []byte("ready\n"))
	return nil
}

// openAPIDocument describes every route; a test compares the two.
//
//go:embed openapi.json
var openAPIDocument []byte

func serveOpenAPI(req *request) error {
	req.writeResponse(http.StatusOK, "application/json; charset=utf-8", openAPIDocument)
	return nil
}
