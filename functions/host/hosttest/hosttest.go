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
	// Patient: the platform sets no deadline.
	Patient bool
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
						r.Open()
					}
					s := Setup{Binary: binary, Deadline: deadline, Env: []string{"HOSTTEST_RECORDER=" + r.URL, "HOSTTEST_LIMIT=" + deadline.String()}}
					promise.check(&check{T: t, p: p, r: r, i: p.Start(t, s)})
				})
			}
		})
	}
}

// check is one promise on one instance.
type check struct {
	*testing.T
	p Platform
	r *Recorder
	i Instance
}

// deliver offers findings and wants these answers.
func (c *check) deliver(want []bool, fs ...Finding) {
	c.Helper()
	if got := c.i.Deliver(c.T, fs...); !slices.Equal(got, want) {
		c.Errorf("acknowledged %v, want %v", got, want)
	}
}

// works delivers a finding that nothing is wrong with.
func (c *check) works(id string) {
	c.Helper()
	c.deliver([]bool{true}, Finding{ID: id})
	c.published("alerts", id)
}

func (c *check) published(queue string, ids ...string) {
	c.Helper()
	for _, id := range ids {
		if !c.r.Has(queue, id) {
			c.Errorf("%s is not in %s", id, queue)
		}
	}
}

type promise struct {
	name  string
	needs func(Platform) bool
	slow  bool // the subject may start only when the check says so
	check func(*check)
}

var promises = []promise{
	{name: "what is acknowledged is on the bus", check: func(c *check) {
		c.works("a")
		if n := c.r.Count("quarantine"); n != 0 {
			c.Errorf("%d in quarantine", n)
		}
	}},
	{name: "a bad finding goes to quarantine and is acknowledged", check: func(c *check) {
		c.deliver([]bool{true}, Finding{ID: "bad", Do: "refuse"})
		c.published("quarantine", "bad")
		if c.r.Count("alerts") != 0 {
			c.Error("it was published")
		}
	}},
	{name: "a bad finding spoils none beside it", needs: func(p Platform) bool { return p.Many }, check: func(c *check) {
		c.deliver([]bool{true, true, true}, Finding{ID: "a"}, Finding{ID: "bad", Do: "refuse"}, Finding{ID: "b"})
		c.published("alerts", "a", "b")
		c.published("quarantine", "bad")
	}},
	{name: "passing trouble is offered again", check: func(c *check) {
		c.r.Fail("a")
		c.deliver([]bool{false}, Finding{ID: "a"})
		if c.r.Count("alerts")+c.r.Count("quarantine") != 0 {
			c.Error("something was recorded")
		}
		c.r.Heal()
		c.works("a")
	}},
	{name: "trouble with the quarantine is offered again", check: func(c *check) {
		c.r.Fail("bad")
		c.deliver([]bool{false}, Finding{ID: "bad", Do: "refuse"})
		c.r.Heal()
		c.deliver([]bool{true}, Finding{ID: "bad", Do: "refuse"})
		c.published("quarantine", "bad")
	}},
	{name: "only what failed is offered again", needs: func(p Platform) bool { return p.Many }, check: func(c *check) {
		c.r.Fail("b")
		want := []bool{c.p.Partial, false, c.p.Partial}
		c.deliver(want, Finding{ID: "a"}, Finding{ID: "b"}, Finding{ID: "c"})
		c.r.Heal()
		c.works("b")
		if c.p.Partial {
			c.published("alerts", "a", "c")
		}
	}},
	{name: "it answers before the deadline", needs: func(p Platform) bool { return !p.Patient }, check: func(c *check) {
		c.r.Hold("slow")
		c.deliver([]bool{false}, Finding{ID: "slow"})
		c.r.Release()
		c.works("a")
	}},
	{name: "it answers before the deadline though the function does not", needs: func(p Platform) bool { return !p.Streams }, check: func(c *check) {
		c.deliver([]bool{false}, Finding{ID: "stuck", Do: "stick"})
		c.works("a")
	}},
	{name: "a panic is contained", check: func(c *check) {
		c.works("before")
		if c.i.Deliver(c.T, Finding{ID: "worse", Do: "panic"})[0] {
			c.published("quarantine", "worse") // acknowledged only when it is kept
		}
		c.works("after")
	}},
	{name: "the first delivery waits for a slow start", slow: true, check: func(c *check) {
		var wg sync.WaitGroup
		wg.Go(func() { c.works("first") })
		c.r.WaitOpening()
		c.r.Open()
		wg.Wait()
	}},
	{name: "an oversized delivery is refused and kept", check: func(c *check) {
		c.deliver([]bool{true}, Finding{ID: "large", Pad: tooLarge})
		if c.r.Count("quarantine") != 1 || c.r.Count("alerts") != 0 {
			c.Errorf("%d in quarantine, %d published", c.r.Count("quarantine"), c.r.Count("alerts"))
		}
		c.works("a")
	}},
	{name: "invocations at the same time", check: func(c *check) {
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() { c.works(fmt.Sprintf("c%02d", n)) })
		}
		wg.Wait()
	}},
	{name: "shutdown finishes what is at hand", needs: func(p Platform) bool { return !p.Freezes }, check: func(c *check) {
		c.works("before")
		c.r.Hold("last")
		stopped := make(chan error, 1)
		var wg sync.WaitGroup
		wg.Go(func() { c.deliver([]bool{true}, Finding{ID: "last"}) })
		c.r.WaitHeld()
		go func() { stopped <- c.i.Stop() }()
		c.i.(drainer).Draining(c.T)
		c.r.Release()
		wg.Wait()
		if err := <-stopped; err != nil {
			c.Errorf("exit: %v", err)
		}
		c.published("alerts", "last")
	}},
	{name: "nothing acknowledged waits in a process that is killed", needs: func(p Platform) bool { return p.Freezes }, check: func(c *check) {
		c.deliver([]bool{true}, Finding{ID: "a"})
		_ = c.i.Stop() // by SIGKILL: never a good exit
		c.published("alerts", "a")
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
	log  *lines
	gone chan struct{}
	err  error // once gone
}

// start runs the subject until the test ends. Its log is shown when the test fails.
func start(t *testing.T, s Setup, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(s.Binary), log: &lines{}, gone: make(chan struct{})}
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
		_ = p.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("subject's log:\n%s", p.log)
		}
	})
	return p
}

// stop signals the process and waits for its end.
func (p *process) stop(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig) // it may be gone already
	<-p.gone
	return p.err
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

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
