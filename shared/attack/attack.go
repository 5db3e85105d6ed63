// Package attack knows MITRE ATT&CK as far as alerts need it: the enterprise
// tactics in kill-chain order, technique ids, and what each provider's own words
// for a tactic mean. It judges nothing about alerts.
//
//	provider's word ──▶ Parse, FromWord ──▶ Tactic ──▶ order, Graph category
package attack

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Tactic is an ATT&CK enterprise tactic by its Microsoft Graph category name, such as "InitialAccess".
type Tactic string

// The tactics of ATT&CK enterprise, in kill-chain order.
const (
	Reconnaissance      Tactic = "Reconnaissance"
	ResourceDevelopment Tactic = "ResourceDevelopment"
	InitialAccess       Tactic = "InitialAccess"
	Execution           Tactic = "Execution"
	Persistence         Tactic = "Persistence"
	PrivilegeEscalation Tactic = "PrivilegeEscalation"
	DefenseEvasion      Tactic = "DefenseEvasion"
	CredentialAccess    Tactic = "CredentialAccess"
	Discovery           Tactic = "Discovery"
	LateralMovement     Tactic = "LateralMovement"
	Collection          Tactic = "Collection"
	CommandAndControl   Tactic = "CommandAndControl"
	Exfiltration        Tactic = "Exfiltration"
	Impact              Tactic = "Impact"
)

// chain lists the tactics in kill-chain order with their ATT&CK ids.
var chain = []struct {
	tactic Tactic
	id     string
	title  string
}{
	{Reconnaissance, "TA0043", "Reconnaissance"},
	{ResourceDevelopment, "TA0042", "Resource development"},
	{InitialAccess, "TA0001", "Initial access"},
	{Execution, "TA0002", "Execution"},
	{Persistence, "TA0003", "Persistence"},
	{PrivilegeEscalation, "TA0004", "Privilege escalation"},
	{DefenseEvasion, "TA0005", "Defense evasion"},
	{CredentialAccess, "TA0006", "Credential access"},
	{Discovery, "TA0007", "Discovery"},
	{LateralMovement, "TA0008", "Lateral movement"},
	{Collection, "TA0009", "Collection"},
	{CommandAndControl, "TA0011", "Command and control"},
	{Exfiltration, "TA0010", "Exfiltration"},
	{Impact, "TA0040", "Impact"},
}

// Order is the tactic's place in the kill chain, 1 (Reconnaissance) to 14 (Impact); 0 for an unknown tactic.
func (t Tactic) Order() int {
	for i, c := range chain {
		if c.tactic == t {
			return i + 1
		}
	}
	return 0
}

// ID is the ATT&CK id, such as "TA0001"; empty for an unknown tactic.
func (t Tactic) ID() string {
	if o := t.Order(); o > 0 {
		return chain[o-1].id
	}
	return ""
}

// Title is the tactic's name as a person reads it, such as "Initial access".
func (t Tactic) Title() string {
	if o := t.Order(); o > 0 {
		return chain[o-1].title
	}
	return string(t)
}

// SortTactics returns the distinct known tactics of ts in kill-chain order.
func SortTactics(ts []Tactic) []Tactic {
	out := slices.DeleteFunc(slices.Clone(ts), func(t Tactic) bool { return t.Order() == 0 })
	slices.SortFunc(out, func(a, b Tactic) int { return a.Order() - b.Order() })
	return slices.Compact(out)
}

// Source is a vocabulary in which a provider names tactics; the rows of tactics.csv are grouped by it.
type Source string

// The vocabularies with a mapping of their own.
const (
	MicrosoftIntent Source = "microsoft_intent"               // Defender for Cloud "intent"
	GraphCategory   Source = "microsoft_graph_alert_category" // Graph and Defender XDR "category"
	GuardDuty       Source = "guardduty_threat_purpose"       // the part of a finding type before ":"
	SCCCategory     Source = "scc_category_prefix"            // the part of an SCC category before ":"
	SCCEnum         Source = "scc_mitre_attack_enum"          // finding.mitreAttack.primaryTactic
	ASFFType        Source = "asff_type_namespace"            // the first two segments of an ASFF type
)

//go:embed tactics.csv
var table string

// words maps source and normalized word to a tactic. It is parsed at first use, so that a cold start does not pay for
// it.
var words = sync.OnceValue(func() map[string]Tactic {
	m := make(map[string]Tactic, 256)
	for line := range strings.Lines(table) {
		f := strings.Split(strings.TrimSpace(line), ",")
		if len(f) == 4 {
			if t := tacticByID(f[2]); t != "" {
				m[f[0]+"/"+normalizeWord(f[1])] = t
			}
		}
	}
	return m
})

// Parse reads a tactic as source names it; "" when the word names none ("Unknown", "Malware", "Policy").
// Without an entry of its own, a word is also tried as an ATT&CK name or id in any spelling
// ("initial-access", "Initial Access", "TA0001").
func Parse(source Source, word string) Tactic {
	if t := words()[string(source)+"/"+normalizeWord(word)]; t != "" {
		return t
	}
	return FromWord(word)
}

// FromWord reads an ATT&CK tactic name or id in any spelling; "" when it is none.
func FromWord(word string) Tactic {
	f := normalizeWord(word)
	for _, c := range chain {
		if f == normalizeWord(string(c.tactic)) || strings.EqualFold(f, c.id) {
			return c.tactic
		}
	}
	return ""
}

func tacticByID(id string) Tactic {
	for _, c := range chain {
		if c.id == id {
			return c.tactic
		}
	}
	return ""
}

// normalizeWord drops case and everything but letters, digits and slashes.
func normalizeWord(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '/':
			return r
		}
		return -1
	}, s)
}

// FindTechniques collects the technique ids ("T1059.001") in the given texts, upper case, distinct, in order of
// appearance.
func FindTechniques(texts ...string) []string {
	var out []string
	for _, s := range texts {
		for i := 0; i < len(s); {
			n := techniqueLength(s, i)
			if id := strings.ToUpper(s[i : i+n]); n > 0 && !slices.Contains(out, id) {
				out = append(out, id)
			}
			i += max(n, 1)
		}
	}
	return out
}

// techniqueLength is the length in bytes of the technique id at s[i], 0 when there is none: T and four digits, as a
// word of its own, with a point and three more digits when these end a word too. No regular expression, which each
// cold start would compile.
func techniqueLength(s string, i int) int {
	if s[i] != 'T' && s[i] != 't' || i > 0 && isWordByte(s[i-1]) || !hasDigits(s, i+1, 4) {
		return 0
	}
	if i+5 < len(s) && s[i+5] == '.' && hasDigits(s, i+6, 3) && (i+9 == len(s) || !isWordByte(s[i+9])) {
		return 9
	}
	if i+5 < len(s) && isWordByte(s[i+5]) {
		return 0
	}
	return 5
}

// hasDigits reports whether s has n of them from i on.
func hasDigits(s string, i, n int) bool {
	return i+n <= len(s) && strings.Trim(s[i:i+n], "0123456789") == ""
}

// isWordByte reports whether a byte is part of a word.
func isWordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
