// Package npm runs servers written in JavaScript for tests: it installs infra/local/package.json on first use and
// starts one process per server, which ends with the test.
package npm

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Dir is infra/local, where package.json and node_modules are.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// Required is the variable that `make test` sets to 1: what cannot be installed then fails the test. Without it, as
// when only Go is at hand and no network, the test is skipped and says what it lacks.
const Required = "ONEPANE_TEST_NPM"

// Install makes sure that the packages of package-lock.json are there.
func Install(t testing.TB) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			failMissing(t, "%s is not installed: this test needs Node 20 or later with npm (on Debian: apt-get install nodejs npm)", tool)
		}
	}
	unlock := lockInstall(t)
	defer unlock()
	if isInstalled() {
		return
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = Dir()
	if out, err := cmd.CombinedOutput(); err != nil {
		failMissing(t, "npm ci in infra/local: %v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(Dir(), "package-lock.json"))
	if err == nil {
		err = os.WriteFile(stampFile(), want, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func failMissing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(Required) != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// stampFile is the lock file as it was when node_modules was made of it.
func stampFile() string { return filepath.Join(Dir(), "node_modules", ".onepane-lock.json") }

func isInstalled() bool {
	want, err := os.ReadFile(filepath.Join(Dir(), "package-lock.json"))
	got, err2 := os.ReadFile(stampFile())
	return errors.Join(err, err2) == nil && string(want) == string(got)
}

// lockInstall keeps test processes that start together from installing at once.
func lockInstall(t testing.TB) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "onepane-npm.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatalf("lock node_modules: %v", err)
	}
	return func() { f.Close() }
}

// Start runs a script until the test ends and gives its first line of output that ready accepts. A script that ends
// with its standard input dies with this process, however that ends.
func Start(t testing.TB, ready func(line string) bool, script string, args ...string) string {
	t.Helper()
	Install(t)
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Dir = Dir()
	var trouble strings.Builder
	cmd.Stderr = &trouble
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start %s: %v", script, err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() && trouble.Len() > 0 {
			t.Logf("%s said: %s", filepath.Base(script), trouble.String())
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if ready(lines.Text()) {
			go io.Copy(io.Discard, out)
			return lines.Text()
		}
	}
	in.Close()
	_ = cmd.Wait()
	t.Fatalf("%s ended before it was ready: %s", filepath.Base(script), trouble.String())
	return ""
}
