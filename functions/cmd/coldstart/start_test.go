package coldstart

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds a start; none is expected to take near that long.
const patience = 30 * time.Second

// binary builds a command as it is packaged and gives its path.
func binary(t testing.TB, folder, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", out, "./"+filepath.Join(folder, name))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, text)
	}
	return out
}

func size(t testing.TB, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// platform knows when a process is ready for work.
type platform struct {
	env   func() []string
	ready func(t testing.TB, gone <-chan struct{}) time.Time
}

// time starts a process, waits until it is ready, ends it, and gives how long that took and the processor time until
// its end.
func (p *platform) time(t testing.TB, binary string, env []string) (took, used time.Duration) {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(p.env(), env...)
	var says strings.Builder
	cmd.Stderr = &says
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		close(gone)
	}()
	at := p.ready(t, gone)
	_ = cmd.Process.Signal(syscall.SIGKILL) // it may be gone
	<-gone
	if at.IsZero() {
		t.Fatalf("%s was not ready: %s", filepath.Base(binary), says.String())
	}
	return at.Sub(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// runtimeAPI is Lambda's: a function that asks for its next invocation is ready.
func runtimeAPI(t testing.TB) *platform {
	asked := make(chan time.Time, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			asked <- time.Now()
		}
		<-r.Context().Done() // there is nothing to do
	}))
	t.Cleanup(srv.Close)
	return &platform{
		env: func() []string { return []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(srv.URL, "http://")} },
		ready: func(_ testing.TB, gone <-chan struct{}) time.Time {
			select {
			case at := <-asked:
				return at
			case <-gone:
			case <-time.After(patience):
			}
			return time.Time{}
		},
	}
}

// port is Cloud Run's: a service that answered its first request is ready. What came before waits there for it.
func port(t testing.TB) *platform {
	address := ""
	return &platform{
		env: func() []string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			address = l.Addr().String()
			return []string{"PORT=" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
		},
		ready: func(t testing.TB, gone <-chan struct{}) time.Time {
			for end := time.Now().Add(patience); time.Now().Before(end); {
				if c, err := net.Dial("tcp", address); err == nil {
					return answered(t, c)
				}
				select {
				case <-gone:
					return time.Time{}
				default:
					nap()
				}
			}
			return time.Time{}
		},
	}
}

// answered asks for the start-up probe's page and says when the answer came.
func answered(t testing.TB, c net.Conn) time.Time {
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: ingest.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	status, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(status, "HTTP/1.1 20") {
		t.Fatalf("answered %q, %v", status, err)
	}
	return time.Now()
}

// nap is 20 µs on the kernel's clock: timers of an idle Go process are as coarse as 1 ms, a third of what is measured.
func nap() {
	_ = syscall.Nanosleep(&syscall.Timespec{Nsec: 20_000}, nil) // woken early it asks early
}

// sample are figures of many starts.
type sample []time.Duration

func (s sample) median() time.Duration {
	return slices.Sorted(slices.Values(s))[len(s)/2]
}
