package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/functions/cli"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
	"github.com/onepane/onepane/shared/query"
)

// taker takes every record but those that say "bad".
type taker struct{}

func (taker) Replay(_ context.Context, r events.Rejection) (api.Replayed, error) {
	if r.Body == "bad" {
		return api.Replayed{}, fault.Errorf(fault.Invalid, "title: missing")
	}
	return api.Replayed{AlertIDs: []string{"cu1"}}, nil
}

// desk is a server with one incident of three alerts and two quarantined records, and a command line before it.
type desk struct {
	t     *testing.T
	store *store
	env   map[string]string
}

func open(t *testing.T, as ...func(*store) api.Reader) desk {
	m := stored(3)
	m.alerts[1].Alert.Title = "Miner \x1b[31mruns\u202e"
	m.alerts[1].Alert.Severity = alert.Critical
	m.alerts[1].Reasons = []incident.Reason{{Rule: "shared entity", Alert: m.alerts[0].Alert.ID, Entity: "machine:i-0abc", Name: "web-03", Weight: 0.9, Gap: 90 * time.Second}}
	i := &m.incident
	i.Severity, i.Alerts, i.Last = alert.Critical, 3, day.Add(26*time.Hour)
	i.Clouds, i.Products = []entity.Cloud{entity.Amazon, entity.Azure}, []string{"Amazon GuardDuty"}
	i.Tactics = []attack.Tactic{attack.Discovery, attack.Impact}
	i.Assets = []incident.Asset{{Kind: entity.Host, Name: "web-03"}, {Kind: entity.User, Value: "dora"}, {Kind: entity.IP, Name: "x"}}
	s := &api.Server{
		Reader: m, Authenticate: api.AllowLoopback, Version: "test", Replayer: taker{},
		Quarantine: shelved(t, "good", "bad"),
	}
	for _, reader := range as {
		s.Reader = reader(m)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(ts.Close)
	return desk{t, m, map[string]string{"ONEPANE_URL": ts.URL}}
}

// run gives the exit code and what was printed.
func (d desk) run(line string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = cli.Run(context.Background(), cli.Options{Version: "1.2.3", Out: &o, Err: &e, Getenv: func(k string) string { return d.env[k] }}, strings.Fields(line))
	return code, o.String(), e.String()
}

func TestCommands(t *testing.T) {
	d := open(t)
	for line, want := range map[string][]string{
		"incidents": {"ID", "10001", "Incident 10001", "critical", "active", "web-03, dora +1", "AWS, Azure", "2026-03-04 02:00:00"},
		"incidents --status active,resolved --severity high": {"10001"},
		"incidents --status resolved":                        {"No incidents."},
		"incidents 10001":                                    {"Incident 10001: Incident 10001", "Discovery, Impact", "Alert 2", `Miner \x1b[31mruns\u202e`},
		"alerts --top 2":                                     {"Alert 2", "critical"},
		"alerts --incident 10001 --severity medium":          {"Alert 0", "Alert 2"},
		"exposures --tenant contoso":                         {"No exposures."},
		"quarantine list":                                    {"title: missing", "aws", "4"},
		"status":                                             {"version      test", "alerts       3"},
		"version":                                            {"onepane 1.2.3"},
		"version -o json":                                    {`"1.2.3"`},
		"status -o json":                                     {`"pending": 0`},
	} {
		code, out, errs := d.run(line)
		if code != cli.OK || errs != "" {
			t.Errorf("%s: exit %d %s", line, code, errs)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q is not in\n%s", line, w, out)
			}
		}
		if strings.ContainsAny(out, "\x1b\u202e") {
			t.Errorf("%s prints what a terminal obeys: %q", line, out)
		}
	}
	if _, out, _ := d.run("alerts --top 2"); strings.Contains(out, "Alert 0") {
		t.Errorf("--top 2 shows more:\n%s", out)
	}
}

func TestExplain(t *testing.T) {
	const want = `Incident 10001: Incident 10001

What: 3 alerts of critical severity, nobody works on it yet, reported by Amazon GuardDuty.
Where: in AWS and Azure, on web-03 (host), dora (user) and x (ip).
How far: Discovery → Impact.
When: over 1 d 2 h, from 2026-03-03 00:00:00 to 2026-03-04 02:00:00 UTC.
Priority 59 of 100: gravest alert is critical (+40); reached impact over 2 stages (+14); 2 clouds agree (+3); touches 3 assets (+2).

In time order:

  1. 2026-03-03 00:00:00  Alert 0  [medium]
     Amazon GuardDuty, AWS, Discovery
     The first alert; the others joined it.

  2. 2026-03-03 00:01:00  Miner \x1b[31mruns\u202e  [critical]
     Amazon GuardDuty, AWS, Discovery
     Belongs here: shared entity web-03 with 1. "Alert 0", 1 min 30 s apart; conclusive evidence (0.90).

  3. 2026-03-03 00:02:00  Alert 2  [medium]
     Amazon GuardDuty, AWS, Discovery
     It opened an incident of its own, which was merged into this one.
`
	if _, got, _ := open(t).run("explain 10001"); got != want {
		t.Errorf("got\n%s", got)
	}
}

// What came by a merge says which alert tied it in; a folded copy is told with its alert; exposures are told apart.
func TestExplainTellsMergesCopiesAndExposures(t *testing.T) {
	d := open(t)
	s := d.store
	last := &s.alerts[2].Alert
	s.incident.Assets[0].Key = "host:web-03"
	s.incident.Mergers = []incident.Merger{{Incident: "20001", Opener: last.ID, Alert: s.alerts[1].Alert.ID, Because: incident.Reason{Rule: "shared user", Name: "dora", Weight: 0.6}}}
	last.Sightings = []alert.Sighting{{AlertID: last.ID, Reporter: last.Reporter}, {AlertID: "copy", Reporter: "Security Hub", Rule: "carried id"}}
	for n, title := range []string{"Port 22 is open to all", "An old kernel"} {
		x := incident.AlertRecord{Status: alert.StatusNew, Alert: alert.Alert{ID: fmt.Sprint("x", n), Tenant: tenant, Title: title, Severity: alert.High, Class: alert.Exposure}}
		s.exposed = append(s.exposed, x)
		s.incident.Exposures = append(s.incident.Exposures, incident.OpenExposure{ID: x.Alert.ID, Asset: "host:web-03"})
	}
	_, got, _ := d.run("explain 10001")
	for _, want := range []string{
		"     It opened incident 20001, which was merged into this one because 2. “Miner \\x1b[31mruns\\u202e” tied both: shared user dora; strong evidence (0.60).\n",
		"     Also reported by Security Hub, recognized by carried id.\n",
		"Not part of it, but worth knowing:\n     web-03 also has 2 open exposures: Port 22 is open to all (high); An old kernel (high).\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestIncidentsSort(t *testing.T) {
	d := open(t)
	if d.run("incidents --sort priority"); len(d.store.order) != 1 || d.store.order[0] != (query.Order{Field: query.Priority, Desc: true}) {
		t.Errorf("asked for %v", d.store.order)
	}
	if code, _, errs := d.run("incidents --sort beauty"); code == 0 || !strings.Contains(errs, "--sort") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestExplainFollowsAMerge(t *testing.T) {
	d := open(t)
	d.store.merged = "77"
	_, got, _ := d.run("explain 77")
	if !strings.HasPrefix(got, "Incident 77 was merged into 10001. The story of that one:\n\nIncident 10001: ") || !strings.Contains(got, "3. 2026") {
		t.Errorf("got\n%s", got)
	}
	if _, got, _ := d.run("incidents 77"); !strings.Contains(got, "into incident 10001") || !strings.Contains(got, "Alert 2") {
		t.Errorf("got\n%s", got)
	}
}

func TestJSON(t *testing.T) {
	d := open(t)
	for line, n := range map[string]int{"incidents -o json": 1, "alerts -o json": 3, "explain 10001 -o json": 3, "exposures -o json": 0, "quarantine list -o json": 2} {
		_, out, _ := d.run(line)
		var list []map[string]any
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != n {
			t.Errorf("%s: %d items, %v\n%s", line, len(list), err, out)
		}
	}
	_, out, _ := d.run("incidents 10001 -o json")
	var one struct {
		ID     string           `json:"id"`
		Alerts []map[string]any `json:"alerts"`
	}
	if err := json.Unmarshal([]byte(out), &one); err != nil || one.ID != "10001" || len(one.Alerts) != 3 || one.Alerts[1]["title"] != "Miner \x1b[31mruns\u202e" {
		t.Errorf("%v %+v", err, one)
	}
}

func TestTablesFit(t *testing.T) {
	d := open(t)
	d.env["COLUMNS"] = "80"
	d.store.incident.Name = strings.Repeat("長い名前", 20)
	_, out, _ := d.run("incidents")
	for line := range strings.Lines(out) {
		wide := 0
		for _, r := range strings.TrimSuffix(line, "\n") {
			wide++
			if r > 0x3000 {
				wide++
			}
		}
		if wide > 80 {
			t.Errorf("%d columns: %s", wide, line)
		}
	}
	if !strings.Contains(out, "…") {
		t.Errorf("nothing cut:\n%s", out)
	}
}

func TestQuarantine(t *testing.T) {
	d := open(t)
	_, list, _ := d.run("quarantine list -o json")
	var records []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(list), &records); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := d.run("quarantine show " + records[0].ID); !strings.Contains(out, "title: missing") || !strings.HasSuffix(strings.TrimSpace(out), "d") {
		t.Errorf("show:\n%s", out)
	}
	code, out, errs := d.run("quarantine replay --all")
	if code != cli.Failed || !strings.Contains(out, "cu1") || !strings.Contains(errs, "1 record was not taken and stays in quarantine") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if _, out, _ := d.run("quarantine list -o json"); strings.Count(out, `"id"`) != 1 {
		t.Errorf("left:\n%s", out)
	}
}

func TestMistakes(t *testing.T) {
	d := open(t)
	for line, want := range map[string]string{
		"incident":                  "did you mean incidents?",
		"incidents 1 2":             "expected at most 1 argument, got 2",
		"incidents --nonsense":      "unknown flag",
		"incidents --top -1":        "--top",
		"incidents -o yaml":         "expected table or json",
		"explain":                   "expected 1 argument, got 0",
		"quarantine nonsense":       "unknown command",
		"quarantine replay":         "--all",
		"quarantine replay x --all": "--all",
		"status --url nonsense":     "server address",
	} {
		if code, _, errs := d.run(line); code != cli.Misused || !strings.Contains(errs, want) || !strings.Contains(errs, "--help") {
			t.Errorf("%s: exit %d, %s", line, code, errs)
		}
	}
	for line, want := range map[string]string{
		"incidents 404":                   "No incident with id '404' was found.",
		"incidents --status nonsense":     "'nonsense' is not a member of incidentStatus",
		"explain ../../secret":            "No incident",
		"status --url http://127.0.0.1:1": "Is 'onepane serve' running?",
	} {
		if code, _, errs := d.run(line); code != cli.Failed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", line, code, errs)
		}
	}
}
