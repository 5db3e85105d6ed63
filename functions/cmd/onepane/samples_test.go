package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/functions/ingest/ingesttest"
)

// TestSamples posts every sample payload to a real server with an empty store, and looks for every fact it states in
// what the API shows. It skips, saying so, where there are no samples.
func TestSamples(t *testing.T) {
	passed, total := 0, 0
	for file, want := range ingesttest.LoadSamples(t, "aws", "azure", "gcp", "external") {
		total++
		if t.Run(file, func(t *testing.T) { sample(t, file, want) }) {
			passed++
		}
	}
	t.Logf("sample files passed/total: %d/%d", passed, total)
}

// contradicted are files that are stated to be alerts while a file of the same bytes is stated to be posture
// (gcp/scc/sra_iamscanner_nonorgmemberfinding.json): all three are shown as exposures.
var contradicted = []string{"gcp/scc/non_org_iam_member.json", "gcp/scc/non_org_iam_member_marked.json"}

func sample(t *testing.T, file string, want ingesttest.Expected) {
	if slices.Contains(contradicted, file) {
		t.Logf("stated kind %s contradicts its twin's: held to be posture", want.Kind)
		want.Kind = "posture"
	}
	body, err := os.ReadFile(filepath.Join(ingesttest.SampleDir(), file))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, t.TempDir())
	defer s.kill()
	if want.BaseFile != "" && (want.SameAsBase || want.CrossPostOf != "") {
		base, err := os.ReadFile(filepath.Join(ingesttest.SampleDir(), want.BaseFile))
		if err != nil {
			t.Fatal(err)
		}
		s.deliver(routeOf(want.BaseFile), base)
		defer func() {
			if alerts := s.all("/v1.0/security/alerts_v2"); len(alerts) != 1 {
				t.Errorf("%d alerts after %s and this file, want the same one", len(alerts), want.BaseFile)
			}
		}()
	}
	status, answer, err := post(s.base, routeOf(file), body, true)
	if err != nil {
		t.Fatal(err)
	}
	var receipt ingest.Receipt
	if status == http.StatusAccepted {
		if err := json.Unmarshal(answer, &receipt); err != nil {
			t.Fatal(err)
		}
	}
	shown := append(s.all("/v1.0/security/alerts_v2?$top=1000"), s.all("/api/v1/exposures?$top=1000")...)
	switch {
	case want.Expect == "reject":
		if status/100 != 4 && len(receipt.Rejected) == 0 || len(shown) > 0 {
			t.Errorf("must be rejected: %d %s, %d shown", status, answer, len(shown))
		}
	case want.Expect != "" || want.MustNotCreate || want.Kind == "control":
		if status != http.StatusAccepted || len(s.all("/v1.0/security/alerts_v2")) > 0 || len(receipt.Ignored) == 0 {
			t.Errorf("must be ignored: %d %s", status, answer)
		}
	case status != http.StatusAccepted || len(receipt.Rejected) > 0:
		t.Errorf("%d %s", status, answer)
	default:
		checkShown(t, file, want, shown)
	}
}

func routeOf(file string) string {
	route, _, _ := strings.Cut(file, "/")
	if route == "external" {
		return "webhook"
	}
	return route
}

// checkShown finds every expected item among what the API shows.
func checkShown(t *testing.T, file string, want ingesttest.Expected, shown []map[string]any) {
	t.Helper()
	items := want.Items
	if items == nil && (want.NativeID != "" || want.Title != "") {
		items = []ingesttest.Expected{want}
	}
	for _, item := range items {
		best := []string{"nothing is shown"}
		for i, doc := range shown {
			if wrong := missingFacts(want.Kind, item, doc); i == 0 || len(wrong) < len(best) {
				best = wrong
			}
		}
		if len(best) > 0 {
			t.Errorf("%q of %s: %s", item.Title, file, strings.Join(best, "; "))
		}
	}
	if want.DistinctAlerts > 0 && len(shown) != want.DistinctAlerts {
		t.Errorf("%d shown, want %d", len(shown), want.DistinctAlerts)
	}
}

// missingFacts lists what item states and doc, as the API shows it, does not.
func missingFacts(kind string, item ingesttest.Expected, doc map[string]any) (wrong []string) {
	var all []string
	flatten(doc, &all)
	has := func(name, want string, match func(have, want string) bool) {
		if want != "" && !slices.ContainsFunc(all, func(have string) bool { return match(have, want) }) {
			wrong = append(wrong, fmt.Sprintf("%s %q", name, want))
		}
	}
	within := func(have, want string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(want)) }
	for name, v := range map[string]string{
		"native_id": string(item.NativeID), "native_arn": item.NativeARN, "type": item.Type, "account": item.Account, "region": item.Region,
		"status": item.Status, "title": strings.TrimSpace(item.Title), "vendor_original_id": item.VendorOriginalID, "provider_alert_id": item.ProviderAlertID,
	} {
		has(name, v, within)
	}
	if item.SeverityNative != nil {
		has("severity_native", strings.TrimSpace(fmt.Sprint(item.SeverityNative)), within)
	}
	if item.Count != 0 {
		has("count", fmt.Sprint(item.Count), func(have, want string) bool { return have == want })
	}
	if _, exposure := doc["firstSeen"]; kind == "posture" && !exposure || kind == "alert" && exposure {
		wrong = append(wrong, "it is shown as the other of alert and exposure")
	}
	if c, _ := doc["categories"].([]any); len(item.Tactics) > 0 && len(c) == 0 {
		wrong = append(wrong, fmt.Sprintf("tactics %q", item.Tactics))
	}
	if kind != "edge" && item.Severity != "" && doc["severity"] != item.Severity && !(kind == "posture" && doc["severity"] == item.SeverityExt) {
		wrong = append(wrong, fmt.Sprintf("severity %v, want %s", doc["severity"], item.Severity))
	}
	for name, list := range map[string][]string{"resource": item.Resources, "ip": item.IPs, "user": item.Users, "host": item.Hosts, "hash": item.Hashes, "domain": item.Domains, "technique": item.Techniques} {
		for _, v := range list {
			if v != "0.0.0.0" && !strings.HasPrefix(v, "1337.") {
				has(name, v, within)
			}
		}
	}
	if len(item.AccountAny) > 0 && !slices.ContainsFunc(item.AccountAny, func(a string) bool {
		return slices.ContainsFunc(all, func(have string) bool { return within(have, a) })
	}) {
		wrong = append(wrong, fmt.Sprintf("account_any %q", item.AccountAny))
	}
	first, last := "firstActivityDateTime", "lastActivityDateTime"
	if _, exposure := doc["firstSeen"]; exposure {
		first, last = "firstSeen", "lastSeen"
	}
	return append(append(wrong, moment(doc, first, item.FirstTime)...), moment(doc, last, item.LastTime)...)
}

// moment compares instants to the millisecond.
func moment(doc map[string]any, field string, want any) []string {
	if want == nil || want == "" {
		return nil
	}
	var w time.Time
	if f, ok := want.(float64); ok {
		w = ingest.EpochTime(f)
	} else {
		var err error
		if w, err = ingest.ParseTime(fmt.Sprint(want)); err != nil {
			return []string{err.Error()}
		}
	}
	have, err := ingest.ParseTime(fmt.Sprint(doc[field]))
	if d := w.Sub(have); err != nil || d > time.Millisecond || d < -time.Millisecond {
		return []string{fmt.Sprintf("%s %v, want %v", field, doc[field], w)}
	}
	return nil
}

// flatten collects every text and number in a document.
func flatten(v any, out *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for _, m := range v {
			flatten(m, out)
		}
	case []any:
		for _, m := range v {
			flatten(m, out)
		}
	case nil:
	default:
		*out = append(*out, fmt.Sprint(v))
	}
}
