package guardduty

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/attack"
	"github.com/onepane/onepane/shared/fault"
)

func TestSeverity(t *testing.T) {
	for _, tt := range []struct {
		raw    string
		want   alert.Severity
		native string
	}{
		{`9.0`, alert.Critical, "9"}, {`8.9`, alert.High, "8.9"}, {`7`, alert.High, "7"}, {`6.9`, alert.Medium, "6.9"},
		{`4`, alert.Medium, "4"}, {`3.9`, alert.Low, "3.9"}, {`1`, alert.Low, "1"}, {`0.5`, alert.Informational, "0.5"},
		{`"8"`, alert.High, "8"}, {`"8.0"`, alert.High, "8"}, {`"High"`, alert.High, "High"}, {`"purple"`, alert.Unknown, "purple"},
		{`null`, alert.Unknown, ""}, {``, alert.Unknown, ""}, {`""`, alert.Unknown, ""},
	} {
		got, native, err := parseSeverity(jsontext.Value(tt.raw))
		if got != tt.want || native != tt.native || err != nil {
			t.Errorf("severity(%s) = %v %q %v, want %v %q", tt.raw, got, native, err, tt.want, tt.native)
		}
	}
	if _, _, err := parseSeverity(jsontext.Value(`{"a":1}`)); fault.Of(err) != fault.Invalid {
		t.Errorf("an object as severity: %v, want invalid", err)
	}
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		kind, role    string
		asset, remote alert.Role
	}{
		{"Recon:EC2/PortProbeUnprotectedPort", "TARGET", alert.Victim, alert.Attacker},
		{"UnauthorizedAccess:EC2/SSHBruteForce", "TARGET", alert.Victim, alert.Attacker},
		{"UnauthorizedAccess:EC2/SSHBruteForce", "ACTOR", alert.Attacker, alert.Victim},
		{"Backdoor:EC2/DenialOfService.Udp", "ACTOR", alert.Attacker, alert.Victim},
		{"Backdoor:EC2/C&CActivity.B", "ACTOR", alert.Victim, alert.Attacker},
		{"Trojan:EC2/DropPoint", "", alert.Victim, alert.Attacker},
	} {
		if asset, remote := rolesOf(tt.kind, tt.role); asset != tt.asset || remote != tt.remote {
			t.Errorf("roles(%s, %s) = %s, %s; want %s, %s", tt.kind, tt.role, asset, remote, tt.asset, tt.remote)
		}
	}
}

// TestSequenceInWords: deliveries that leave the sequence itself out still tell it in their description.
func TestSequenceInWords(t *testing.T) {
	raw := `{"id":"1","accountId":"111122223333","type":"AttackSequence:S3/CompromisedData","description":"Seen:\n  - 2 MITRE ATT&CK tactics observed: Exfiltration, Defense Evasion\n  - 1 MITRE ATT&CK techniques observed: T1078.004 - Valid Accounts\n"}`
	a, err := Provider{}.Normalize(ingest.NewRecord(jsontext.Value(raw), nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := []attack.Tactic{attack.DefenseEvasion, attack.Exfiltration}; !slices.Equal(a.Tactics, want) {
		t.Errorf("tactics %v, want %v", a.Tactics, want)
	}
	if want := []string{"T1078.004"}; !slices.Equal(a.Techniques, want) {
		t.Errorf("techniques %v, want %v", a.Techniques, want)
	}
}

func TestRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`{"type":"T","accountId":"1"}`:     "id: missing, and no arn stands in for it",
		`{"id":"1","service":"x"}`:         "service: a JSON string where guardduty.service was expected",
		`{"id":"1","updatedAt":"tuesday"}`: `updatedAt: "tuesday" is not a time`,
	} {
		_, err := Provider{}.Normalize(ingest.NewRecord(jsontext.Value(raw), nil))
		if fault.Of(err) != fault.Invalid || err.Error() != want {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
}
