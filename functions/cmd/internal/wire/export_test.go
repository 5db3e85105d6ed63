package wire

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/shared/config"
)

// TestStandaloneExports lets a server take an alert and find it, with its incident, in an export's file, both as they
// came and on demand.
func TestStandaloneExports(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Data = filepath.Join(dir, "data")
	cfg.Exports = []config.Export{{Name: "out", Tenant: "default", Target: "file", Format: "ocsf", Options: map[string]string{"directory": filepath.Join(dir, "out")}}}
	s, err := NewStandalone(cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- s.Run(ctx, l, func() { close(ready) }) }()
	<-ready
	body := `{"id":"1","title":"Odd sign-in","severity":"high","source":"idp","time":"2026-03-03T08:00:00Z","entities":[{"kind":"user","value":"ana@example.com"}]}`
	resp, err := http.Post("http://"+l.Addr().String()+"/api/ingest/webhook", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	wait, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	var data string
	for !strings.Contains(data, `"class_uid":2005`) || !strings.Contains(data, `"class_uid":2004`) {
		if wait.Err() != nil {
			t.Fatalf("the export's file holds %q after a %d", data, resp.StatusCode)
		}
		data = ""
		paths, _ := filepath.Glob(filepath.Join(dir, "out", "out-*.ndjson"))
		for _, p := range paths {
			b, _ := os.ReadFile(p)
			data += string(b)
		}
	}
	base := "http://" + l.Addr().String() + "/api/v1/exports"
	resp, err = http.Post(base+"/out/run", "application/json", strings.NewReader(`{"since":"2026-01-01T00:00:00Z"}`))
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("run: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	for answer := ""; !strings.Contains(answer, `"state":"done"`) || !strings.Contains(answer, `"backlog":0`); {
		resp, err := http.Get(base)
		if err != nil || wait.Err() != nil {
			t.Fatalf("exports: %s, %v", answer, err)
		}
		b, _ := io.ReadAll(resp.Body)
		answer = string(b)
		_ = resp.Body.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
