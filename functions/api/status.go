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

func (c *request) getStatus() error {
	out := serverStatus{Version: c.server.Version}
	var err error
	if c.principal.AllTenants {
		out.Bus = &Bus{}
	}
	if c.server.Bus != nil && c.principal.AllTenants {
		if *out.Bus, err = c.server.Bus(c.Context()); err != nil {
			return err
		}
	}
	if out.Store, err = c.scopedReader().Stats(c.Context()); err != nil {
		return err
	}
	return c.writeJSON(http.StatusOK, out)
}

// serveHealthz says that the process runs, readyz that it can serve.
func (c *request) serveHealthz() error {
	c.writeResponse(http.StatusOK, textType, []byte("ok\n"))
	return nil
}

func (c *request) serveReadyz() error {
	if ready := c.server.Ready; ready != nil {
		if err := ready(c.Context()); err != nil {
			return err
		}
	}
	c.writeResponse(http.StatusOK, textType, []byte("ready\n"))
	return nil
}

// openAPIDocument describes every route; a test compares the two.
//
//go:embed openapi.json
var openAPIDocument []byte

func (c *request) serveOpenAPI() error {
	c.writeResponse(http.StatusOK, "application/json; charset=utf-8", openAPIDocument)
	return nil
}
