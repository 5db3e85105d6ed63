package clients

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api/access/accesstest"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/testdata/demo"
)

// binary is the real program, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "onepane-clients")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "onepane")
	if out, err := exec.Command("go", "build", "-o", binary, "../onepane").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// stage is a running Onepane as its clients meet it.
type stage struct {
	t      *testing.T
	url    string // https
	ca     string // file with the certificate that its clients trust
	http   *http.Client
	issuer *accesstest.Issuer
	admin  string // a token that may do everything
}

var serving = regexp.MustCompile(`msg=serving api=(\S+)`)

// open starts a server with settings besides those of the stage, until the test ends.
func open(t *testing.T, settings ...string) *stage {
	t.Helper()
	s := &stage{t: t, issuer: accesstest.New(t)}
	var inside *url.URL
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(inside) }})
	t.Cleanup(front.Close)
	s.url, s.http, s.ca = front.URL, front.Client(), filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s.admin = s.token("admin", "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All", "Onepane.Ingest.All", "Onepane.Operate.All")
	var err error
	if inside, err = url.Parse(serve(t, append([]string{
		"ONEPANE_CACHE_MB=16", "ONEPANE_BASE_URL=" + s.url, "ONEPANE_OIDC_ISSUER=" + s.issuer.URL, "ONEPANE_OIDC_AUDIENCE=" + accesstest.Audience,
	}, settings...))); err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs the binary until the test ends, which must exit 0, and gives the address that it says.
func serve(t *testing.T, settings []string) string {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Env = append(os.Environ(), settings...)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	address, done := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := serving.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			} else if testing.Verbose() {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("SIGTERM: %v, want exit 0", err)
		}
	})
	select {
	case a := <-address:
		return a
	case <-done:
		t.Fatal("the server ended before it served")
	case <-time.After(time.Minute):
		t.Fatal("the server does not serve after a minute")
	}
	return ""
}

// token is one of a principal of that name with roles.
func (s *stage) token(name string, roles ...string) string {
	s.t.Helper()
	return s.issuer.Token(s.t, time.Now(), map[string]any{"sub": name, "preferred_username": name + "@contoso.example", "roles": roles})
}

// furnish delivers the demo story, and what of testdata is named for its route.
func (s *stage) furnish() {
	s.t.Helper()
	for _, d := range demo.StoryDeliveries() {
		s.deliver(d.Route, d.Body)
	}
	for _, route := range []string{"azure", "aws", "gcp"} {
		body, err := os.ReadFile(filepath.Join("testdata", route+".json"))
		if err != nil {
			s.t.Fatal(err)
		}
		s.deliver(route, body)
	}
}

// deliver sends a delivery that must be taken, and waits until it is correlated.
func (s *stage) deliver(route string, body []byte) ingest.Receipt {
	s.t.Helper()
	r, err := s.tryDeliver(route, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stage) tryDeliver(route string, body []byte) (r ingest.Receipt, err error) {
	status, answer, err := s.try(http.MethodPost, "/api/ingest/"+route, body, "Prefer", "wait=30")
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	if err != nil || status != http.StatusAccepted || len(r.Accepted) == 0 || len(r.Rejected) > 0 {
		return r, fmt.Errorf("deliver to %s: %d %v\n%s", route, status, err, answer)
	}
	return r, nil
}

// ask sends one request with the admin's token, and headers by pairs.
func (s *stage) ask(method, address string, body []byte, headers ...string) (int, []byte) {
	s.t.Helper()
	status, answer, err := s.try(method, address, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, answer
}

func (s *stage) try(method, address string, body []byte, headers ...string) (int, []byte, error) {
	if strings.HasPrefix(address, "/") {
		address = s.url + address
	}
	req, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// environment is what a client that is another process is told. Tight is a server that answers one request a second
// after the first sixty.
func (s *stage) environment(tight *stage) []string {
	read := []string{"SecurityAlert.Read.All", "SecurityIncident.Read.All"}
	write := []string{"SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All"}
	return append(os.Environ(),
		"CLIENT_URL="+s.url, "CLIENT_CA="+s.ca,
		"CLIENT_READER="+s.token("reader", read...), "CLIENT_WRITER="+s.token("writer", write...),
		"CLIENT_TIGHT_URL="+tight.url, "CLIENT_TIGHT_CA="+tight.ca, "CLIENT_TIGHT_WRITER="+tight.token("hasty", write...),
	)
}

// visit runs a client against a furnished server and a tight one.
func visit(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	s, tight := open(t), open(t, "ONEPANE_REQUESTS_PER_MINUTE=60")
	s.furnish()
	tight.deliver("webhook", []byte(`{"id":"only","time":"2026-03-03T00:07:33Z","title":"The only alert","entities":[{"kind":"host","value":"web-01.contoso.example"}]}`))
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(s.environment(tight), "NODE_EXTRA_CA_CERTS="+both(t, s, tight))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
}

// both is one file with what two stages' clients trust.
func both(t *testing.T, a, b *stage) string {
	t.Helper()
	x, err := os.ReadFile(a.ca)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b.ca)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(path, append(x, y...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
