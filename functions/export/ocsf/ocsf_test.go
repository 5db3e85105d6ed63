package ocsf

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/exporttest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

// rows are those of a small world, and one alert with every kind of evidence.
func rows(t *testing.T) []export.Row {
	w := exporttest.NewWorld(t)
	w.Report(0, 30)
	out := w.Rows(t)
	a := exporttest.Alert(1)
	a.Recommendation, a.NativeSeverity, a.Account = "Rotate the key.", "8.9", alert.Account{}
	for _, k := range []entity.Kind{
		entity.Host, entity.IP, entity.User, entity.Resource, entity.FileHash, entity.File, entity.Process, entity.URL, entity.Domain, entity.Session,
		entity.Mailbox, entity.Container, entity.Image, entity.Pod, entity.Cluster, entity.App, entity.RegistryKey, entity.Other,
	} {
		a.Evidence = append(a.Evidence, alert.Evidence{Entity: entity.Entity{Kind: k, Value: "value"}, Role: alert.Attacker})
	}
	for _, class := range []string{"", "truePositive", "falsePositive", "informationalExpectedActivity"} {
		work := incident.Work{Classification: class, Determination: "malware", AssignedTo: "ana@example.com", Comments: []incident.Comment{{Text: "seen"}}}
		r, err := export.OfAlert("contoso", incident.AlertRecord{Alert: a, Status: alert.StatusResolved, Work: work, Created: exporttest.Begin, Updated: exporttest.Begin.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	for _, s := range []incident.Status{incident.Active, incident.InProgress, incident.Resolved, incident.Redirected} {
		r, err := export.OfIncident("contoso", incident.Incident{ID: "10001", Name: "x", Status: s, Severity: alert.Critical, RedirectTo: "20001", Created: exporttest.Begin, Updated: exporttest.Begin})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestFacts holds events against what OCSF says that a schema does not: types follow activities, captions follow ids,
// times are milliseconds, observables repeat what is in their place.
func TestFacts(t *testing.T) {
	for _, r := range rows(t) {
		data, err := Encoder{PortalURL: "https://onepane.example"}.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		var v Event
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		class := 2004
		if r.Incident != nil {
			class = 2005
		}
		switch {
		case v.ClassUID != class, v.TypeUID != class*100+v.ActivityID, v.CategoryUID != 2:
			t.Errorf("class %d, type %d, activity %d", v.ClassUID, v.TypeUID, v.ActivityID)
		case v.Severity != severity[v.SeverityID], v.Status != statuses[v.StatusID], v.StatusID == 0, v.ActivityName != activities[v.ActivityID]:
			t.Errorf("captions: %s", data)
		case v.Time != r.Created.UnixMilli(), v.Metadata.UID != r.ID, v.Metadata.Version != "1.6.0", v.Metadata.TenantUID != r.Tenant:
			t.Errorf("metadata: %s", data)
		case class == 2004 && (v.FindingInfo == nil || v.FindingInfo.UID == "" || v.FindingInfo.Title == ""):
			t.Errorf("no finding: %s", data)
		case class == 2005 && (len(v.Findings) == 0 || v.Assignee == nil && v.AssigneeGroup == nil):
			t.Errorf("no findings, or nobody's: %s", data)
		case slices.Contains(v.Metadata.Profiles, "cloud") != (v.Cloud != nil):
			t.Errorf("profile and cloud differ: %s", data)
		case bytes.Contains(data, []byte(`":""`)):
			t.Errorf("an empty text: %s", data)
		}
		for _, o := range v.Observables {
			if o.Value == "" || !strings.Contains(o.Name, "].") || o.TypeID == 0 {
				t.Errorf("observable %+v", o)
			}
		}
		if len(v.Observables) != len(v.Evidences)+len(v.Resources) {
			t.Errorf("%d observables of %d evidences and %d resources", len(v.Observables), len(v.Evidences), len(v.Resources))
		}
	}
}

func TestActivityFollowsTheLife(t *testing.T) {
	at := exporttest.Begin
	for _, tt := range []struct {
		updated time.Time
		status  alert.Status
		want    int
	}{{at, alert.StatusNew, 200401}, {at.Add(1), alert.StatusNew, 200402}, {at.Add(1), alert.StatusResolved, 200403}} {
		r, _ := export.OfAlert("t", incident.AlertRecord{Created: at, Updated: tt.updated, Status: tt.status})
		if got := (Encoder{}).Event(r).TypeUID; got != tt.want {
			t.Errorf("%s: %d, want %d", tt.status, got, tt.want)
		}
	}
}

// TestSchemas validates against the published schemas, in the directory that ONEPANE_OCSF_SCHEMAS names:
// detection-finding-VERSION.schema.json and incident-finding-VERSION.schema.json.
func TestSchemas(t *testing.T) {
	dir := os.Getenv("ONEPANE_OCSF_SCHEMAS")
	if dir == "" {
		t.Skip("ONEPANE_OCSF_SCHEMAS names no directory of OCSF's JSON schemas; TestFacts holds events against our own facts")
	}
	for _, version := range []string{V15, V16, V18} {
		schemas := map[bool]*jsonschema.Schema{}
		for isIncident, name := range map[bool]string{false: "detection", true: "incident"} {
			s, err := jsonschema.NewCompiler().Compile(dir + "/" + name + "-finding-" + version + ".schema.json")
			if err != nil {
				t.Fatal(err)
			}
			schemas[isIncident] = s
		}
		for _, r := range rows(t) {
			data, err := Encoder{Version: version, PortalURL: "https://onepane.example"}.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := schemas[r.Incident != nil].Validate(v); err != nil {
				t.Fatalf("%s: %v\n%s", version, err, data)
			}
		}
	}
}
