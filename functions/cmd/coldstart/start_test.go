package coldstart

import (
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

// time starts a process, waits until it is ready, ends it, and gives how long that took and the processor time until its end.
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

// port is Cloud Run's: a service that accepts connections is ready.
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
		ready: func(_ testing.TB, gone <-chan struct{}) time.Time {
			for end := time.Now().Add(patience); time.Now().Before(end); {
				c, err := net.Dial("tcp", address)
				if err == nil {
					_ = c.Close()
					return time.Now()
				}
				select {
				case <-gone:
					return time.Time{}
				case <-time.After(50 * time.Microsecond): // the other processor is the service's
				}
			}
			return time.Time{}
		},
	}
}

// sample are figures of many starts.
type sample []time.Duration

func (s sample) median() time.Duration {
	return slices.Sorted(slices.Values(s))[len(s)/2]
}
