package api

import (
	_ "embed"
	"net/http"

	"github.com/onepane/onepane/shared/query"
)

// status tells how far the machine has come: Bus.Pending 0 means that all that was accepted is correlated.
type status struct {
	Bus     *Bus        `json:"bus,omitzero"` // counts all tenants, so only those who may see all are told
	Store   query.Stats `json:"store"`
	Version string      `json:"version"`
}

func (c *call) status() error {
	out := status{Version: c.server.Version}
	var err error
	if c.principal.AllTenants {
		out.Bus = &Bus{}
	}
	if c.server.Bus != nil && c.principal.AllTenants {
		if *out.Bus, err = c.server.Bus(c.Context()); err != nil {
			return err
		}
	}
	if out.Store, err = c.reader().Stats(c.Context()); err != nil {
		return err
	}
	return c.json(http.StatusOK, out)
}

// healthz says that the process runs, readyz that it can serve.
func (c *call) healthz() error {
	c.write(http.StatusOK, textType, []byte("ok\n"))
	return nil
}

func (c *call) readyz() error {
	if ready := c.server.Ready; ready != nil {
		if err := ready(c.Context()); err != nil {
			return err
		}
	}
	c.write(http.StatusOK, textType, []byte("ready\n"))
	return nil
}

// document describes every route; a test compares the two.
//
//go:embed openapi.json
var document []byte

func (c *call) openapi() error {
	c.write(http.StatusOK, "application/json; charset=utf-8", document)
	return nil
}
