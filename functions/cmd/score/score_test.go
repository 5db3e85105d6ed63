package main

import (
	"context"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

var update = flag.Bool("update", false, "rewrite testdata/expected.json with what score.py says")

// fixture reads testdata: a small truth, a prediction and its claimed copies, made to hold every odd case.
func fixture(t *testing.T) ([]fact, prediction) {
	t.Helper()
	facts, err := readTruth("testdata/truth.tsv")
	if err != nil {
		t.Fatal(err)
	}
	p := prediction{map[string]string{}, map[string]string{}}
	for name, into := range map[string]map[string]string{"testdata/pred.tsv": p.incident, "testdata/dups.tsv": p.duplicateOf} {
		if err := eachLine(name, func(_ int, c []string) error { into[c[0]] = c[1]; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return facts, p
}

// flat names our figures as score.py does.
func flat(f figures) map[string]float64 {
	out := map[string]float64{
		"alerts": float64(f.Alerts), "true_incidents": float64(f.Attacks), "missing_in_pred": float64(f.Missing), "cross_tenant_incidents": float64(f.CrossTenant),
		"mb3_p": f.MB3P, "mb3_r": f.MB3R, "mb3_f1": f.MB3, "recovered_share": f.Recovered, "overmerged_attacks_share": f.OverMerged,
		"noise_swallowed_share": f.NoiseIn, "dup_p": f.DupP, "dup_r": f.DupR, "dup_f1": f.Dup,
	}
	for _, d := range f.Detail {
		out[d.Label+" completeness"], out[d.Label+" purity"], out[d.Label+" stages"], out[d.Label+" fragments"] = d.Completeness, d.Purity, d.Stages, float64(d.Fragments)
	}
	return out
}

func TestFiguresAreThoseOfScorePy(t *testing.T) {
	said := fromPython(t)
	if *update && said != nil {
		text, err := json.Marshal(said, json.Deterministic(true))
		if err == nil {
			err = os.WriteFile("testdata/expected.json", append(text, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	committed := map[string]float64{}
	if err := json.Unmarshal(text, &committed); err != nil {
		t.Fatal(err)
	}
	facts, p := fixture(t)
	got := flat(scorePrediction(facts, p))
	for source, want := range map[string]map[string]float64{"testdata/expected.json": committed, "score.py": said} {
		for name, w := range want {
			if g, ok := got[name]; !ok || math.Abs(g-w) > 1e-9 {
				t.Errorf("%s: %v, %s says %v", name, g, source, w)
			}
		}
	}
}

// fromPython asks score.py; nil when it or python3 is not here.
func fromPython(t *testing.T) map[string]float64 {
	script := "../../../../shared/evaluation/score.py"
	if dir := os.Getenv("ONEPANE_EVALUATION"); dir != "" {
		script = filepath.Join(dir, "score.py")
	}
	if _, err := exec.LookPath("python3"); err != nil || !fileExists(script) {
		t.Log("score.py is not here: only testdata/expected.json is compared")
		return nil
	}
	text, err := exec.Command("python3", script, "testdata/pred.tsv", "testdata/truth.tsv", "--dups", "testdata/dups.tsv", "--json", "--per-attack").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	facts, p := fixture(t)
	for name := range flat(scorePrediction(facts, p)) {
		label, field, inner := strings.Cut(name, " ")
		if v, ok := all[name].(float64); ok && !inner {
			out[name] = v
		} else if per, ok := all["per_attack"].(map[string]any)[label].(map[string]any); ok {
			out[name] = per[field].(float64)
		} else {
			t.Errorf("score.py does not tell %s", name)
		}
	}
	return out
}

func TestBoundsAreInclusive(t *testing.T) {
	for _, tt := range []struct {
		least  bool
		value  float64
		missed bool
	}{{true, 0.9, false}, {true, 0.8999, true}, {false, 0.9, false}, {false, 0.9001, true}} {
		if got := (threshold{bound: 0.9, least: tt.least}).isMissedBy(tt.value); got != tt.missed {
			t.Errorf("bound 0.9, least %v: %v missed is %v", tt.least, tt.value, got)
		}
	}
}

func TestOneScenario(t *testing.T) {
	var out strings.Builder
	t.Setenv("ONEPANE_EVALUATION", t.TempDir())
	err := runScoreboard(context.Background(), &out, settings{seeds: 1, from: 1, noise: []string{"low"}, write: t.TempDir(), perAttack: true, copies: true})
	if err != nil && !strings.HasPrefix(err.Error(), "missed: ") {
		t.Fatal(err)
	}
	for _, want := range []string{"onepane", "host and hour", "complete"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if err := runScoreboard(context.Background(), &out, settings{noise: []string{"deafening"}}); err == nil {
		t.Error("an unknown noise level is accepted")
	}
}
