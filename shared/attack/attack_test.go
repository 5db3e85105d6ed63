package attack

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		source Source
		word   string
		want   Tactic
	}{
		{GuardDuty, "Recon", Reconnaissance},
		{GuardDuty, "CryptoCurrency", Impact},
		{GuardDuty, "Policy", ""},
		{MicrosoftIntent, "PreAttack", Reconnaissance},
		{MicrosoftIntent, "Unknown", ""},
		{GraphCategory, "Malware", ""},
		{SCCEnum, "COMMAND_AND_CONTROL", CommandAndControl},
		{SCCCategory, "Brute force SSH", CredentialAccess},
		{ASFFType, "TTPs/Command and Control", CommandAndControl},
		{"", "initial-access", InitialAccess},
		{"", "TA0010", Exfiltration},
		{"", "nonsense", ""},
	} {
		if got := Parse(tt.source, tt.word); got != tt.want {
			t.Errorf("Parse(%s, %q) = %q, want %q", tt.source, tt.word, got, tt.want)
		}
	}
}

func TestSorted(t *testing.T) {
	got := SortTactics([]Tactic{Impact, "Malware", Execution, InitialAccess, Execution})
	if want := []Tactic{InitialAccess, Execution, Impact}; !slices.Equal(got, want) {
		t.Errorf("Sorted = %v, want %v", got, want)
	}
}

func TestTechniques(t *testing.T) {
	got := FindTechniques("Valid Accounts (T1078), t1059.001", "xT1078.004x T1078")
	if want := []string{"T1078", "T1059.001"}; !slices.Equal(got, want) {
		t.Errorf("Techniques = %v, want %v", got, want)
	}
}

func TestTableIsWhole(t *testing.T) {
	if n := len(words()); n < 110 {
		t.Errorf("tactics.csv gave %d words, want the whole table", n)
	}
}
