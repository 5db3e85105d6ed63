// Package hosttest is the promises every host keeps, checked from outside on a built binary: each platform is played
// by a stand-in that speaks its protocol, the bus behind the functions by a recorder that fails on demand.
//
//	suite ─ findings ─▶ stand-in ─ the platform's protocol ─▶ subject (host + function) ─▶ recorder
//	  └── what was acknowledged? ◀──┘                         what was published, and when to fail ◀┘
package hosttest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Platform is one way in which a platform calls a host.
type Platform struct {
	Name  string
	Start func(t *testing.T, s Setup) Instance
	// Many: several findings come in one invocation. Partial: and are acknowledged one by one.
	Many, Partial bool
	// Freezes: the platform ends processes without a word, between invocations only.
	Freezes bool
	// Streams: answers are passed on as they are written, so that nobody can answer for a function that does not end.
	Streams bool
	// NoDeadline: the platform sets no deadline.
	NoDeadline bool
}

// Setup is what an instance is started with.
type Setup struct {
	Binary   string
	Env      []string // HOSTTEST_*
	Deadline time.Duration
}

// Instance is a running subject behind its stand-in.
type Instance interface {
	// Deliver offers findings once, in one invocation where the platform can, and reports for each whether the platform
	// may forget it. An invocation that is not answered within the platform's deadline fails the test.
	Deliver(t *testing.T, findings ...Finding) []bool
	// Stop ends the subject as the platform does and returns once it is gone; the error is a bad exit.
	Stop() error
}

// drainer is an Instance that ends in order.
type drainer interface {
	// Draining returns once the subject has understood that it is to end.
	Draining(t *testing.T)
}

// Finding is one record of the subject's provider.
type Finding struct {
	ID string
	Do string // "", refuse, panic, stick
	// Pad makes it larger by so many bytes; a large one travels compressed.
	Pad int
}

// JSON is the finding as its sender writes it.
func (f Finding) JSON() string {
	return fmt.Sprintf(`{"probe":%q,"do":%q,"pad":%q}`, f.ID, f.Do, strings.Repeat("x", f.Pad))
}

// deadline is the platform's, for one invocation: enough for a loaded machine, little enough to wait for.
const deadline = 5 * time.Second

// tooLarge is more than a delivery may have after decompression (20 MB).
const tooLarge = 21 << 20

// Run checks every promise on each platform, each with a fresh process.
func Run(t *testing.T, platforms ...Platform) {
	binary := Build(t)
	for _, p := range platforms {
		t.Run(p.Name, func(t *testing.T) {
			for _, promise := range promises {
				if promise.needs != nil && !promise.needs(p) {
					continue
				}
				t.Run(promise.name, func(t *testing.T) {
					t.Parallel()
					r := newRecorder(t)
					if !promise.slow {
						r.AllowStart()
					}
					s := Setup{Binary: binary, Deadline: deadline, Env: []string{"HOSTTEST_RECORDER=" + r.URL, "HOSTTEST_LIMIT=" + deadline.String()}}
					promise.check(&promiseCheck{T: t, p: p, r: r, i: p.Start(t, s)})
				})
			}
		})
	}
}

// promiseCheck is one promise on one instance.
type promiseCheck struct {
	*testing.T
	p Platform
	r *Recorder
	i Instance
}

// deliverExpecting offers findings and wants these answers.
func (c *promiseCheck) deliverExpecting(want []bool, fs ...Finding) {
	c.Helper()
	if got := c.i.Deliver(c.T, fs...); !slices.Equal(got, want) {
		c.Errorf("acknowledged %v, want %v", got, want)
	}
}

// checkDelivery delivers a finding that nothing is wrong with.
func (c *promiseCheck) checkDelivery(id string) {
	c.Helper()
	c.deliverExpecting([]bool{true}, Finding{ID: id})
	c.checkPublished("alerts", id)
}

func (c *promiseCheck) checkPublished(queue string, ids ...string) {
	c.Helper()
	for _, id := range ids {
		if !c.r.HasPublished(queue, id) {
			c.Errorf("%s is not in %s", id, queue)
		}
	}
}

type promise struct {
	name  string
	needs func(Platform) bool
	slow  bool // the subject may start only when the check says so
	check func(*promiseCheck)
}

var promises = []promise{
	{name: "what is acknowledged is on the bus", check: func(c *promiseCheck) {
		c.checkDelivery("a")
		if n := c.r.CountPublishes("quarantine"); n != 0 {
			c.Errorf("%d in quarantine", n)
		}
	}},
	{name: "a bad finding goes to quarantine and is acknowledged", check: func(c *promiseCheck) {
		c.deliverExpecting([]bool{true}, Finding{ID: "bad", Do: "refuse"})
		c.checkPublished("quarantine", "bad")
		if c.r.CountPublishes("alerts") != 0 {
			c.Error("it was published")
		}
	}},
	{name: "a bad finding spoils none beside it", needs: func(p Platform) bool { return p.Many }, check: func(c *promiseCheck) {
		c.deliverExpecting([]bool{true, true, true}, Finding{ID: "a"}, Finding{ID: "bad", Do: "refuse"}, Finding{ID: "b"})
		c.checkPublished("alerts", "a", "b")
		c.checkPublished("quarantine", "bad")
	}},
	{name: "passing trouble is offered again", check: func(c *promiseCheck) {
		c.r.FailPublishes("a")
		c.deliverExpecting([]bool{false}, Finding{ID: "a"})
		if c.r.CountPublishes("alerts")+c.r.CountPublishes("quarantine") != 0 {
			c.Error("something was recorded")
		}
		c.r.EndFailures()
		c.checkDelivery("a")
	}},
	{name: "trouble with the quarantine is offered again", check: func(c *promiseCheck) {
		c.r.FailPublishes("bad")
		c.deliverExpecting([]bool{false}, Finding{ID: "bad", Do: "refuse"})
		c.r.EndFailures()
		c.deliverExpecting([]bool{true}, Finding{ID: "bad", Do: "refuse"})
		c.checkPublished("quarantine", "bad")
	}},
	{name: "only what failed is offered again", needs: func(p Platform) bool { return p.Many }, check: func(c *promiseCheck) {
		c.r.FailPublishes("b")
		want := []bool{c.p.Partial, false, c.p.Partial}
		c.deliverExpecting(want, Finding{ID: "a"}, Finding{ID: "b"}, Finding{ID: "c"})
		c.r.EndFailures()
		c.checkDelivery("b")
		if c.p.Partial {
			c.checkPublished("alerts", "a", "c")
		}
	}},
	{name: "it answers before the deadline", needs: func(p Platform) bool { return !p.NoDeadline }, check: func(c *promiseCheck) {
		c.r.HoldPublishes("slow")
		c.deliverExpecting([]bool{false}, Finding{ID: "slow"})
		c.r.ReleasePublishes()
		c.checkDelivery("a")
	}},
	{name: "it answers before the deadline though the function does not", needs: func(p Platform) bool { return !p.Streams }, check: func(c *promiseCheck) {
		c.deliverExpecting([]bool{false}, Finding{ID: "stuck", Do: "stick"})
		c.checkDelivery("a")
	}},
	{name: "a panic is contained", check: func(c *promiseCheck) {
		c.checkDelivery("before")
		if c.i.Deliver(c.T, Finding{ID: "worse", Do: "panic"})[0] {
			c.checkPublished("quarantine", "worse") // acknowledged only when it is kept
		}
		c.checkDelivery("after")
	}},
	{name: "the first delivery waits for a slow start", slow: true, check: func(c *promiseCheck) {
		var wg sync.WaitGroup
		wg.Go(func() { c.checkDelivery("first") })
		c.r.WaitForStart()
		c.r.AllowStart()
		wg.Wait()
	}},
	{name: "an oversized delivery is refused and kept", check: func(c *promiseCheck) {
		c.deliverExpecting([]bool{true}, Finding{ID: "large", Pad: tooLarge})
		if c.r.CountPublishes("quarantine") != 1 || c.r.CountPublishes("alerts") != 0 {
			c.Errorf("%d in quarantine, %d published", c.r.CountPublishes("quarantine"), c.r.CountPublishes("alerts"))
		}
		c.checkDelivery("a")
	}},
	{name: "invocations at the same time", check: func(c *promiseCheck) {
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() { c.checkDelivery(fmt.Sprintf("c%02d", n)) })
		}
		wg.Wait()
	}},
	{name: "shutdown finishes what is at hand", needs: func(p Platform) bool { return !p.Freezes }, check: func(c *promiseCheck) {
		c.checkDelivery("before")
		c.r.HoldPublishes("last")
		stopped := make(chan error, 1)
		var wg sync.WaitGroup
		wg.Go(func() { c.deliverExpecting([]bool{true}, Finding{ID: "last"}) })
		c.r.WaitForHeld()
		go func() { stopped <- c.i.Stop() }()
		c.i.(drainer).Draining(c.T)
		c.r.ReleasePublishes()
		wg.Wait()
		if err := <-stopped; err != nil {
			c.Errorf("exit: %v", err)
		}
		c.checkPublished("alerts", "last")
	}},
	{name: "nothing acknowledged waits in a process that is killed", needs: func(p Platform) bool { return p.Freezes }, check: func(c *promiseCheck) {
		c.deliverExpecting([]bool{true}, Finding{ID: "a"})
		_ = c.i.Stop() // by SIGKILL: never a good exit
		c.checkPublished("alerts", "a")
	}},
}

// Build makes the subject as a deployment would: without cgo, without the Lambda RPC mode.
func Build(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "subject")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", out, "github.com/onepane/onepane/functions/host/hosttest/subject")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the subject: %v\n%s", err, b)
	}
	return out
}

// process is a running subject.
type process struct {
	cmd  *exec.Cmd
	log  *logBuffer
	gone chan struct{}
	err  error // once gone
}

// startSubject runs the subject until the test ends. Its log is shown when the test fails.
func startSubject(t *testing.T, s Setup, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(s.Binary), log: &logBuffer{}, gone: make(chan struct{})}
	p.cmd.Env = append(slices.Clone(s.Env), env...)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.gone)
	}()
	t.Cleanup(func() {
		_ = p.stopProcess(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("subject's log:\n%s", p.log)
		}
	})
	return p
}

// stopProcess signals the process and waits for its end.
func (p *process) stopProcess(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig) // it may be gone already
	<-p.gone
	return p.err
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
