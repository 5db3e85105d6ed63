package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
)

// binary is the real program, built once for the tests that start it.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "onepane-test")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "onepane")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// server is a running onepane serve.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	done chan struct{}
}

var serving = regexp.MustCompile(`msg=serving api=(\S+)`)

// start runs the server over a data directory and returns when it serves.
func start(t *testing.T, data string, env ...string) *server {
	t.Helper()
	s := &server{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", data)
	s.cmd.Env = append(os.Environ(), append([]string{"ONEPANE_CACHE_MB=16"}, env...)...)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(s.done)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			} else if testing.Verbose() {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	}()
	select {
	case s.base = <-address:
	case <-s.done:
		t.Fatalf("the server ended before it served: %v", s.cmd.Wait())
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not serve after 30 s")
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	return s
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // SIGKILL
	<-s.done
	_ = s.cmd.Wait()
}

// stop asks the server to end, and fails the test unless it exits 0.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("SIGTERM: %v, want exit 0", err)
	}
}

// post sends one delivery and returns the status with the answer.
func post(base, route string, body []byte, wait bool) (int, []byte, error) {
	req, err := http.NewRequest(http.MethodPost, base+"/api/ingest/"+route, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if wait {
		req.Header.Set("Prefer", "wait=30")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// deliver posts a delivery that must be taken, and returns its receipt.
func (s *server) deliver(route string, body []byte) ingest.Receipt {
	s.t.Helper()
	status, answer, err := post(s.base, route, body, true)
	if err != nil || status != http.StatusAccepted {
		s.t.Fatalf("post to %s: %d %v\n%s", route, status, err, answer)
	}
	var r ingest.Receipt
	if err := json.Unmarshal(answer, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// get reads an API document into v.
func (s *server) get(path string, v any) int {
	s.t.Helper()
	url := path
	if path[0] == '/' {
		url = s.base + path
	}
	resp, err := http.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if v != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(b, v); err != nil {
			s.t.Fatalf("GET %s: %v\n%s", path, err, b)
		}
	}
	return resp.StatusCode
}

// collection is a page of a Graph listing.
type collection struct {
	Value []map[string]any `json:"value"`
	Next  string           `json:"@odata.nextLink"`
}

// all reads every page of a listing.
func (s *server) all(path string) []map[string]any {
	s.t.Helper()
	var out []map[string]any
	for path != "" {
		var page collection
		if status := s.get(path, &page); status != http.StatusOK {
			s.t.Fatalf("GET %s: %d", path, status)
		}
		out = append(out, page.Value...)
		path = page.Next
	}
	return out
}

// settled waits until everything accepted is correlated.
func (s *server) settled() {
	s.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		var status struct {
			Bus struct {
				Pending int `json:"pending"`
			} `json:"bus"`
		}
		status.Bus.Pending = -1
		if code := s.get("/api/v1/status", &status); code == http.StatusOK && status.Bus.Pending == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d events are still pending after a minute", status.Bus.Pending)
		}
	}
}

// fetch reads a document.
func fetch(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	return answerOf(resp)
}

// send posts a JSON document and reads the answer.
func send(url, body string) ([]byte, error) {
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return answerOf(resp)
}

func answerOf(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return b, err
}
