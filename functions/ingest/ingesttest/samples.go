package ingesttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/cloudevent"
)

// Expected are the facts a sample payload states, as ../shared/samples/expected.json lists them.
type Expected struct {
	Kind             string      `json:"kind"`
	Product          string      `json:"product"`
	Items            []Expected  `json:"items"`
	Expect           string      `json:"expect"`
	MustNotCreate    bool        `json:"must_not_create_alert"`
	NativeID         ingest.Text `json:"native_id"` // Lacework numbers its alerts
	NativeARN        string      `json:"native_arn"`
	Title            string      `json:"title"`
	Type             string      `json:"type"`
	Severity         string      `json:"severity"`
	SeverityExt      string      `json:"severity_ext"`
	SeverityNative   any         `json:"severity_native"`
	FirstTime        any         `json:"first_time"`
	LastTime         any         `json:"last_time"`
	UpdatedTime      any         `json:"updated_time"`
	Count            float64     `json:"count"`
	Account          string      `json:"account"`
	AccountAny       []string    `json:"account_any"`
	Region           string      `json:"region"`
	Status           string      `json:"status"`
	Tenant           string      `json:"tenant"`
	Resources        []string    `json:"resources"`
	ResourceCount    int         `json:"resource_count"`
	IPs              []string    `json:"ips"`
	Users            []string    `json:"users"`
	Hosts            []string    `json:"hosts"`
	Hashes           []string    `json:"hashes"`
	Domains          []string    `json:"domains"`
	Tactics          []string    `json:"tactics"`
	Techniques       []string    `json:"techniques"`
	CrossPostOf      string      `json:"cross_post_of"`
	VendorOriginalID string      `json:"vendor_original_id"`
	ProviderAlertID  string      `json:"provider_alert_id"`
	BaseFile         string      `json:"base_file"`
	SameAsBase       bool        `json:"same_alert_as_base"`
	DistinctAlerts   int         `json:"distinct_alerts"`
}

// SampleDir is where the sample payloads lie: $ONEPANE_SAMPLES, else ../shared/samples beside the repository.
func SampleDir() string {
	if dir := os.Getenv("ONEPANE_SAMPLES"); dir != "" {
		return dir
	}
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "..", "shared", "samples")
}

// LoadSamples returns the expected facts by file, for files under the given folders ("aws", "gcp/scc"). It skips the
// test, saying so, when there are no samples here.
func LoadSamples(t *testing.T, folders ...string) map[string]Expected {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(SampleDir(), "expected.json"))
	if err != nil {
		t.Skipf("SKIPPED: no sample payloads here (%v); set ONEPANE_SAMPLES to their folder", err)
	}
	all := map[string]Expected{}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for file := range all {
		if !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(file, f+"/") }) {
			delete(all, file)
		}
	}
	return all
}

// RunSamples reads the sample payloads under the given folders through one route and checks every fact they state.
func RunSamples(t *testing.T, envelope ingest.Envelope, providers []ingest.Provider, folders ...string) {
	passed, total := 0, 0
	for file, want := range LoadSamples(t, folders...) {
		total++
		ok := t.Run(file, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(SampleDir(), file))
			if err != nil {
				t.Fatal(err)
			}
			fn := &ingest.Function{Envelope: envelope, Providers: providers, Tenants: anyTenant{}, Quarantine: discard{}, Alerts: discard{}}
			got, receipt, err := fn.Read(ingest.Delivery{Body: body, Received: time.Now()})
			CheckSample(t, want, got, receipt, err)
		})
		if ok {
			passed++
		}
	}
	t.Logf("sample files passed/total: %d/%d", passed, total)
}

// CheckSample holds what came of one file against the facts it states.
func CheckSample(t *testing.T, want Expected, got []alert.Alert, receipt ingest.Receipt, err error) {
	t.Helper()
	switch {
	case want.Expect == "reject":
		if len(got) > 0 || err == nil && len(receipt.Rejected) == 0 {
			t.Errorf("must be rejected, got %d alerts, receipt %+v", len(got), receipt)
		}
		return
	case want.Expect != "" || want.MustNotCreate || want.Kind == "control":
		if len(got) > 0 || err != nil || len(receipt.Rejected) > 0 {
			t.Errorf("must be ignored, got %d alerts, error %v, receipt %+v", len(got), err, receipt)
		}
		return
	}
	if err != nil || len(receipt.Rejected) > 0 {
		t.Fatalf("error %v, rejected %+v", err, receipt.Rejected)
	}
	items := want.Items
	if items == nil && (want.NativeID != "" || want.Title != "") {
		items = []Expected{want}
	}
	for _, item := range items {
		checkItem(t, want.Kind, item, got)
	}
	if want.Items != nil && len(want.Items) == 0 && len(got) > 0 {
		t.Errorf("%d alerts of an empty page", len(got))
	}
}

// checkItem finds the alert of one expected item and compares every stated fact.
func checkItem(t *testing.T, kind string, want Expected, got []alert.Alert) {
	t.Helper()
	var best []string
	for i, a := range got {
		wrong := differencesOf(kind, want, a)
		if len(wrong) == 0 {
			return
		}
		if i == 0 || len(wrong) < len(best) {
			best = wrong
		}
	}
	t.Errorf("no alert of %d shows all facts of %q; the closest differs in: %s", len(got), want.Title, strings.Join(best, "; "))
}

func differencesOf(kind string, want Expected, a alert.Alert) []string {
	var wrong []string
	is := func(name, want string, any ...string) {
		if want != "" && !slices.Contains(any, want) {
			wrong = append(wrong, fmt.Sprintf("%s: want %q, have %q", name, want, any))
		}
	}
	ids := append([]string{a.ReportID, a.Origin.ID}, a.CarriedIDs...)
	is("native_id", string(want.NativeID), ids...)
	is("native_arn", want.NativeARN, ids...)
	is("vendor_original_id", want.VendorOriginalID, ids...)
	is("provider_alert_id", want.ProviderAlertID, ids...)
	if want.CrossPostOf != "" && !slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, want.CrossPostOf) }) {
		wrong = append(wrong, "cross_post_of "+want.CrossPostOf)
	}
	if !strings.HasPrefix(strings.TrimSpace(a.Title), strings.TrimSpace(want.Title)) {
		is("title", want.Title, a.Title)
	}
	is("type", want.Type, a.Type)
	is("severity", want.Severity, string(a.Severity.Graph()))
	is("severity_ext", want.SeverityExt, string(a.Severity))
	if want.SeverityNative != nil {
		is("severity_native", strings.TrimSpace(fmt.Sprint(want.SeverityNative)), strings.TrimSpace(a.NativeSeverity))
	}
	is("status", want.Status, a.NativeStatus)
	is("account", want.Account, a.Account.ID, a.Account.Name)
	if len(want.AccountAny) > 0 && !slices.Contains(want.AccountAny, a.Account.ID) && !slices.Contains(want.AccountAny, a.Account.Name) {
		wrong = append(wrong, fmt.Sprintf("account_any: %q", a.Account))
	}
	is("region", want.Region, a.Account.Region)
	if !ingest.IsPlaceholder(want.Tenant) && a.Account.Organization != want.Tenant && a.Account.ID != want.Tenant {
		wrong = append(wrong, fmt.Sprintf("tenant hint: want %q, have organization %q", want.Tenant, a.Account.Organization))
	}
	if want.Count != 0 && float64(a.Count) != want.Count {
		wrong = append(wrong, fmt.Sprintf("count: want %v, have %d", want.Count, a.Count))
	}
	wrong = append(wrong, compareTime("first_time", want.FirstTime, a.First)...)
	wrong = append(wrong, compareTime("last_time", want.LastTime, a.Last)...)
	wrong = append(wrong, compareTime("updated_time", want.UpdatedTime, a.Updated)...)
	names := evidenceNames(a)
	for _, list := range []struct {
		name string
		want []string
	}{{"resources", want.Resources}, {"ips", want.IPs}, {"users", want.Users}, {"hosts", want.Hosts}, {"hashes", want.Hashes}, {"domains", want.Domains}} {
		for _, w := range list.want {
			if w == "0.0.0.0" || strings.HasPrefix(w, "1337.") {
				continue
			}
			if !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(strings.ToLower(n), strings.ToLower(w)) }) {
				wrong = append(wrong, fmt.Sprintf("%s: %q not in evidence", list.name, w))
			}
		}
	}
	if want.ResourceCount > 0 && len(a.Evidence) < want.ResourceCount {
		wrong = append(wrong, fmt.Sprintf("%d evidence of %d resources", len(a.Evidence), want.ResourceCount))
	}
	if want.Techniques != nil && !isSubset(want.Techniques, a.Techniques) {
		wrong = append(wrong, fmt.Sprintf("techniques: want %q, have %q", want.Techniques, a.Techniques))
	}
	if len(want.Tactics) > 0 && len(a.Tactics) == 0 {
		wrong = append(wrong, fmt.Sprintf("tactics: want %q, have none", want.Tactics))
	}
	switch kind {
	case "posture":
		is("class", "exposure", string(a.Class))
	case "alert":
		is("class", "threat", map[alert.Class]string{alert.Threat: "threat", alert.EvidenceOnly: "threat"}[a.Class])
	}
	return wrong
}

func isSubset(want, have []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

func compareTime(name string, want any, have time.Time) []string {
	if want == nil || want == "" {
		return nil
	}
	var w time.Time
	switch v := want.(type) {
	case float64:
		w = ingest.EpochTime(v)
	default:
		var err error
		if w, err = ingest.ParseTime(fmt.Sprint(v)); err != nil {
			return []string{name + ": " + err.Error()}
		}
	}
	if d := w.Sub(have); d > time.Millisecond || d < -time.Millisecond {
		return []string{fmt.Sprintf("%s: want %v, have %v", name, w, have)}
	}
	return nil
}

// evidenceNames is every name any evidence of a has.
func evidenceNames(a alert.Alert) []string {
	var out []string
	for _, e := range a.Evidence {
		out = append(out, e.Value, e.Name)
		for _, al := range e.Aliases {
			out = append(out, al.Value)
		}
		for _, v := range e.Attributes {
			out = append(out, v)
		}
		if d := e.Attributes["domain"]; d != "" {
			out = append(out, d+`\`+e.Value)
		}
	}
	return out
}

type anyTenant struct{}

func (anyTenant) Tenant(_ alert.Account, claim string) (string, error) {
	if claim == "" {
		claim = "default"
	}
	return claim, nil
}

type discard struct{}

func (discard) Publish(context.Context, ...cloudevent.Event) error { return nil }
