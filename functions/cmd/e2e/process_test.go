package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds waits for what must happen.
const patience = 2 * time.Minute

// build makes the binaries as `make package` does.
func build(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", filepath.Join(dir, name),
			"github.com/onepane/onepane/functions/cmd/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// process is a binary that is started again each time it is killed, as its platform would.
type process struct {
	binary string
	env    []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	gone  chan struct{} // of cmd
	over  bool
	log   lines
	kills int
}

func run(t testing.TB, binary string, env ...string) *process {
	t.Helper()
	p := &process{binary: binary, env: env}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		p.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(binary), p.log.tail())
		}
	})
	return p
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil
	}
	cmd := exec.Command(p.binary)
	cmd.Env, cmd.Stderr = p.env, &p.log
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	p.cmd, p.gone = cmd, gone
	go func() {
		_ = cmd.Wait() // it ends by being killed
		close(gone)
	}()
	return nil
}

// kill ends the process without a word and waits until it is gone.
func (p *process) kill() {
	p.mu.Lock()
	cmd, gone := p.cmd, p.gone
	p.kills++
	p.mu.Unlock()
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-gone
}

// restart kills it and starts another.
func (p *process) restart() error {
	p.kill()
	return p.start()
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	return s[max(0, len(s)-20_000):]
}

// listening waits until something accepts connections there.
func listening(address string) error {
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

var local = &http.Client{Timeout: patience}
