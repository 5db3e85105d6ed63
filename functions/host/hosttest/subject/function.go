package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

// probe reads findings that say what is to happen to them.
type probe struct{}

func (probe) Name() string                   { return "probe" }
func (probe) Recognize(r ingest.Record) bool { return r.Has("probe") }

func (probe) Normalize(r ingest.Record) (alert.Alert, error) {
	if err := followOrder(r.Text("do")); err != nil {
		return alert.Alert{}, err
	}
	return alert.Alert{Origin: alert.Origin{Provider: "probe", ID: r.Text("probe")}, Reporter: "probe", Title: "probe", First: time.Unix(0, 0).UTC()}, nil
}

// followOrder does what a finding asks for.
func followOrder(do string) error {
	switch do {
	case "panic":
		panic("as the finding says")
	case "stick":
		select {} // whatever its context says
	case "refuse":
		return fault.Errorf(fault.Invalid, "as the finding says")
	}
	return nil
}

type oneTenant struct{}

func (oneTenant) Tenant(alert.Account, string) (string, error) { return "contoso", nil }

// correlator stands for correlate: it passes on what it is given.
type correlator struct{ to queue }

func (c correlator) passOn(ctx context.Context, evs []cloudevent.Event) error {
	refused := fault.Refused{}
	var good []cloudevent.Event
	for i, e := range evs {
		r := ingest.NewRecord(e.Data, nil)
		if err := followOrder(r.Text("do")); err != nil {
			refused[i] = err
			continue
		}
		good = append(good, e)
	}
	if len(good) > 0 {
		if err := c.to.Publish(ctx, good...); err != nil {
			return err
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

// decodeMessage opens a message: gzip of an array of events.
func decodeMessage(_ context.Context, body []byte) ([]cloudevent.Event, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, ingest.MaxBody+1))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "gzip: %w", err)
	}
	if len(text) > ingest.MaxBody {
		return nil, fault.Errorf(fault.TooLarge, "a message of more than %d bytes", ingest.MaxBody)
	}
	var evs []cloudevent.Event
	if err := json.Unmarshal(text, &evs); err != nil {
		return nil, fault.Errorf(fault.Invalid, "events: %w", err)
	}
	return evs, nil
}

// recorder is the suite's, over HTTP.
type recorder struct{ address string }

// waitForStart waits until the suite lets the subject start.
func (r recorder) waitForStart(ctx context.Context) error { return r.postBody(ctx, "open", nil) }

func (r recorder) queueNamed(name string) queue { return queue{r, name} }

func (r recorder) postBody(ctx context.Context, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address+"/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.Errorf(fault.Unavailable, "recorder: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fault.Errorf(fault.Unavailable, "recorder: %s", resp.Status)
	}
	return nil
}

type queue struct {
	recorder
	name string
}

func (q queue) Publish(ctx context.Context, evs ...cloudevent.Event) error {
	body, err := json.Marshal(evs)
	if err != nil {
		return err
	}
	return q.postBody(ctx, q.name, body)
}

func (q queue) publishTick(ctx context.Context) error {
	return q.Publish(ctx, cloudevent.Event{ID: "tick", Source: "/timer", Type: "tick", Data: jsontext.Value(`"tick"`)})
}

// withRoute gives requests the route that a mux would.
func withRoute(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/ingest/{route}", h)
	return mux
}

func writeRefusal(w http.ResponseWriter, _ *http.Request, status int, _, message string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, message)
}

func listenOnPort() (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
}

type notFound struct{}

func (notFound) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

// emptyBus is a bus without events.
type emptyBus struct{}

func (emptyBus) Subscribe(ctx context.Context, _ func(context.Context, []cloudevent.Event) error) error {
	<-ctx.Done()
	return nil
}

func (emptyBus) Drained(context.Context) error { return nil }
