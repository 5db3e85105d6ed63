package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api/graph"
	"github.com/onepane/onepane/functions/api/odata"
	"github.com/onepane/onepane/shared/cloudevent"
)

// Quarantine is the quarantine queue.
type Quarantine interface {
	// List returns up to limit events after the cursor ("" for the first), oldest first, and the cursor of the next
	// page; "" when there are no more.
	List(ctx context.Context, cursor string, limit int) (evs []cloudevent.Event, next string, err error)
	// Remove takes events out of quarantine. An id that is not there is no error.
	Remove(ctx context.Context, ids ...string) error
}

// Replayer takes a rejected record in again. An error means that it was not taken, and says why.
type Replayer interface {
	Replay(ctx context.Context, r events.Rejection) (Replayed, error)
}

// Replayed is what became of a record that was taken.
type Replayed struct {
	AlertIDs    []string `json:"alertIds,omitempty"`
	ExposureIDs []string `json:"exposureIds,omitempty"`
	Ignored     string   `json:"ignored,omitzero"` // why it is no finding at all
}

// quarantinedRecord is a rejected record on the wire.
type quarantinedRecord struct {
	ID       string            `json:"id"`
	Reason   string            `json:"reason"`
	Kind     string            `json:"kind"`
	Route    string            `json:"route"`
	Provider string            `json:"provider,omitzero"`
	TenantID string            `json:"tenantId,omitzero"`
	Received time.Time         `json:"received"`
	Size     int               `json:"size"` // bytes as received
	Cut      bool              `json:"cut,omitzero"`
	Index    int               `json:"index"`
	Headers  map[string]string `json:"headers,omitempty"` // these three only for a single record
	Body     *string           `json:"body,omitzero"`
	Binary   []byte            `json:"binary,omitempty"`
}

func quarantinedOf(id string, r events.Rejection) quarantinedRecord {
	return quarantinedRecord{
		ID: id, Reason: r.Reason, Kind: r.Kind, Route: r.Route, Provider: r.Provider, TenantID: r.Tenant,
		Received: r.Received.UTC(), Size: r.Size, Cut: r.Cut, Index: r.Index,
	}
}

// quarantinedEvent is one event in quarantine, read.
type quarantinedEvent struct {
	id        string
	rejection events.Rejection
}

// quarantineChunk is how many records are read at once while quarantine is searched.
const quarantineChunk = 200

// quarantinePage lists one page of what the principal may see, of the tenant that the request narrows itself to.
func quarantinePage(req *request, cursor string, limit int) ([]quarantinedEvent, string, error) {
	only, err := requestedTenant(req.Request)
	if err != nil {
		return nil, "", err
	}
	return req.tenantScope().quarantinePage(req.Context(), only, cursor, limit)
}

func listQuarantine(req *request) error {
	o, err := req.parseOptions(odata.Schema{}, []string{"$top"})
	if err != nil {
		return err
	}
	q, err := alertLimits.pageQuery(o)
	if err != nil {
		return err
	}
	page, next, err := quarantinePage(req, req.URL.Query().Get("cursor"), max(q.Top, 1))
	if err != nil {
		return err
	}
	out := collection{Value: []jsontext.Value{}}
	for _, s := range page {
		v, err := json.Marshal(quarantinedOf(s.id, s.rejection), graph.Encoding)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, v)
	}
	if next != "" {
		out.Next = req.nextLink("cursor", next)
	}
	return req.writeJSON(http.StatusOK, out)
}

func getQuarantined(req *request) error {
	id := req.PathValue("id")
	var found *quarantinedEvent
	_, err := eachQuarantined(req, "", func(s quarantinedEvent) error {
		if s.id == id {
			found = &s
			return errFound
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errFound):
		return err
	case found == nil:
		return notFound("quarantined record", id)
	}
	out := quarantinedOf(found.id, found.rejection)
	out.Headers, out.Binary = found.rejection.Headers, found.rejection.Binary
	if out.Binary == nil {
		out.Body = &found.rejection.Body
	}
	return req.writeJSON(http.StatusOK, out)
}

// errFound ends a search of quarantine.
var errFound = errors.New("found")

// eachQuarantined runs do over all that the principal may see from the cursor on, oldest first, until it returns an
// error. It returns the cursor after the last page that was done whole, "" at the end.
func eachQuarantined(req *request, cursor string, do func(quarantinedEvent) error) (string, error) {
	for {
		page, next, err := quarantinePage(req, cursor, quarantineChunk)
		if err != nil {
			return cursor, err
		}
		for _, s := range page {
			if err := do(s); err != nil {
				return cursor, err
			}
		}
		if next == "" || next == cursor {
			return "", nil
		}
		cursor = next
	}
}
