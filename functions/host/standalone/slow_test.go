package standalone_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/host/standalone"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/incident"
)

// idle is a bus on which nothing happens.
type idle struct{}

func (idle) Subscribe(ctx context.Context, _ func(context.Context, []cloudevent.Event) error) error {
	<-ctx.Done()
	return nil
}
func (idle) Drained(context.Context) error { return nil }

// one is a store with one incident.
type one struct{ api.Reader }

func (one) Tenants(context.Context) ([]string, error) { return []string{"contoso"}, nil }

func (one) Incident(context.Context, string, string) (incident.Incident, error) {
	return incident.Incident{ID: "1", Tenant: "contoso"}, nil
}

// TestSlowClientsAreCutOff sends headers and bodies byte by byte, for ever: the server ends each in its time, with an
// answer where the header was whole, and serves others meanwhile.
func TestSlowClientsAreCutOff(t *testing.T) {
	s := &standalone.Server{
		API: (&api.Server{Reader: one{}, Authenticate: api.AllowLoopback}).Handler(), Bus: idle{}, Log: slog.New(slog.DiscardHandler),
		Ingest: http.NotFoundHandler(), Metrics: http.NotFoundHandler(), HeaderTimeout: 200 * time.Millisecond, ReadTimeout: 400 * time.Millisecond,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l, nil) }()
	for name, tt := range map[string]struct {
		begin  string
		status int // 0 is none: who has not said a whole header is told nothing
	}{
		"a header without end": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", 0},
		"no byte at all":       {"", 0},
		"a body without end":   {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{", 408},
		"a chunk without end":  {"PATCH /v1.0/security/incidents/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{", 408},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, tt.begin); err != nil {
				t.Fatal(err)
			}
			cut := make(chan struct{})
			go func() { // drips as long as the server listens
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for range tick.C {
					select {
					case <-cut:
						return
					default:
						if tt.begin != "" {
							_, _ = fmt.Fprint(c, " ")
						}
					}
				}
			}()
			defer close(cut)
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			switch {
			case tt.status == 0 && err == nil:
				t.Errorf("answered %d", resp.StatusCode)
			case tt.status != 0 && (err != nil || resp.StatusCode != tt.status):
				t.Errorf("%v, %v", resp, err)
			}
			if err, ok := err.(net.Error); ok && err.Timeout() {
				t.Error("not cut off")
			}
			if resp, err := http.Get("http://" + l.Addr().String() + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("somebody else: %v, %v", resp, err)
			}
		})
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
