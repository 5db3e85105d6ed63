package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/cmd/internal/wire/exports"
	"github.com/onepane/onepane/shared/config"
)

const root = "../../.."

// TestReadmeCommands runs every onepane and curl command of the README, as written but for the address, against a real
// server that has played the demo.
func TestReadmeCommands(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "onepane.yaml")
	lake, _, _ := strings.Cut(readmeExports(t), "- {name: hook")
	if err := os.WriteFile(settings, []byte(strings.Replace(lake, "directory: out", "directory: "+t.TempDir(), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, t.TempDir(), "ONEPANE_CONFIG="+settings)
	defer s.stop()
	if err := playStory(t.Context(), s.base); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, line := range readme(t) {
		command, _, _ := strings.Cut(strings.TrimSpace(line), "  #")
		if !strings.HasPrefix(line, "    ") || !strings.HasPrefix(command, "bin/onepane ") && !strings.HasPrefix(command, "curl ") {
			continue
		}
		ran++
		if _, err := exec.LookPath(strings.Fields(command)[0]); err != nil && !strings.HasPrefix(command, "bin/") {
			t.Logf("NOT RUN, there is no curl here: %s", command)
			continue
		}
		local := strings.ReplaceAll(strings.ReplaceAll(command, "bin/onepane", binary), "http://127.0.0.1:7071", s.base)
		local = strings.Replace(local, "curl ", "curl --fail --silent --show-error ", 1)
		cmd := exec.Command("sh", "-c", local)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "ONEPANE_URL="+s.base)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%s\n%v\n%s", command, err, out)
		}
	}
	if ran < 6 {
		t.Errorf("only %d commands found in the README", ran)
	}
}

// TestReadmeTargets finds every make target that the README names in the Makefile.
func TestReadmeTargets(t *testing.T) {
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`make ([a-z]+)`|^    make ([a-z]+)")
	for _, line := range readme(t) {
		for _, m := range named.FindAllStringSubmatch(line, -1) {
			if target := m[1] + m[2]; !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("the README names `make %s`, the Makefile has no such target", target)
			}
		}
	}
}

// TestReadmeShowsWhatTheDemoGives compares the README's table of incidents with the demo's.
func TestReadmeShowsWhatTheDemoGives(t *testing.T) {
	text := strings.Join(readme(t), "\n")
	s := start(t, t.TempDir())
	defer s.stop()
	if err := playStory(t.Context(), s.base); err != nil {
		t.Fatal(err)
	}
	for _, i := range s.all("/v1.0/security/incidents") {
		if id, name := i["id"].(string), i["displayName"].(string); !strings.Contains(text, id) || !strings.Contains(text, name) {
			t.Errorf("the README does not show incident %s: %s", id, name)
		}
	}
}

// readmeExports is the README's example of exports.
func readmeExports(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(strings.Join(readme(t), "\n"), "\n    exports:\n")
	block, _, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("the README shows no exports")
	}
	return "exports:\n" + strings.ReplaceAll("\n"+block+"\n", "\n    ", "\n")
}

// TestReadmeExports takes the README's exports as they are, one of each target.
func TestReadmeExports(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "onepane.yaml")
	if err := os.WriteFile(settings, []byte(readmeExports(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(func(name string) string { return map[string]string{"ONEPANE_CONFIG": settings}[name] })
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, e := range cfg.Exports {
		shown[e.Target] = true
	}
	for target := range config.Targets {
		if !shown[target] {
			t.Errorf("the README has no example of target %s", target)
		}
	}
	secrets := map[string]string{"HOOK": hookSecret, "HEC": "token", "STORAGE": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"}
	if _, err := exports.New(cfg, exports.Options{Version: "test", Getenv: func(name string) string { return secrets[name] }, Now: time.Now}); err != nil {
		t.Error(err)
	}
}

func readme(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(b), "\n")
}
