package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/functions/host/replay"
)

// onepane runs a command line as main does.
func onepane(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = cli.Run(context.Background(), cli.Options{Version: "test", Commands: []*cobra.Command{newReplayCommand()}, Out: &o, Err: &e}, args)
	return code, o.String(), e.String()
}

// recording is six alerts of one machine and one of another, and a file with a set of constants under which nothing
// joins.
func recording(t *testing.T) (alerts, apart string) {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	for i := range 6 {
		fmt.Fprintf(&b, `{"id":"a-000%d","time":"2026-03-03T00:0%d:00Z","type":"kind %d","title":"Seen %d","severity":"high","entities":[{"kind":"host","value":"web-03.contoso.example"}]}`+"\n", i, i, i, i)
	}
	b.WriteString(`{"id":"b-0001","time":"2026-03-03T00:09:00Z","title":"Elsewhere","entities":[{"kind":"host","value":"db-01.contoso.example"}]}` + "\n")
	alerts, apart = filepath.Join(dir, "alerts.ndjson"), filepath.Join(dir, "apart")
	for name, text := range map[string]string{alerts: b.String(), apart: "# nothing joins\nJoinAt = 0.999\nMergeAt=1  # nor merges\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return alerts, apart
}

func TestReplayDiff(t *testing.T) {
	alerts, apart := recording(t)
	for _, tt := range []struct {
		args string
		code int
		want []string
	}{
		{"default JoinAt=0.5", cli.OK, []string{"The same 2 incidents; 0 alerts folded in both."}},
		{"default " + apart, cli.Different, []string{"split ", "6 (-5)", "a-0000", "Seen 0", "2 incidents became 7: 1 split, 0 merged, 0 regrouped"}},
		{apart + " default", cli.Different, []string{"merged ", "6 (+5)", "7 incidents became 2: 0 split, 1 merged, 0 regrouped"}},
		{"--set JoinAt=0.999 --set MergeAt=1 default " + apart, cli.OK, []string{"The same 7 incidents"}},
	} {
		args := append([]string{"replay", "--diff"}, append(strings.Fields(tt.args), alerts)...)
		code, out, errs := onepane(args...)
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", tt.args, code, tt.code, out, errs)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", tt.args, want, out)
			}
		}
	}
}

func TestReplayDiffAsJSON(t *testing.T) {
	alerts, apart := recording(t)
	code, out, _ := onepane("replay", "--diff", "--format", "json", "default", apart, alerts)
	var report struct {
		Before, After struct{ Incidents int }
		Changes       []replay.Change
	}
	if err := json.Unmarshal([]byte(out), &report, json.MatchCaseInsensitiveNames(true)); err != nil || code != cli.Different {
		t.Fatalf("%d %v\n%s", code, err, out)
	}
	if c := report.Changes; report.After.Incidents != 7 || len(c) != 1 || c[0].Kind != replay.Split || len(c[0].After) != 6 || c[0].Moves[0].Examples[0] != "a-0000" || c[0].Before[0].Name == "" {
		t.Errorf("%+v", report)
	}
}

func TestReplayRefusesMisuse(t *testing.T) {
	alerts, _ := recording(t)
	for args, word := range map[string]string{
		"--diff default":                           "two sets of constants",
		"--diff default JoinAt=2 FILE":             "JoinAt: 2",
		"--diff default Nonsense=1 FILE":           "JoinAt, LinkAt",
		"--diff default nowhere FILE":              "no set of constants",
		"--diff default default -":                 "read twice",
		"--diff --format tsv default default FILE": "table or json",
		"--set JoinAt FILE":                        "name=value",
		"--set MergeAt=0.1 FILE":                   "between JoinAt",
		"--format xml FILE":                        "table, json or tsv",
	} {
		code, _, errs := onepane(append([]string{"replay"}, strings.Fields(strings.ReplaceAll(args, "FILE", alerts))...)...)
		if code != cli.Misused || !strings.Contains(errs, word) {
			t.Errorf("%s: exit code %d, want a misuse with a word of %q\n%s", args, code, word, errs)
		}
	}
}

// TestReplayUsesTheTenantsTuning: what the configuration says of one tenant holds for it alone; --set wins.
func TestReplayUsesTheTenantsTuning(t *testing.T) {
	alerts, _ := recording(t)
	path := filepath.Join(t.TempDir(), "onepane.yaml")
	for tenant, want := range map[string]int{"default": 7, "contoso": 2} {
		text := "tenants:\n  " + tenant + ": {tuning: {JoinAt: 0.999, MergeAt: 1}}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("ONEPANE_CONFIG", path)
		if _, out, errs := onepane("replay", alerts); strings.Count(out, "\n")-1 != want {
			t.Errorf("tuned %s: want %d incidents\n%s%s", tenant, want, out, errs)
		}
		if _, out, errs := onepane("replay", "--set", "JoinAt=0.5", alerts); strings.Count(out, "\n")-1 != 2 {
			t.Errorf("tuned %s, set back: want 2 incidents\n%s%s", tenant, out, errs)
		}
	}
}
