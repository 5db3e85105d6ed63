package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// run is one run of the real command line against a server.
type run struct {
	code           int
	stdout, stderr string
}

func operate(t *testing.T, base string, args ...string) run {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "ONEPANE_URL="+base)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return run{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// TestQuarantineReplay: a record of an unmapped account and one of an unknown product are set aside, and come back by
// the operator's command once the account is mapped and the product described.
func TestQuarantineReplay(t *testing.T) {
	data, settings := t.TempDir(), t.TempDir()
	config := func(accounts string) string {
		t.Helper()
		file := filepath.Join(settings, "onepane.yaml")
		if err := os.WriteFile(file, []byte("tenants:\n  contoso: {accounts: ["+accounts+"]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "ONEPANE_CONFIG=" + file
	}
	s := start(t, data, config(`"999999999999"`))
	if status, answer, err := post(s.base, "aws", story("aws"), false); err != nil || status != refused || !strings.Contains(string(answer), "no tenant is mapped to aws account 111122223333") {
		t.Fatalf("an unmapped account: %d %v\n%s", status, err, answer)
	}
	const gate = `{"gate_alarm":"ga-7","raised":"2026-03-03T00:07:33Z","what":"Door forced","site":"hq"}`
	if status, answer, err := post(s.base, "webhook", []byte(gate), false); err != nil || status != refused || !strings.Contains(string(answer), "gate_alarm") {
		t.Fatalf("an unknown product: %d %v\n%s", status, err, answer)
	}
	if r := operate(t, s.base, "quarantine", "replay", "--all"); r.code != 1 || !strings.Contains(r.stderr, "2 records were not taken and stay in quarantine") {
		t.Errorf("replay before the fix: %+v", r)
	}
	s.stop()

	mappings := t.TempDir()
	const product = `product: acme-gate
name: Acme Gate
fields: [gate_alarm, raised]
id: text(r, "gate_alarm")
type: '"forced"'
title: text(r, "what")
severity:
  value: '"high"'
first: text(r, "raised")
account:
  organization: text(r, "site")
`
	if err := os.WriteFile(filepath.Join(mappings, "acme-gate.yaml"), []byte(product), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, data, config(`"111122223333", "hq"`), "ONEPANE_MAPPINGS="+mappings)
	r := operate(t, s.base, "quarantine", "replay", "--all", "-o", "json")
	var results []struct {
		Taken    bool     `json:"taken"`
		AlertIDs []string `json:"alertIds"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &results); err != nil || r.code != 0 || len(results) != 2 {
		t.Fatalf("replay after the fix: %+v %v", r, err)
	}
	s.settled()
	for _, result := range results {
		if !result.Taken || len(result.AlertIDs) != 1 {
			t.Fatalf("replay after the fix: %s", r.stdout)
		}
		var a struct {
			Tenant   string `json:"tenantId"`
			Incident string `json:"incidentId"`
		}
		if code := s.get("/v1.0/security/alerts_v2/"+result.AlertIDs[0], &a); code != 200 || a.Tenant != "contoso" || a.Incident == "" {
			t.Errorf("alert %s: %d, %+v", result.AlertIDs[0], code, a)
		}
	}
	if left := s.quarantined(); len(left) != 0 {
		t.Errorf("quarantine still holds %v", left)
	}
	if r := operate(t, s.base, "quarantine", "replay", "--all"); r.code != 0 || strings.TrimSpace(r.stdout) != "Nothing is in quarantine." {
		t.Errorf("replay of nothing: %+v", r)
	}
	s.stop()
}

// TestCommandLine: exit codes, words on the right stream, JSON that parses, and tables that a title cannot play tricks
// on.
func TestCommandLine(t *testing.T) {
	s := start(t, t.TempDir())
	const title = `a\u202egpj.exe\u001b[31m`
	i := s.deliver("webhook", []byte(`{"id":"cli","time":"2026-03-03T00:07:33Z","title":"`+title+`"}`)).Accepted[0]
	if status, _, err := post(s.base, "webhook", []byte(`{"id":"bad","title":"\u202e","time":"soon"}`), false); err != nil || status != refused {
		t.Fatal(status, err)
	}
	var q string
	for id := range s.quarantined() {
		q = id
	}
	for _, args := range [][]string{
		{"incidents"}, {"incidents", i.IncidentID}, {"alerts"}, {"alerts", i.AlertID}, {"alerts", "--incident", i.IncidentID}, {"explain", i.IncidentID},
		{"exposures"}, {"quarantine", "list"}, {"quarantine", "show", q}, {"status"}, {"version"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			r := operate(t, s.base, append(args, "-o", "json")...)
			if !jsontext.Value(r.stdout).IsValid() || r.code != 0 || r.stderr != "" {
				t.Errorf("as JSON: %+v", r)
			}
			table := operate(t, s.base, args...)
			if table.code != 0 || table.stdout == "" || table.stderr != "" {
				t.Errorf("as a table: %+v", table)
			}
			if out := r.stdout + table.stdout; strings.ContainsAny(out, "\u202e\x1b") {
				t.Errorf("a title reaches the terminal raw: %q", out)
			}
		})
	}
	var a struct {
		Title string `json:"title"`
	}
	if s.get("/v1.0/security/alerts_v2/"+i.AlertID, &a); a.Title != "a\u202egpj.exe\x1b[31m" {
		t.Errorf("on the wire the title is %q", a.Title)
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"incidents", "404404"}, 1, "404404"},
		{[]string{"explain", "404404"}, 1, "404404"},
		{[]string{"alerts", "none"}, 1, "none"},
		{[]string{"quarantine", "show", "none"}, 1, "none"},
		{[]string{"quarantine", "replay", "none"}, 1, "1 record was not taken"},
		{[]string{"incidents", "--severity", "'"}, 1, "onepane: "},
		{[]string{"incidents", "--color"}, 2, "unknown flag: --color"},
		{[]string{"incidents", "--top", "many"}, 2, "many"},
		{[]string{"incidents", "--top", "-1"}, 2, "--top -1"},
		{[]string{"incidents", "-o", "xml"}, 2, `--output "xml": expected table or json`},
		{[]string{"incidents", "--url", "localhost"}, 2, "server address"},
		{[]string{"incidents", "1", "2"}, 2, "at most 1 argument"},
		{[]string{"explain"}, 2, "expected 1 argument"},
		{[]string{"incident"}, 2, "did you mean incidents?"},
		{[]string{"quarantine", "replay"}, 2, "ids, or --all"},
		{[]string{"serve", "--listen", "0.0.0.0:0"}, 1, "ONEPANE_LISTEN"},
		{[]string{"serve", "now"}, 2, "onepane: "},
		{[]string{"replay"}, 2, "onepane: "},
		{[]string{"replay", "--format", "xml", "x"}, 2, "--format"},
		{[]string{"replay", "no-such-file.json"}, 1, "no-such-file.json"},
		{[]string{"status", "--url", "http://127.0.0.1:1"}, 1, "Is 'onepane serve' running?"},
	} {
		if r := operate(t, s.base, tt.args...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("onepane %s: %+v; want exit %d and %q", strings.Join(tt.args, " "), r, tt.code, tt.says)
		}
	}
	s.stop()
}
