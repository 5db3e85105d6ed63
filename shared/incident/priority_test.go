package incident

import (
	"strconv"
	"strings"
	"testing"

	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/query"
)

var chainOf5 = []attack.Tactic{attack.InitialAccess, attack.Execution, attack.CredentialAccess, attack.Exfiltration, attack.Impact}

func TestPriority(t *testing.T) {
	vault := Asset{Key: "resource:v", Kind: entity.Resource, Name: "payroll-kv", Value: "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/payroll-kv"}
	for _, tt := range []struct {
		name string
		i    Incident
		want string // parts with points, then the score
	}{
		{"a single high alert", Incident{Severity: alert.High, Kinds: []uint32{1}}, "severity 30 = 30"},
		{"a single critical alert", Incident{Severity: alert.Critical, Kinds: []uint32{1}}, "severity 40 = 40"},
		{"nothing is known", Incident{}, "severity 8 = 8"},
		{"an impact alone is half the way", Incident{Severity: alert.High, Tactics: chainOf5[4:]}, "severity 30, progress 11 = 41"},
		{"all the way", Incident{Severity: alert.High, Tactics: chainOf5}, "severity 30, progress 22 = 52"},
		{"three clouds, four products", Incident{Severity: alert.Low, Clouds: []entity.Cloud{"aws", "azure", "gcp"}, Products: []string{"a", "b", "c", "d"}}, "severity 8, agreement 10 = 18"},
		{"a vault", Incident{Severity: alert.Low, Assets: []Asset{vault}, AssetCount: 1}, "severity 8, critical assets 5 = 13"},
		{"a crowd of 8", Incident{Severity: alert.Low, AssetCount: 8}, "severity 8, crowd 3 = 11"},
		{"sixteen kinds", Incident{Severity: alert.Low, Kinds: make([]uint32, 16)}, "severity 8, corroboration 8 = 16"},
		{"one weakness", Incident{Severity: alert.Low, Exposures: []OpenExposure{{ID: "e", Severity: alert.Low}}}, "severity 8, exposures 1 = 9"},
		{"one grave weakness of two things", Incident{Severity: alert.Low, Exposures: []OpenExposure{{"e", "a", alert.High}, {"e", "b", alert.High}}}, "severity 8, exposures 4 = 12"},
		{"a drip, however grave", Incident{Severity: alert.High, Noise: true, Kinds: []uint32{1}}, "severity 30, background -20 = 10"},
		{"everything", Incident{
			Severity: alert.Critical, Tactics: chainOf5, Clouds: []entity.Cloud{"aws", "azure", "gcp"}, Products: []string{"a", "b", "c"},
			Assets: []Asset{vault, vault}, AssetCount: 100, Kinds: make([]uint32, 16),
			Exposures: []OpenExposure{{ID: "1", Severity: alert.High}, {ID: "2"}, {ID: "3"}, {ID: "4"}, {ID: "5"}, {ID: "6"}, {ID: "7"}},
		}, "severity 40, progress 22, agreement 10, critical assets 8, crowd 6, corroboration 8, exposures 6 = 100"},
	} {
		p := tt.i.Priority()
		var parts []string
		sum := 0
		for _, part := range p.Parts {
			parts = append(parts, part.Name+" "+itoa(part.Points))
			sum += part.Points
			if part.Why == "" || part.Most > 0 && part.Points > part.Most {
				t.Errorf("%s: part %+v", tt.name, part)
			}
		}
		if got := strings.Join(parts, ", ") + " = " + itoa(p.Score); got != tt.want || sum != p.Score {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPriorityOrdersAsANumber(t *testing.T) {
	low, high := Incident{Severity: alert.Low}, Incident{Severity: alert.Critical, Tactics: chainOf5, Kinds: make([]uint32, 16)}
	if a, b := low.Text(query.Priority), high.Text(query.Priority); a != "008" || b != "070" {
		t.Errorf("%q and %q", a, b)
	}
}

func TestTheGravestExposuresStay(t *testing.T) {
	var list Exposures
	for i := range 20 {
		severity := alert.Low
		if i%5 == 0 {
			severity = alert.High
		}
		list = list.With(OpenExposure{ID: itoa(i), Severity: severity}, 6)
	}
	ids := ""
	for _, x := range list {
		ids += x.ID + " "
	}
	if ids != "0 5 10 15 1 2 " {
		t.Errorf("kept %s", ids)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
