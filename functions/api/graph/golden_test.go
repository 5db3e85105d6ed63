package graph

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/incident"
)

var update = flag.Bool("update", false, "rewrite goldens")

func evidenceWith(k entity.Kind, value string, role alert.Role, attrs ...string) alert.Evidence {
	e := alert.Evidence{Entity: entity.Entity{Kind: k, Value: value}, Role: role}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Entity = e.WithAttr(attrs[i], attrs[i+1])
	}
	return e
}

func withName(e alert.Evidence, name string, aliases ...entity.Alias) alert.Evidence {
	e.Name = name
	for _, a := range aliases {
		e.Entity = e.WithAlias(a.Kind, a.Value)
	}
	return e
}

// recordedAlerts are one alert of each cloud and one of a custom sender, between them with every kind of evidence.
func recordedAlerts() map[string]incident.AlertRecord {
	azure := alertRecord("contoso", 1)
	azure.Alert.Origin = alert.Origin{Provider: "defender-for-cloud", ID: "2518-aaaa"}
	azure.Alert.Reporter, azure.Alert.ReportID, azure.Alert.Product = "sentinel", "sentinel-77", "Microsoft Defender for Cloud"
	azure.Alert.Severity, azure.Alert.NativeSeverity, azure.Alert.NativeStatus = alert.High, "High", "Active"
	azure.Alert.Account = alert.Account{Cloud: entity.Azure, ID: "6b1ceacd-0000-4000-8000-000000000001", Organization: "72f988bf-0000-4000-8000-000000000001", Region: "westeurope"}
	azure.Alert.Tactics = []attack.Tactic{attack.Execution, attack.Impact}
	azure.Alert.Techniques = []string{"T1496"}
	azure.Alert.Extra = map[string]string{"actor": "Storm-1283", "malwareFamily": "XMRig", "alert Id": "x", "cloud": "Azure Public"}
	azure.Alert.Sightings = []alert.Sighting{{Reporter: "defender-for-cloud", ReportID: "2518-aaaa", AlertID: "dc1", Updated: day}, {Reporter: "sentinel", ReportID: "sentinel-77", AlertID: "sn1", Title: "Miner", Updated: day, Rule: "carried id"}}
	azure.Alert.CarriedIDs = []string{"/subscriptions/6b1c/providers/Microsoft.Security/alerts/2518-aaaa"}
	azure.Alert.URL, azure.Alert.Description, azure.Alert.Recommendation = "https://portal.azure.com/#a", "A miner runs.", "1. Isolate\n2. Reimage"
	azure.Reasons = []incident.Reason{{Rule: "shared entity", Alert: "gd1", Entity: "machine:x", Name: "web-03", Weight: 0.9, Gap: 90 * time.Second}}
	azure.Work = incident.Work{Classification: "truePositive", Determination: "malware", AssignedTo: "dora@contoso.example",
		Comments: []incident.Comment{{Text: "mine", By: "dora", Created: day}}}
	azure.Status, azure.Resolved = alert.StatusResolved, day.Add(time.Hour)
	vm := "/subscriptions/6b1ceacd-0000-4000-8000-000000000001/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/web-03"
	azure.Alert.Evidence = []alert.Evidence{
		withName(evidenceWith(entity.Resource, vm, alert.Victim, entity.AttrVMID, "11111111-2222-4333-8444-555555555555", entity.AttrOS, "Linux"), "",
			entity.Alias{Kind: entity.Host, Value: "web-03.contoso.example"}, entity.Alias{Kind: entity.IP, Value: "10.0.0.4"}, entity.Alias{Kind: entity.IP, Value: "198.51.100.4"}),
		evidenceWith(entity.Host, "fin-lt057", alert.Victim, entity.AttrDeviceID, "d1", entity.AttrDomain, "CONTOSO", entity.AttrResourceID, strings.Replace(vm, "web-03", "fin-lt057", 1)),
		evidenceWith(entity.Resource, strings.Replace(vm, "Microsoft.Compute/virtualMachines/web-03", "Microsoft.Storage/storageAccounts/acc/blobServices/default/containers/logs", 1), alert.Context),
		withName(evidenceWith(entity.User, `CONTOSO\dora`, alert.Context, entity.AttrUPN, "dora@contoso.example", entity.AttrObjectID, "oid-1", entity.AttrSID, "S-1-5-21-1"), "Dora"),
		evidenceWith(entity.Process, `C:\Temp\xmrig.exe`, alert.Attacker, entity.AttrPID, "0x1a4", entity.AttrCommandLine, "xmrig.exe -o pool", entity.AttrParentName, `C:\Windows\cmd.exe`, entity.AttrParentPID, "88"),
		evidenceWith(entity.FileHash, strings.Repeat("ab", 32), alert.Attacker),
		evidenceWith(entity.File, "/tmp/xmrig", alert.Attacker, entity.AttrSHA1, strings.Repeat("cd", 20), entity.AttrSize, "4096"),
		evidenceWith(entity.RegistryKey, `HKEY_LOCAL_MACHINE\Software\Run`, alert.Context, entity.AttrData, "xmrig"),
		evidenceWith(entity.Mailbox, "dora@contoso.example", alert.Context),
		evidenceWith(entity.App, "00000002-1111-4222-8333-000000000000", alert.Context),
	}
	aws := alertRecord("contoso", 2)
	aws.Alert.Severity, aws.Alert.NativeSeverity, aws.Alert.Count, aws.Alert.Sample = alert.Critical, "9.1", 12, true
	aws.Alert.Members, aws.Alert.CorrelationKey = []string{"finding-7", "finding-8"}, "seq-1"
	aws.Alert.Account.Region, aws.Alert.Account.Name = "eu-west-1", "prod"
	aws.Alert.Evidence = []alert.Evidence{
		withName(evidenceWith(entity.Resource, "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc0abc", alert.Victim, entity.AttrType, "AwsEc2Instance"), "web", entity.Alias{Kind: entity.IP, Value: "10.0.0.9"}),
		evidenceWith(entity.Resource, "arn:aws:s3:::finance-data", alert.Victim),
		evidenceWith(entity.IP, "198.51.100.7", alert.Attacker, entity.AttrCountry, "Norland", entity.AttrCity, "Northtown", entity.AttrASN, "64500", entity.AttrPort, "443"),
		evidenceWith(entity.User, "arn:aws:sts::111122223333:assumed-role/ops/dora", alert.Attacker, entity.AttrAccessKey, "ASIAEXAMPLE", entity.AttrUserType, "AssumedRole"),
		evidenceWith(entity.Session, "sess-1", alert.Context),
		evidenceWith(entity.Cluster, "arn:aws:eks:eu-west-1:111122223333:cluster/prod", alert.Victim),
		withName(evidenceWith(entity.Container, "cid1", alert.Victim, entity.AttrImage, "registry.example/app:1"), "app", entity.Alias{Kind: entity.Pod, Value: "default/app-1"}),
	}
	gcp := alertRecord("contoso", 3)
	gcp.Alert.Account = alert.Account{Cloud: entity.Google, ID: "proj-1", Organization: "organizations/42", Name: "123456789012"}
	gcp.Alert.Tactics = nil
	gcp.Alert.Evidence = []alert.Evidence{
		evidenceWith(entity.Resource, "//compute.googleapis.com/projects/proj-1/zones/europe-west1-b/instances/db-1", alert.Victim, entity.AttrVMID, "998877"),
		evidenceWith(entity.Pod, "payments/api-1", alert.Victim, entity.AttrCluster, "//container.googleapis.com/projects/proj-1/locations/europe-west1/clusters/c1"),
		evidenceWith(entity.Image, "europe-docker.pkg.dev/proj-1/app@sha256:00", alert.Context),
		evidenceWith(entity.Domain, "pool.example", alert.Attacker),
		evidenceWith(entity.URL, "https://pool.example/x", alert.Attacker),
		evidenceWith(entity.User, "serviceAccount:ci@proj-1.iam.gserviceaccount.com", alert.Context),
	}
	custom := alertRecord("contoso", 4)
	custom.Alert.Account = alert.Account{}
	custom.Alert.Extra = map[string]string{"category": "Policy Violation"}
	custom.Alert.Tactics = nil
	custom.Alert.Evidence = []alert.Evidence{
		evidenceWith(entity.Other, "badge-17", alert.Context, entity.AttrKind, "badge"),
		evidenceWith(entity.Resource, "rack-9", alert.Victim),
		evidenceWith(entity.App, "Slack", alert.Context),
	}
	return map[string]incident.AlertRecord{"azure": azure, "aws": aws, "gcp": gcp, "custom": custom}
}

var viewAll = View{PortalURL: "https://onepane.example", AllEnumMembers: true}

func TestAlertGoldens(t *testing.T) {
	for name, m := range recordedAlerts() {
		got, err := json.Marshal(viewAll.Alert(m), Encoding, jsontext.WithIndent("  "))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "alert-"+name+".json")
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(want)) != string(got) {
			t.Errorf("%s differs:\n%s", path, got)
		}
	}
}

// TestNoFactIsLost looks for every text of an alert in what the API shows of it.
func TestNoFactIsLost(t *testing.T) {
	for name, m := range recordedAlerts() {
		b, err := json.Marshal(viewAll.Alert(m), Encoding)
		if err != nil {
			t.Fatal(err)
		}
		shown := jsonTexts(t, b)
		in, err := json.Marshal(m.Alert, Encoding)
		if err != nil {
			t.Fatal(err)
		}
		for _, fact := range jsonTexts(t, in) {
			if !isShown(shown, fact) {
				t.Errorf("%s: %q is nowhere in the answer", name, fact)
			}
		}
	}
}

func isShown(shown []string, fact string) bool {
	if roleOf := graphRoles[alert.Role(fact)]; roleOf != "" || entity.ParseKind(fact) != entity.Other || fact == "other" {
		return true // said by the evidence's type and roles
	}
	if _, name, ok := strings.Cut(fact, `\`); ok && !strings.Contains(name, `\`) {
		fact = name // split into domain and name
	}
	for _, s := range shown {
		if strings.Contains(s, fact) || fact == "0x1a4" && s == "420" {
			return true
		}
	}
	return false
}

// jsonTexts are all strings and numbers in a JSON value.
func jsonTexts(t *testing.T, b []byte) []string {
	var out []string
	dec := jsontext.NewDecoder(strings.NewReader(string(b)))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return out
		}
		if k, n := dec.StackIndex(dec.StackDepth()); (tok.Kind() == '"' || tok.Kind() == '0') && !(k == '{' && n%2 == 1) {
			out = append(out, tok.String())
		}
	}
}

// day is when everything begins.
var day = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// alertRecord is alert n of a tenant, n minutes into the day, in incident 10001.
func alertRecord(tenant string, n int) incident.AlertRecord {
	at := day.Add(time.Duration(n) * time.Minute)
	origin := alert.Origin{Provider: "guardduty", ID: fmt.Sprintf("finding-%d", n)}
	return incident.AlertRecord{
		Alert: alert.Alert{
			ID: alert.MakeID(tenant, origin), Tenant: tenant, Origin: origin, Reporter: "guardduty", ReportID: origin.ID,
			Product: "Amazon GuardDuty", Type: "Recon:EC2/PortProbeUnprotectedPort", Title: fmt.Sprintf("Alert %d", n),
			Severity: alert.Medium, Status: alert.StatusNew, First: at, Last: at, Updated: at,
			Tactics: []attack.Tactic{attack.Discovery}, Account: alert.Account{Cloud: entity.Amazon, ID: "111122223333"},
		},
		Incident: "10001", Status: alert.StatusNew, Created: at, Updated: at,
	}
}
