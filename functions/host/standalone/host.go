// Package standalone runs every function in one process: HTTP in, the embedded bus between, the embedded store below.
// It feeds functions as the hosts of the clouds do, and decides nothing.
//
//	HTTP ─┬─ POST /api/ingest/… ─▶ ingest ─▶ bus ─▶ correlate ─▶ store
//	      └─ everything else ─▶ api ◀──────────────────────────────┘
package standalone

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/onepane/onepane/shared/cloudevent"
)

// Bus is the embedded bus. Subscribe hands its events to h until ctx ends.
type Bus interface {
	Subscribe(ctx context.Context, h func(ctx context.Context, evs []cloudevent.Event) error) error
	// Drained returns nil when every event published before the call is handled or in quarantine, or ctx's error.
	Drained(ctx context.Context) error
}

// Meter times requests.
type Meter interface {
	Request(route, method string, code int, took time.Duration)
}

// Server is one running Onepane. Run runs it.
type Server struct {
	Ingest    http.Handler // POST /api/ingest/{route}
	API       http.Handler // all else
	Metrics   http.Handler
	Correlate func(ctx context.Context, evs []cloudevent.Event) error
	Bus       Bus
	Meter     Meter
	Log       *slog.Logger

	// HeaderTimeout is how long a request's header may take to arrive, 0 for 10 s; ReadTimeout all of it, 0 for 2 min.
	HeaderTimeout, ReadTimeout time.Duration
}
